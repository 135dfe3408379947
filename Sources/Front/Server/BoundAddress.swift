import NIOCore
import Synchronization

/// Where a front listens, for whoever waits until it does.
final class BoundAddress: Sendable {
    private enum State {
        /// The front does not listen yet. Can move to: `known`.
        case awaited([CheckedContinuation<SocketAddress, any Error>])
        /// It does, or never will.
        case known(Result<SocketAddress, any Error>)
    }

    private let state = Mutex(State.awaited([]))

    /// Throws what kept the front from listening.
    var value: SocketAddress {
        get async throws {
            try await withCheckedThrowingContinuation { continuation in
                let known = self.state.withLock { state -> Result<SocketAddress, any Error>? in
                    switch state {
                    case .known(let result):
                        return result
                    case .awaited(let others):
                        state = .awaited(others + [continuation])
                        return nil
                    }
                }
                if let known { continuation.resume(with: known) }
            }
        }
    }

    /// Tells everyone; only the first time counts.
    func settle(_ result: Result<SocketAddress, any Error>) {
        let waiting = self.state.withLock { state -> [CheckedContinuation<SocketAddress, any Error>] in
            guard case .awaited(let waiting) = state else { return [] }
            state = .known(result)
            return waiting
        }
        for continuation in waiting { continuation.resume(with: result) }
    }
}
