@testable import FaktoryClient
import Testing

@Suite("Queue selection")
struct QueueSelectionTests {
    /// Knuth's generator, so that the draws are the same every time.
    private struct Seeded: RandomNumberGenerator {
        var state: UInt64 = 42

        mutating func next() -> UInt64 {
            self.state = self.state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return self.state
        }
    }

    @Test("a strict order is always the one given")
    func strict() {
        var generator = Seeded()
        for _ in 1...10 {
            #expect(QueueSelection.strict(["b", "a", "c"]).order(using: &generator) == ["b", "a", "c"])
        }
    }

    @Test("a weighted order names every queue once, and each first as often as its weight says")
    func weighted() {
        var generator = Seeded()
        let selection = QueueSelection.weighted(["a": 1, "b": 3, "c": 6])
        var firsts: [String: Int] = [:]
        for _ in 1...10_000 {
            let order = selection.order(using: &generator)
            #expect(order.sorted() == ["a", "b", "c"])
            firsts[order[0], default: 0] += 1
        }
        #expect((900...1100).contains(firsts["a"] ?? 0))
        #expect((2800...3200).contains(firsts["b"] ?? 0))
        #expect((5800...6200).contains(firsts["c"] ?? 0))
    }
}
