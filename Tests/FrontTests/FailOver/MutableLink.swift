import ClusterLink
import Synchronization

/// A leader's link that can be told to send nothing more, so that the leader works on and nobody hears of it.
final class MutableLink: LeaderLink {
    /// The switch, which outlives the link and is reached from other threads.
    final class Mute: Sendable {
        private typealias Waiter = (count: Int, continuation: CheckedContinuation<Void, Never>)

        private struct State {
            var isOn = false
            var lostCount = 0
            var waiters: [Waiter] = []
        }

        private let state = Mutex(State())

        func turnOn() {
            self.state.withLock { $0.isOn = true }
        }

        /// Waits until so many messages have not been sent.
        func waitForLoss(of count: Int) async {
            await withCheckedContinuation { continuation in
                let isDone = self.state.withLock { state in
                    if state.lostCount < count { state.waiters.append((count, continuation)) }
                    return state.lostCount >= count
                }
                if isDone { continuation.resume() }
            }
        }

        /// Whether the message is not to be sent, which is counted.
        fileprivate func swallows() -> Bool {
            let (isOn, ready) = self.state.withLock { state -> (Bool, [Waiter]) in
                guard state.isOn else { return (false, []) }
                state.lostCount += 1
                let ready = state.waiters.filter { $0.count <= state.lostCount }
                state.waiters.removeAll { $0.count <= state.lostCount }
                return (true, ready)
            }
            for waiter in ready { waiter.continuation.resume() }
            return isOn
        }
    }

    private let link: any LeaderLink
    private let mute: Mute

    init(_ link: any LeaderLink, mute: Mute) {
        self.link = link
        self.mute = mute
    }

    var waker: any LinkWaker { self.link.waker }

    func receive(
        waitingAtMost wait: Duration,
        bound: Int,
        _ body: (LinkPeer, UnsafeRawBufferPointer) -> Void
    ) throws(LinkError) {
        try self.link.receive(waitingAtMost: wait, bound: bound, body)
    }

    func send(_ message: [UInt8], to peer: LinkPeer) throws(LinkError) {
        guard !self.mute.swallows() else { return }
        try self.link.send(message, to: peer)
    }
}
