import JobCore
import Testing

@testable import Simulation

@Suite("The queue of events")
struct EventQueueTests {
    @Test("gives events in the order of their times, and those of one time in the order of adding")
    func order() {
        var queue = EventQueue<Int>()
        var generator = SeededGenerator(seed: 9)
        let times = (0..<500).map { _ in generator.time(from: 0, to: 40) }
        for (number, time) in times.enumerated() { queue.add(number, at: time) }
        var removed: [Int] = []
        while let next = queue.removeNext() { removed.append(next) }
        #expect(removed == times.indices.sorted { (times[$0], $0) < (times[$1], $1) })
        #expect(queue.nextTime == nil)
    }
}
