import Glibc
import Testing
import ThreadConfinement
import ZeroMQ

@Suite("A poller")
struct PollerTests {
    private let context: ZeroMQContext

    init() throws {
        self.context = try ZeroMQContext()
    }

    @Test("is woken by a signal from another thread, until the wake-up is drained")
    func wakeup() throws {
        let wakeup = try Wakeup()
        var poller = Poller()
        let number = poller.add(wakeup)
        #expect(try poller.wait(upTo: .zero) == 0)

        let thread = DedicatedThread(name: "signaller") {
            for _ in 0..<3 { wakeup.signal() }
        }
        #expect(try poller.wait(upTo: nil) == 1)
        #expect(poller.ready(number) == .readable)
        thread.join()
        wakeup.drain()
        #expect(try poller.wait(upTo: .zero) == 0)
        #expect(poller.ready(number) == [])

        wakeup.signal()
        #expect(try poller.wait(upTo: .zero) == 1)
    }

    @Test("misses no work that is signalled after it was put down")
    func nothingMissed() throws {
        let wakeup = try Wakeup()
        let work = WorkCounter()
        let producers = (0..<2).map { number in
            DedicatedThread(name: "producer-\(number)") {
                for _ in 0..<20_000 {
                    work.put()
                    wakeup.signal()
                }
            }
        }
        var poller = Poller()
        _ = poller.add(wakeup)
        var taken = 0
        while taken < 40_000 {
            try #require(try poller.wait(upTo: ZeroMQSocketTests.patience) == 1, "after \(taken)")
            wakeup.drain()
            taken += work.takeAll()
        }
        producers.forEach { $0.join() }
        #expect(taken == 40_000)
    }

    @Test("tells sockets from descriptors, and what is readable from what is writable")
    func mixed() throws {
        let pull = try ZeroMQSocket(.pull, in: self.context)
        try pull.bind(to: "inproc://mixed")
        let push = try ZeroMQSocket(.push, in: self.context)
        try push.connect(to: "inproc://mixed")
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        defer { ends.forEach { _ = close($0) } }

        var poller = Poller()
        let pulled = poller.add(pull)
        let pushed = poller.add(push, for: .writable)
        let piped = poller.add(fileDescriptor: ends[0])
        #expect(try poller.wait(upTo: .zero) == 1)
        #expect(poller.ready(pushed) == .writable)

        poller.watch(pushed, for: [])
        #expect(try poller.wait(upTo: .zero) == 0)
        #expect(write(ends[1], "x", 1) == 1)
        #expect(try push.send([1], wait: true))
        #expect(try poller.wait(upTo: nil) == 2)
        #expect(poller.ready(pulled) == .readable)
        #expect(poller.ready(piped) == .readable)
        #expect(poller.ready(pushed) == [])
    }

    @Test("waits no less than it was told, a fraction of a millisecond too")
    func fraction() throws {
        let wakeup = try Wakeup()
        var poller = Poller()
        _ = poller.add(wakeup)
        let clock = ContinuousClock()
        let start = clock.now
        #expect(try poller.wait(upTo: .microseconds(1_200)) == 0)
        #expect(clock.now - start >= .microseconds(1_200))
    }
}
