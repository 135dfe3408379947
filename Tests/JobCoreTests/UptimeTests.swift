import Testing

@testable import JobCore

@Suite("Moments of a monotonic clock")
struct UptimeTests {
    @Test(
        "a moment is rounded up to a whole multiple, and one that is a multiple stays",
        arguments: [(0, 0), (1, 50), (49, 50), (50, 50), (51, 100), (-1, 0), (-50, -50), (-51, -50)] as [(Int64, Int64)]
    )
    func roundedUp(nanoseconds: Int64, expected: Int64) {
        #expect(Uptime(nanoseconds: nanoseconds).rounded(upTo: .nanoseconds(50)).nanoseconds == expected)
    }

    @Test("the last moment that can be told is not rounded beyond itself")
    func roundedAtTheEnd() {
        #expect(Uptime(nanoseconds: .max - 1).rounded(upTo: .seconds(1)).nanoseconds == .max)
        #expect(Uptime(nanoseconds: 7).rounded(upTo: .zero).nanoseconds == 7)
    }
}
