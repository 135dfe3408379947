/// How long to wait before something that failed is tried again, and how often.
///
/// The wait doubles with every failure up to a limit, and half of it is left to chance, so that clients that lost
/// the same server do not all come back at the same moment.
public struct Backoff: Hashable, Sendable {
    /// The longest wait before the second attempt.
    public var initialDelay: Duration
    /// The longest wait of all.
    public var maximumDelay: Duration
    /// How many attempts are made in all; at least one.
    public var maximumAttemptCount: Int

    /// Five attempts over about two seconds, unless told otherwise.
    public init(
        initialDelay: Duration = .milliseconds(100),
        maximumDelay: Duration = .seconds(5),
        maximumAttemptCount: Int = 5
    ) {
        self.initialDelay = initialDelay
        self.maximumDelay = maximumDelay
        self.maximumAttemptCount = maximumAttemptCount
    }

    /// The wait after so many failures in a row, counted from one; between half of the full wait and all of it.
    func delay(afterFailures failureCount: Int, using generator: inout some RandomNumberGenerator) -> Duration {
        precondition(failureCount >= 1, "there is no wait after \(failureCount) failures")
        var full = min(self.initialDelay, self.maximumDelay)
        for _ in 1..<failureCount where full < self.maximumDelay {
            full = min(full * 2, self.maximumDelay)
        }
        return full * Double.random(in: 0.5...1, using: &generator)
    }
}
