import JobCore
import Testing

@testable import Simulation

@Suite("What is drawn from a seed")
struct DrawTests {
    @Test("draws every number below a bound about equally often", arguments: [1, 2, 7, 1_000])
    func spreads(bound: Int) {
        var generator = SeededGenerator(seed: 5)
        var counts = Array(repeating: 0, count: bound)
        for _ in 0..<200 * bound { counts[generator.number(below: bound)] += 1 }
        #expect(counts.allSatisfy { (100...300).contains($0) })
    }

    @Test("draws times from the least to the most, both included")
    func times() {
        var generator = SeededGenerator(seed: 5)
        let times = Set((0..<200).map { _ in generator.time(from: 10, to: 12) })
        #expect(times == [10, 11, 12])
    }
}
