package import Election
import Synchronization

/// Under which names the Redis of the other members follow this one.
///
/// A replica counts for a member only under the name that this member's own agent has told, over the link between members.
/// Its address it says by itself, and who has the password for replication can say any.
package final class ReplicaRoster: Sendable {
    private struct State {
        /// Whom a replica that announces itself like this belongs to.
        var members: [RedisAddress: MemberID] = [:]
        var addresses: Set<RedisAddress> = []
    }

    private let ports: [MemberID: Int]
    private let state: Mutex<State>

    /// Nobody counts yet.
    ///
    /// - Parameter others: where the Redis of each other member is.
    package init(_ others: [MemberID: RedisAddress]) {
        self.ports = others.mapValues(\.port)
        self.state = Mutex(State())
    }

    /// Each of these counts under its address: for a network in which nobody else can follow.
    package init(trusting others: [MemberID: RedisAddress]) {
        self.ports = [:]
        let members = Dictionary(others.map { ($0.value, $0.key) }, uniquingKeysWith: { first, _ in first })
        self.state = Mutex(State(members: members, addresses: Set(members.keys)))
    }

    /// Counts a member under this name from now on, and under no other.
    package func admit(_ name: ReplicaName, of member: MemberID) {
        guard let port = self.ports[member] else { return }
        let address = RedisAddress(host: name.text, port: port)
        self.state.withLock { state in
            guard state.members[address] != member else { return }
            state.members = state.members.filter { $0.value != member }
            state.members[address] = member
            state.addresses = Set(state.members.keys)
        }
    }

    /// How the replicas that count announce themselves.
    package var addresses: Set<RedisAddress> { self.state.withLock { $0.addresses } }

    /// The members to which these belong.
    package func members(at addresses: Set<RedisAddress>) -> MemberSet {
        self.state.withLock { state in MemberSet(addresses.compactMap { state.members[$0] }) }
    }
}

extension ReplicaRoster: Hashable {
    package static func == (left: ReplicaRoster, right: ReplicaRoster) -> Bool { left === right }

    package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
