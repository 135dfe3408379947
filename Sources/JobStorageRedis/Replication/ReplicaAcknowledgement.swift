/// Who has to have a transaction before it is confirmed.
package struct ReplicaAcknowledgement: Hashable, Sendable {
    /// How many others have to have it.
    package var replicaCount: Int
    /// How long a transaction waits for them; twice as long, when others are connected who do not count.
    package var timeout: Duration
    /// The members that count, each of them once; nil if any connection of a replica counts.
    ///
    /// Redis counts connections, so that one member that is connected twice counts twice, and a host that was a member
    /// once and still has a copy counts, too. Where either may be, they have to be told apart.
    package var members: Set<RedisAddress>? { self.roster?.addresses ?? self.fixedMembers }
    private let fixedMembers: Set<RedisAddress>?
    private let roster: ReplicaRoster?

    package init(replicaCount: Int, timeout: Duration, members: Set<RedisAddress>? = nil) {
        self.replicaCount = replicaCount
        self.timeout = timeout
        self.fixedMembers = members
        self.roster = nil
    }

    /// - Parameter roster: the members that count, which it may come to know only later.
    package init(replicaCount: Int, timeout: Duration, roster: ReplicaRoster) {
        self.replicaCount = replicaCount
        self.timeout = timeout
        self.fixedMembers = nil
        self.roster = roster
    }
}
