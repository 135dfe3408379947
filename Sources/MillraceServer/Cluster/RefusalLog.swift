import ClusterLinkZeroMQ
import Logging
import Synchronization
import ZeroMQ

/// Tells the log of peers that were turned away, but not of each in a flood of them.
final class RefusalLog: Sendable {
    /// How much time there is between two lines at the least.
    private static let interval = Duration.seconds(1)

    private struct State {
        var lastAt: ContinuousClock.Instant?
        var unmentionedCount = 0
    }

    private let logger: Logger
    private let state = Mutex(State())

    init(logger: Logger) {
        self.logger = logger
    }

    /// - Parameter now: when it was turned away.
    func note(_ refusal: KeyGate.Refusal, at now: ContinuousClock.Instant = .now) {
        let unmentioned = self.state.withLock { state -> Int? in
            if let lastAt = state.lastAt, now - lastAt < Self.interval {
                state.unmentionedCount += 1
                return nil
            }
            defer { state = State(lastAt: now) }
            return state.unmentionedCount
        }
        guard let unmentioned else { return }
        self.logger.warning(
            "a peer was turned away: cluster.curve_allowed does not admit its key here",
            metadata: [
                "address": "\(refusal.address)", "port": "\(refusal.domain)",
                "key": "\(refusal.key?.text ?? "none")", "others": "\(unmentioned)",
            ]
        )
    }
}
