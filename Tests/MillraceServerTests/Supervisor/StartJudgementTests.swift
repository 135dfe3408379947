import Testing

@testable import MillraceServer

@Suite("Whether a child is started again")
struct StartJudgementTests {
    private static let short = Duration.milliseconds(50)

    /// What comes of ends, one after the other, each after the same life.
    private static func judge(_ ends: [ChildExit], living lifetime: Duration = short, bound: Int = .max) -> [Bool] {
        var judgement = StartJudgement(attemptBound: bound)
        return ends.map { judgement.goesOn(after: $0, living: lifetime) }
    }

    @Test("one that says itself that nothing would change, or is not there, is given up at once", arguments: [69, 127])
    func hopeless(code: Int32) {
        #expect(Self.judge([.code(code)]) == [false])
        // A front has its port for ten seconds before it gives up.
        #expect(Self.judge([.code(code)], living: .seconds(11)) == [false])
    }

    @Test("one that has served before is started again whatever it says")
    func served() {
        #expect(Self.judge([.signal(9), .code(69), .code(127)]) == [true, true, true])
        #expect(Self.judge([.code(0), .code(69)]) == [true, true])
        #expect(Self.judge([.code(1), .code(69)]) == [true, true])
    }

    @Test("one that fails at each start has as many attempts as it is worth")
    func attempts() {
        #expect(Self.judge([.code(1), .code(1), .code(1)], bound: 3) == [true, true, false])
        #expect(Self.judge([.code(1), .code(1), .code(1)]) == [true, true, true])
        #expect(Self.judge([.code(1), .code(1), .code(1)], living: .seconds(10), bound: 3) == [true, true, true])
    }
}
