import ClusterLink
import JobCore
import JobStorage
import Testing

@testable import Manager

@Suite("Long tasks are carried out in slices")
struct SliceTests {
    static let peer = LinkPeer(identity: [1])

    /// A world with so many jobs that are due in a second.
    static func worldWithScheduledJobs(_ count: Int) throws -> ManagerWorld {
        let world = try ManagerWorld()
        let at = (ManagerWorld.start + .seconds(1)).rfc3339
        try world.turn { manager in
            for number in 0..<count { try manager.push(makeJob(QueueMirrorTests.name(number), #""at":"\#(at)""#)) }
        }
        return world
    }

    @Test("1,200 due jobs are enqueued in three slices, with commands between them")
    func threeSlices() throws {
        let world = try Self.worldWithScheduledJobs(1_200)
        let front = try world.makeFront()
        world.wait(.seconds(2))
        try world.take([.tick(.enqueueScheduled, number: 7)], from: Self.peer)
        try world.slice()
        #expect(try world.queued().count == 500)
        #expect(try front.ask(.fetch("default")).jobID == QueueMirrorTests.name(0))
        #expect(try front.ask(.push("order-000001")) == .ok)
        try world.slice()
        #expect(world.messages.isEmpty)
        try world.slice()
        #expect(!world.manager.hasTasks)
        #expect(world.messages.map(\.message) == [.tickDone(.enqueueScheduled, number: 7, count: 1_200)])
        #expect(try world.count(of: .scheduled) == 0)
        #expect(try world.queued().count == 1_200)
        #expect(world.manager.tasks.statistics[.enqueueScheduled]?.cycles == 1)
        #expect(world.manager.tasks.statistics[.enqueueScheduled]?.moved == 1_200)
    }

    @Test("exactly one slice of due jobs takes a second slice, which finds nothing")
    func exactlyOneSlice() throws {
        let world = try Self.worldWithScheduledJobs(JobManager.sliceBound)
        world.wait(.seconds(2))
        try world.take([.tick(.enqueueScheduled, number: 1)], from: Self.peer)
        #expect(try world.finish() == 2)
        #expect(world.messages.map(\.message) == [.tickDone(.enqueueScheduled, number: 1, count: 500)])
    }

    @Test("a tick is not begun again while one of its kind is under way; other kinds take turns with it")
    func coalescedTicks() throws {
        let world = try Self.worldWithScheduledJobs(1_200)
        world.wait(.seconds(2))
        try world.take([.tick(.enqueueScheduled, number: 1)], from: Self.peer)
        try world.slice()
        try world.take([.tick(.enqueueScheduled, number: 2), .tick(.purge, number: 3)], from: Self.peer)
        try world.slice()
        try world.slice()
        #expect(world.messages.map(\.message) == [.tickDone(.purge, number: 3, count: 0)])
        try world.finish()
        #expect(world.messages.last?.message == .tickDone(.enqueueScheduled, number: 1, count: 1_200))
        #expect(world.messages.count == 2)
    }

    @Test("a leader that dies between two slices leaves each job in one place")
    func failOverBetweenSlices() throws {
        let world = try Self.worldWithScheduledJobs(1_200)
        world.wait(.seconds(2))
        try world.take([.tick(.enqueueScheduled, number: 1)], from: Self.peer)
        try world.slice()
        try world.failOver()
        #expect(!world.manager.hasTasks)
        #expect(try world.queued().count == 500)
        #expect(try world.tick(.enqueueScheduled) == 700)
        #expect(try Set(world.queued()).count == 1_200)
    }

    @Test(
        "a large queue is removed to its last job, in slices, with commands between them",
        arguments: [499, 500, 7_777]
    )
    func removingALargeQueue(count: Int) throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try QueueMirrorTests.push(0..<count, into: world)
        #expect(try front.ask(.queue(.remove, names: .named(["default"]))) == .deferred)
        let request = front.lastRequest
        try world.work()
        #expect(try front.ask(.push("order-000001", queue: "other")) == .ok)
        #expect(try world.finish() >= count / JobManager.sliceBound)
        #expect(front.late[request] == .ok)
        #expect(world.data.jobIDs.map(\.text) == ["order-000001"])
        #expect(try world.state.queues.map(\.name.text) == ["other"])
        #expect(world.manager.queues[.default] == nil)
    }

    @Test("comparing long jobs with a long pattern is spread over slices, and handles each of them once")
    func slowPattern() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let at = (ManagerWorld.start + .seconds(3_600)).rfc3339
        let text = String(repeating: "a", count: 40_000)
        for number in 1...60 {
            let members = #""at":"\#(at)","custom":{"text":"\#(text)","even":\#(number % 2 == 0)}"#
            try front.send(.push(QueueMirrorTests.name(number), members))
        }
        // 17 steps for each byte of each job are more than nine slices may take.
        let pattern = "*" + String(repeating: "a", count: 960) + #"*"even":true*"#
        try front.send(.mutate("discard", "scheduled", pattern: pattern))
        let request = front.lastRequest
        var sliceCount = 0
        while front.late[request] == nil {
            try world.slice()
            sliceCount += 1
            #expect(try front.ask(.push("between-\(sliceCount)")) == .ok)
            try #require(sliceCount < 100)
        }
        #expect(front.late[request] == .ok)
        #expect(sliceCount >= 8)
        let left = (1...60).filter { $0 % 2 == 1 }.map(QueueMirrorTests.name)
        #expect(try world.members(of: .scheduled).sorted() == left.sorted())
    }

    @Test("a job that leaves its set while a slow filter is on its way to it is left alone")
    func leavesMeanwhile() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let at = (ManagerWorld.start + .seconds(3_600)).rfc3339
        let text = String(repeating: "a", count: JobManager.filterBudget / 4)
        for number in 1...8 {
            try front.send(.push(QueueMirrorTests.name(number), #""at":"\#(at)","custom":{"text":"\#(text)"}"#))
        }
        try front.send(.mutate("discard", "scheduled", type: "ShipOrder"))
        let request = front.lastRequest
        try world.slice()
        let left = try world.members(of: .scheduled)
        #expect((1..<8).contains(left.count))
        // It is requeued under the eyes of the filter, which then finds it in no set.
        let escaped = try #require(left.last)
        try front.send(.mutate("requeue", "scheduled", jobIDs: [escaped]))
        while front.late[request] == nil || front.late[front.lastRequest] == nil { try world.slice() }
        #expect(try world.members(of: .scheduled).isEmpty)
        #expect(try world.queued().count <= 1)
    }

    @Test("jobs that are pushed while their queue is removed do not make it last for ever")
    func pushingWhileRemoving() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try QueueMirrorTests.push(0..<1_000, into: world)
        try front.send(.queue(.remove, names: .named(["default"])))
        let request = front.lastRequest
        var sliceCount = 0
        while front.late[request] == nil {
            try world.slice()
            sliceCount += 1
            try QueueMirrorTests.push(sliceCount * 10_000..<sliceCount * 10_000 + 600, into: world)
            try #require(sliceCount < 20)
        }
        let left = try world.queued().count
        #expect(left > 0)
        #expect(left <= sliceCount * 600)
        #expect(world.manager.queues[.default]?.entryCount == left)
    }

    @Test("removing a queue that is cold, paused, unknown or named twice is no error")
    func removingOddQueues() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try QueueMirrorTests.push(0..<3, into: world)
        try front.send(.queue(.pause, names: .named(["default"])))
        try world.failOver()
        try front.attach(isNew: false)
        let names = QueueSelection.named(["default", "nobody", "default", "no name", ""])
        #expect(try front.wait(for: .queue(.remove, names: names)) == .ok)
        #expect(try world.state.queues.isEmpty)
        #expect(try world.state.pausedQueues.isEmpty)
        #expect(world.data.jobIDs.isEmpty)
        try front.send(.push("order-000001"))
        #expect(try front.ask(.fetch("default")).jobID == "order-000001")
    }

