@testable import FaktoryClient
import Testing

@Suite("Backoff")
struct BackoffTests {
    @Test(
        "the wait doubles up to its limit, and chance takes at most half of it",
        arguments: [
            (1, 100), (2, 200), (3, 400), (4, 500), (5, 500), (1_000_000, 500),
        ]
    )
    func growth(failures: Int, milliseconds: Int) {
        let backoff = Backoff(initialDelay: .milliseconds(100), maximumDelay: .milliseconds(500))
        var generator = SystemRandomNumberGenerator()
        for _ in 1...50 {
            let delay = backoff.delay(afterFailures: failures, using: &generator)
            #expect(delay >= .milliseconds(milliseconds) / 2)
            #expect(delay <= .milliseconds(milliseconds))
        }
    }

    @Test("a first wait above the limit is the limit")
    func limit() {
        let backoff = Backoff(initialDelay: .seconds(10), maximumDelay: .seconds(1))
        var generator = SystemRandomNumberGenerator()
        #expect(backoff.delay(afterFailures: 1, using: &generator) <= .seconds(1))
    }
}
