import Testing

@testable import Simulation

@Suite("The generator of a seed")
struct SeededGeneratorTests {
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

    @Test("gives the same numbers for the same seed, and others for another one")
    func repeats() {
        var first = SeededGenerator(seed: 1)
        var second = SeededGenerator(seed: 1)
        var other = SeededGenerator(seed: 2)
        let numbers = (0..<10).map { _ in first.next() }
        #expect(numbers == (0..<10).map { _ in second.next() })
        #expect(numbers != (0..<10).map { _ in other.next() })
    }
}
