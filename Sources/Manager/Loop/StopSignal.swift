import ClusterLink
import Synchronization

/// Tells the leader's thread to stop, from anywhere.
package final class StopSignal: Sendable {
    private struct State {
        var isRequested = false
        var waker: (any LinkWaker)?
    }

    private let state = Mutex(State())

    package init() {}

    package var isRequested: Bool { self.state.withLock { $0.isRequested } }

    /// Ends the thread's turn after the one that is under way.
    package func request() {
        let waker = self.state.withLock { state in
            state.isRequested = true
            return state.waker
        }
        waker?.wake()
    }

    /// What wakes the thread when it waits.
    func wake(through waker: any LinkWaker) {
        self.state.withLock { $0.waker = waker }
    }
}
