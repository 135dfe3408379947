import JobCore
import Testing

@Suite("Sampled lines")
struct SampledLinesTests {
    private let start = Uptime(nanoseconds: 0)

    @Test("the first line of a subject is told, and then one an interval with the number that it stands for")
    func interval() {
        var lines = SampledLines<String>(interval: .seconds(60), bound: 10)
        #expect(lines.note("a", at: self.start) == 1)
        for second in 1...59 { #expect(lines.note("a", at: self.start + .seconds(second)) == nil) }
        #expect(lines.note("b", at: self.start + .seconds(59)) == 1)
        #expect(lines.note("a", at: self.start + .seconds(60)) == 60)
    }

    @Test("all subjects together have a bound, and what was not told counts with the next line of a new one")
    func bound() {
        var lines = SampledLines<Int>(interval: .seconds(60), bound: 3)
        let told = (1...1_000).compactMap { lines.note($0, at: self.start) }
        #expect(told == [1, 1, 1])
        #expect(lines.note(2_000, at: self.start + .seconds(60)) == 998)
    }
}
