import ClusterLink
import JobCore
import JobStorage
import Testing

@testable import Manager

@Suite("The bytes of the jobs on their way to a front")
struct OfferBoundTests {
    /// A few jobs are within the bound.
    private func makeWorld(pushing jobCount: Int) throws -> (world: ManagerWorld, front: TestFront) {
        let world = try ManagerWorld(settings: ManagerSettings(offeredByteBound: 1_000))
        let front = try world.makeFront()
        try front.send(front.number((0..<jobCount).map { .push("order-00000\($0)") }))
        return (world, front)
    }

    private func fetches(_ count: Int, of front: TestFront) -> [LinkCommand] {
        front.number(Array(repeating: .fetch("default"), count: count))
    }

    @Test("FETCHes of one batch get jobs up to the bound, and the others theirs when those have arrived")
    func oneBatch() throws {
        let (world, front) = try self.makeWorld(pushing: 30)
        let replies = try front.send(self.fetches(31, of: front))
        let jobs = replies.compactMap(\.jobID)
        #expect((2...15).contains(jobs.count))
        #expect(replies.count { $0 == .parked } == 31 - jobs.count)
        #expect(front.late.isEmpty)
        #expect(world.manager.workingCount() == jobs.count)
        front.settled = 1
        try front.send()
        #expect(front.late.count == 1, "one has arrived, and there is room for another")
        while world.manager.workingCount() < 30 {
            let before = world.manager.workingCount()
            front.settled = UInt64(before)
            try front.send()
            try #require(world.manager.workingCount() > before)
            #expect(world.manager.workingCount() <= before + jobs.count)
        }
        let late = front.late.sorted { $0.key < $1.key }.compactMap(\.value.jobID)
        #expect(jobs + late == (0..<30).map { "order-00000\($0)" })
        front.settled = 30
        try front.send()
        try front.send(.push("order-0000031"))
        #expect(world.manager.workingCount() == 31, "the last one waits in its line again")
    }

    @Test("FETCHes that wait are given no more at once either, and another lane is not held up")
    func waitingFetches() throws {
        let (world, front) = try self.makeWorld(pushing: 0)
        try front.send(self.fetches(30, of: front))
        let pusher = try world.makeFront(2)
        try pusher.send(pusher.number((0..<30).map { .push("order-00000\($0)") }))
        let count = front.late.count
        #expect((2...15).contains(count))
        #expect(try front.ask(.fetch("default"), lane: 1).jobID == "order-00000\(count)")
        front.settled = UInt64(count)
        try front.send()
        #expect(front.late.count > count)
        #expect(front.late.values.allSatisfy { $0.jobID != nil })
    }

    @Test("a FETCH that waits for room is answered with nothing when its time is over, and goes with its client")
    func heldBack() throws {
        let (world, front) = try self.makeWorld(pushing: 30)
        let replies = try front.send(self.fetches(30, of: front))
        let count = world.manager.workingCount()
        let first = front.lastRequest - UInt64(replies.count { $0 == .parked }) + 1
        try front.send([LinkCommand(request: first, .withdraw)])
        world.wait(.seconds(2))
        try front.send()
        #expect(front.late[first] == nil)
        #expect(front.late.count == 30 - count - 1)
        #expect(front.late.values.allSatisfy { $0 == .null })
        front.settled = UInt64(count)
        try front.send()
        #expect(world.manager.workingCount() == count)
    }

    @Test("jobs that have been with the front for a while, and those that were written, leave room for others")
    func arrived() throws {
        let (world, front) = try self.makeWorld(pushing: 60)
        let first = try front.send(self.fetches(60, of: front)).count { $0.jobID != nil }
        front.deliveries = CommandBatch.Deliveries(arrived: UInt64(first), written: [])
        try front.send()
        let second = front.late.count
        #expect(second > 1)
        front.deliveries = CommandBatch.Deliveries(arrived: 0, written: [2, UInt64(first + 1), UInt64(first + 2)])
        try front.send()
        #expect(front.late.count == second + 2, "those that had arrived do not count twice")
        front.settled = UInt64(first + second + 2)
        front.deliveries = nil
        try front.send()
        #expect(front.late.count > second + 2)
        #expect(world.manager.workingCount() == first + front.late.count)
    }

    @Test("what an earlier leader offered counts as well")
    func failOver() throws {
        let (world, front) = try self.makeWorld(pushing: 30)
        let replies = try front.send(self.fetches(20, of: front))
        try world.failOver()
        try front.attach(isNew: false)
        #expect(try front.resendLast().map(\.jobID) == replies.map(\.jobID))
        try front.send(.fetch("default"))
        #expect(world.manager.workingCount() == replies.count { $0.jobID != nil })
    }

    @Test("late answers leave in messages of a bounded size and length, all of them and in their order")
    func split() {
        let late = (UInt64(1)...10).map { LateReply(request: $0, reply: .bulk([UInt8](repeating: 1, count: 100))) }
        let ones = Array(repeating: 1, count: 10)
        for (bytes, count, sizes) in [(1_000, 100, [8, 2]), (1, 100, ones), (10_000, 4, [4, 4, 2])] {
            let messages = Outbox.split(late, byteBound: bytes, countBound: count)
            #expect(messages.map(\.count) == sizes)
            #expect(Array(messages.joined()) == late)
        }
        #expect(Outbox.split(late) == [late])
    }
}
