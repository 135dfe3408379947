import JobCore
import Testing

@Suite("Retries")
struct RetryPolicyTests {
    private static let now = WallTime(nanosecondsSinceEpoch: 1_772_352_930_500_000_000)

    private static func outcome(_ job: Job, at now: WallTime = Self.now, seed: UInt64 = 1) -> FailureOutcome {
        var generator = SeededGenerator(seed: seed)
        let report = FailPayload(jobID: job.id, errorType: "E", message: "m", backtrace: ["l"])
        return RetryPolicy.outcome(of: job, failing: report, at: now, using: &generator)
    }

    @Test("a first failure is written down, and the retry value decides where the job goes")
    func firstFailure() throws {
        for (retry, remaining) in [("0", 0), ("-1", -1), ("-7", -7), ("1", 1), ("25", 25), ("null", 25)] {
            let outcome = Self.outcome(try Job(payload(#""retry":\#(retry)"#)))
            #expect(outcome.failure.failedAt == Self.now)
            #expect(outcome.failure.retryCount == 0)
            #expect(outcome.failure.remaining == remaining)
            #expect(outcome.failure.message == "m")
            #expect(outcome.failure.errorType == "E")
            #expect(outcome.failure.backtrace == ["l"])
            switch outcome.fate {
            case .discard: #expect(remaining == 0)
            case .bury(let until):
                #expect(remaining < 0)
                #expect(until == Self.now + .seconds(180 * 86_400))
            case .retry(let due):
                #expect(remaining > 0)
                #expect(outcome.failure.nextAt == due)
            }
        }
    }

    @Test("a job with n retries fails n times more, and then dies with its last next_at", arguments: [1, 3, 25])
    func lifeOfAJob(retry: Int) throws {
        var job = try Job(payload(#""retry":\#(retry)"#))
        var now = Self.now
        var lastDue: WallTime?
        for failureCount in 1...retry {
            let outcome = Self.outcome(job, at: now, seed: UInt64(failureCount))
            guard case .retry(let due) = outcome.fate else {
                Issue.record("failure \(failureCount) of \(retry) ended in \(outcome.fate)")
                return
            }
            #expect(outcome.failure.retryCount == failureCount - 1)
            #expect(outcome.failure.remaining == retry - failureCount + 1)
            job.record(outcome.failure)
            lastDue = due
            now = due
        }
        let last = Self.outcome(job, at: now)
        #expect(last.fate == .bury(until: now + RetryPolicy.deadTTL))
        #expect(last.failure.failedAt == Self.now)
        #expect(last.failure.retryCount == retry)
        #expect(last.failure.remaining == 0)
        #expect(last.failure.nextAt == lastDue)
        #expect(now < Self.now + .seconds(21 * 86_400))
    }

    @Test(
        "the wait lies within its bounds, and reaches both",
        arguments: [
            (0, 15, 44), (1, 16, 74), (2, 31, 118), (3, 96, 212), (4, 271, 416), (5, 640, 814), (10, 10_015, 10_334),
            (24, 331_791, 332_516), (-3, 15, 44),
        ]
    )
    func delays(retryCount: Int, shortest: Int, longest: Int) {
        var generator = SeededGenerator(seed: 7)
        var delays: Set<Duration> = []
        for _ in 0..<2_000 { delays.insert(RetryPolicy.delay(after: retryCount, using: &generator)) }
        #expect(delays.min() == .seconds(shortest))
        #expect(delays.max() == .seconds(longest))
        #expect(delays.count == 30)
    }

    @Test("whatever counts a client sends, nothing overflows")
    func extremes() throws {
        let many = #""retry":2147483647,"failure":{"retry_count":2147483000,"remaining":-9223372036854775808}"#
        let outcome = Self.outcome(try Job(payload(many)))
        #expect(outcome.fate == .retry(at: WallTime(nanosecondsSinceEpoch: .max)))
        #expect(outcome.failure.remaining == .min)
        let most = #""retry":1,"failure":{"retry_count":9223372036854775807,"failed_at":"?"}"#
        let buried = Self.outcome(try Job(payload(most)))
        #expect(buried.fate == .bury(until: Self.now + RetryPolicy.deadTTL))
        #expect(buried.failure.retryCount == .max)
        #expect(buried.failure.failedAt == Self.now)
    }

    @Test("the same job, report, time and seed give the same outcome")
    func deterministic() throws {
        let job = try Job(payload())
        #expect(Self.outcome(job, seed: 3) == Self.outcome(job, seed: 3))
    }
}
