import Election
import JobCore
import Synchronization

/// What a member's service has yet to take in, in the order in which it came.
final class MemberInbox: Sendable {
    enum Entry: Sendable {
        case takeOver(TakeOverEvent)
        case peer(PeerNetworkEvent)
        /// The alarm that was set for this moment.
        case alarm(Uptime)
        /// This member's disk cannot be written, or etcd will never do as it is asked.
        case failure(any Error)
        /// What Redis says, and who wants to know.
        case report(RedisReport?, for: PeerAsker)
    }

    /// What may wait of what others send; more of it is dropped, as if the network had lost it.
    static let peerBound = 1_024

    let entries: AsyncStream<Entry>
    private let continuation: AsyncStream<Entry>.Continuation
    private let waitingPeerCount = Mutex(0)

    init() {
        // What this member asked for itself is answered once each, so that it has a bound without one.
        (self.entries, self.continuation) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
    }

    func put(_ event: TakeOverEvent) {
        self.continuation.yield(.takeOver(event))
    }

    func putAlarm(setFor moment: Uptime) {
        self.continuation.yield(.alarm(moment))
    }

    func put(_ report: RedisReport?, for asker: PeerAsker) {
        self.continuation.yield(.report(report, for: asker))
    }

    /// Adds what another member or an operator sent.
    func put(_ event: PeerNetworkEvent) {
        let isTaken = self.waitingPeerCount.withLock { count in
            guard count < Self.peerBound else { return false }
            count += 1
            return true
        }
        if isTaken { self.continuation.yield(.peer(event)) }
    }

    /// To be called for each entry from a peer that was taken out.
    func notePeerTaken() {
        self.waitingPeerCount.withLock { $0 -= 1 }
    }

    func putFailure(_ error: any Error) {
        self.continuation.yield(.failure(error))
    }

    func finish() {
        self.continuation.finish()
    }
}
