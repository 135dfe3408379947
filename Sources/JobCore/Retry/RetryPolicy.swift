/// What becomes of a job that failed.
///
/// A policy holds no generator and no clock: the same job, report, time and generator always give the same outcome.
package enum RetryPolicy {
    /// How long a worker may keep a job that does not say how long it takes.
    package static let defaultReservation = Duration.seconds(1800)
    /// How long the dead are kept.
    package static let deadTTL = Duration.seconds(180 * 86_400)
    /// The count of failures from which on the wait no longer grows: three hundred million years are long enough.
    static let maximumDelayedCount = 10_000

    /// Adds a failure to what the job knows of its failures, and decides where the job goes.
    ///
    /// - Parameter now: the time of the failure.
    package static func outcome(
        of job: Job,
        failing report: FailPayload,
        at now: WallTime,
        using generator: inout some RandomNumberGenerator
    ) -> FailureOutcome {
        var failure = self.count(of: job, at: now)
        failure.message = report.message
        failure.errorType = report.errorType
        failure.backtrace = report.backtrace

        guard job.retry != 0 else { return FailureOutcome(failure: failure, fate: .discard) }
        guard failure.retryCount < job.retry else {
            return FailureOutcome(failure: failure, fate: .bury(until: now + self.deadTTL))
        }
        let due = now + self.delay(after: failure.retryCount, using: &generator)
        failure.nextAt = due
        return FailureOutcome(failure: failure, fate: .retry(at: due))
    }

    private static func count(of job: Job, at now: WallTime) -> Failure {
        guard var failure = job.failure else { return Failure(failedAt: now, remaining: job.retry) }
        failure.failedAt = failure.failedAt ?? now
        // A client may send any number, the largest among them.
        failure.retryCount = min(failure.retryCount, .max - 1) + 1
        if failure.remaining > 0 { failure.remaining -= 1 }
        return failure
    }

    /// How long a job waits before it is tried again: `c⁴ + 15 + R·(c + 1)` seconds, R at random from 0 to 29.
    ///
    /// It grows fast, and is spread so that jobs that failed together do not all come back together.
    ///
    /// - Parameter retryCount: c, the failures before the latest.
    package static func delay(
        after retryCount: Int,
        using generator: inout some RandomNumberGenerator
    ) -> Duration {
        let count = min(max(retryCount, 0), self.maximumDelayedCount)
        let spread = Int.random(in: 0...29, using: &generator) * (count + 1)
        return .seconds(count * count * count * count + 15 + spread)
    }
}