    @Test("REMOVE of all queues removes all of them and nothing else")
    func removingAllQueues() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        for name in ["alpha", "beta", "gamma"] { try front.send(.push("order-\(name)", queue: name)) }
        try front.send(.fetch("beta"))
        #expect(try front.wait(for: .queue(.remove, names: .all)) == .ok)
        #expect(try world.state.queues.isEmpty)
        #expect(world.data.jobIDs.map(\.text) == ["order-beta"])
        #expect(world.manager.workingCount() == 1)
    }

    @Test("FLUSH drops all jobs and leaves those who wait, who are connected, and the epoch")
    func flush() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let at = (ManagerWorld.start + .seconds(60)).rfc3339
        try front.send(.joined("worker-1"), .joined("worker-2"), .beat("worker-2"), .beat("worker-2", "quiet"))
        try front.send(.push("order-000001"), .push("order-000002"), .fetch("default"), .fail("order-000001"))
        try front.send(.fetch("default"), .push("order-000003", #""at":"\#(at)""#), .fetch("empty"))
        let waiting = front.lastRequest
        try front.send(.queue(.pause, names: .named(["empty"])))
        #expect(try front.wait(for: .flush) == .ok)
        let state = try world.state
        #expect(world.data.jobIDs.isEmpty && state.queues.isEmpty && state.pausedQueues.isEmpty)
        #expect(state.reservations.isEmpty)
        #expect(state.counters == JobCounters())
        #expect(state.setCounts.values.allSatisfy { $0 == 0 })
        #expect(state.position.epoch == world.manager.epoch)
        #expect(state.sessions.count == 1)
        #expect(state.workerStates == [WorkerID("worker-2"): .quiet])
        #expect(state.beatingWorkers == [WorkerID("worker-2")])
        #expect(world.manager.workingCount() == 0)
        #expect(world.manager.busyCount(of: WorkerID("worker-1")) == 0)
        #expect(try front.ask(.acknowledge("order-000002")) == .ok)
        #expect(world.manager.counters.processed == 0)
        try front.send(.push("order-000004", queue: "empty"))
        #expect(front.late[waiting]?.jobID == "order-000004")
        #expect(try front.ask(.push("order-000001")) == .ok)
        #expect(try world.queued() == ["order-000001"])
    }

    @Test("the jobs of a lost worker are taken back in slices")
    func lostWorkerInSlices() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.joined("worker-1"), .beat("worker-1"))
        try QueueMirrorTests.push(0..<1_200, into: world)
        try world.turn { manager in
            for _ in 0..<1_200 { _ = try manager.fetch(for: WorkerID("worker-1"), from: [.default]) }
        }
        try front.send(.workerLeft(worker: "worker-1"))
        world.wait(.seconds(61))
        try front.beat()
        #expect(world.manager.workingCount() == 1_200 - JobManager.sliceBound)
        try world.take([], from: front.peer)
        #expect(world.manager.workingCount() == 1_200 - 2 * JobManager.sliceBound)
        try world.tick(.reapWorkers)
        #expect(world.manager.workingCount() == 0)
        #expect(try world.queued().count == 1_200)
    }

    @Test("as many long commands wait as the bound says; the next one is refused, and ticks still get in")
    func fullTaskBoard() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let commands = (0..<TaskBoard.bound).map { _ in LinkCommand.Body.latency(queues: []) }
        let replies = try front.send(front.number(commands))
        #expect(replies.allSatisfy { $0 == .deferred })
        #expect(try front.ask(.flush) == .error("ERR too many long commands are under way"))
        try world.take([.tick(.purge, number: 1)], from: Self.peer)
        #expect(world.manager.tasks.isTicking(.purge))
        try world.slice()
        #expect(try front.ask(.flush) == .error("ERR too many long commands are under way"))
        try world.slice()
        #expect(try front.ask(.flush) == .deferred)
    }
}
