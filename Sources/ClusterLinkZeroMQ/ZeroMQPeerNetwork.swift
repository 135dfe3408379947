package import Election
import Synchronization
import ThreadConfinement
package import ZeroMQ

/// The members' network: each member listens as a router, and talks to each other one by a dealer.
///
/// A dealer shows the number of its member as its identity, and a router takes nobody else for a member. Messages are
/// only queued for connections that stand, so that nothing old arrives when one that was lost is there again.
package final class ZeroMQPeerNetwork: PeerNetwork {
    /// Messages that may wait to leave, over all members; one more is lost.
    package static let outgoingBound = 1_024
    /// Messages that may wait on each connection.
    static let highWaterMark = 128
    /// The longest message, with room for an operator's answer.
    package static let messageByteBound = 64 << 10
    /// What the identity of a member begins with; its number follows.
    static let identityPrefix = "member-"

    enum Outgoing: Sendable {
        case message([UInt8], MemberID)
        case answer([UInt8], PeerAsker)
    }

    private struct State {
        var outgoing: [Outgoing] = []
        var isClosed = false
        var thread: DedicatedThread<Void>?
    }

    private let member: MemberID
    private let endpoint: String
    private let others: [MemberID: String]
    private let context: ZeroMQContext
    private let security: MemberSecurity?
    private let wakeup: Wakeup
    private let state = Mutex(State())

    /// - Parameters:
    ///   - endpoint: where this member listens, such as `tcp://10.0.0.1:7422`.
    ///   - others: where each other member does.
    ///   - context: one that has no other traffic, which could hold up what is said here.
    ///   - security: the keys for encrypted connections, in which nobody can say to be another member; nil for plain ones.
    package init(
        member: MemberID,
        endpoint: String,
        others: [MemberID: String],
        in context: ZeroMQContext,
        security: MemberSecurity? = nil
    ) throws(ZeroMQError) {
        self.member = member
        self.endpoint = endpoint
        self.others = others
        self.context = context
        self.security = security
        self.wakeup = try Wakeup()
    }

    package func start(_ tell: @escaping @Sendable (PeerNetworkEvent) -> Void) throws {
        // The sockets are made here, so that a port that is taken is the caller's error, and move to their thread once.
        let sockets = PeerSockets(
            try PeerSockets.Open(
                member: self.member,
                endpoint: self.endpoint,
                others: self.others,
                in: self.context,
                security: self.security
            )
        )
        let thread = DedicatedThread(name: "peers") { [self] in
            sockets.withOpen { open in self.run(open, tell) }
        }
        self.state.withLock { $0.thread = thread }
    }

    package func send(_ message: PeerMessage, to member: MemberID) {
        self.put(.message(message.encoded(), member))
    }

    package func answer(_ bytes: [UInt8], to asker: PeerAsker) {
        self.put(.answer(bytes, asker))
    }

    package func close() {
        let thread = self.state.withLock { state in
            state.isClosed = true
            return state.thread
        }
        self.wakeup.signal()
        thread?.join()
    }

    private func put(_ outgoing: Outgoing) {
        self.state.withLock { state in
            guard !state.isClosed, state.outgoing.count < Self.outgoingBound else { return }
            state.outgoing.append(outgoing)
        }
        self.wakeup.signal()
    }

    private func run(_ open: PeerSockets.Open, _ tell: (PeerNetworkEvent) -> Void) {
        var poller = Poller()
        _ = poller.add(self.wakeup)
        open.add(to: &poller)
        do {
            while true {
                self.wakeup.drain()
                let (outgoing, isClosed) = self.state.withLock { state in
                    defer { state.outgoing = [] }
                    return (state.outgoing, state.isClosed)
                }
                for one in outgoing { try open.send(one) }
                if isClosed { return }
                guard try !open.receive(tell) else { continue }
                _ = try poller.wait(upTo: nil)
            }
        } catch {
            // Only the end of the context gets here: there is nothing left to talk through.
            self.state.withLock { $0.isClosed = true }
        }
    }
}
