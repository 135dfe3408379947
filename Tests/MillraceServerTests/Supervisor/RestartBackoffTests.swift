import Testing

@testable import MillraceServer

@Suite("Restart backoff")
struct RestartBackoffTests {
    @Test("the wait doubles from 100 ms to 5 s and stays there")
    func doubles() {
        var backoff = RestartBackoff()
        let waits = (0..<8).map { _ in backoff.wait(afterLiving: .zero) }
        let milliseconds = [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]
        #expect(waits == milliseconds.map { .milliseconds($0) })
    }

    @Test(
        "a life of ten seconds, and none shorter, begins anew",
        arguments: [(Duration.milliseconds(9_999), Duration.milliseconds(400)), (.seconds(10), .milliseconds(100))]
    )
    func settles(lifetime: Duration, expected: Duration) {
        var backoff = RestartBackoff()
        _ = backoff.wait(afterLiving: .zero)
        _ = backoff.wait(afterLiving: .zero)
        #expect(backoff.wait(afterLiving: lifetime) == expected)
    }

    @Test("after a settled life the wait grows again from the start")
    func growsAgain() {
        var backoff = RestartBackoff()
        for _ in 0..<5 { _ = backoff.wait(afterLiving: .zero) }
        #expect(backoff.wait(afterLiving: .seconds(60)) == .milliseconds(100))
        #expect(backoff.wait(afterLiving: .zero) == .milliseconds(200))
    }
}
