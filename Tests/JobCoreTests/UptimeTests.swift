import Testing

@testable import JobCore

@Suite("Moments of a monotonic clock")
struct UptimeTests {
    @Test(
        "a moment is rounded down to a whole multiple, and one that is a multiple stays",
        arguments: [(0, 0), (1, 0), (49, 0), (50, 50), (51, 50), (-1, -50), (-50, -50), (-51, -100)] as [(Int64, Int64)]
    )
    func roundedDown(nanoseconds: Int64, expected: Int64) {
        #expect(Uptime(nanoseconds: nanoseconds).rounded(downTo: .nanoseconds(50)).nanoseconds == expected)
    }

    @Test("the first moment that can be told is not rounded beyond itself")
    func roundedAtTheEnd() {
        #expect(Uptime(nanoseconds: .min + 1).rounded(downTo: .seconds(1)).nanoseconds == .min)
        #expect(Uptime(nanoseconds: 7).rounded(downTo: .zero).nanoseconds == 7)
    }
}
