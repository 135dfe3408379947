import ClusterLink
import JobCore
import JobStorage
import Testing

@testable import Manager

@Suite("A job that an earlier leader handed out")
struct UnreadReservationTests {
    private static let filler = String(repeating: "x", count: 100_000)

    /// Jobs that a worker has, under the next leader.
    private static func worldWithHeldJobs(
        _ count: Int,
        _ members: String = "",
        extend: @escaping (JobManager) -> Void = { _ in }
    ) throws -> (world: ManagerWorld, front: TestFront) {
        let world = try ManagerWorld(extend: extend)
        let front = try world.makeFront()
        let custom = #""custom":{"filler":"\#(Self.filler)"}\#(members)"#
        for number in 0..<count {
            try front.send(.push(QueueMirrorTests.name(number), custom), .fetch("default"))
        }
        try world.failOver()
        try front.attach(isNew: false)
        return (world, front)
    }

    @Test("is acknowledged without being read")
    func acknowledged() throws {
        let (world, front) = try Self.worldWithHeldJobs(3)
        #expect(try front.ask(.acknowledge(QueueMirrorTests.name(1))) == .ok)
        #expect(world.store.recordReads == InMemoryJobStore.RecordReads())
        #expect(world.manager.workingCount() == 2)
        #expect(world.data.jobIDs.count == 2)
        #expect(try world.state.counters == JobCounters(processed: 1))
    }

    @Test("is shown to the acknowledge chain, and given to who acknowledges it through the API")
    func acknowledgedWithAChain() throws {
        nonisolated(unsafe) var shown: [Job] = []
        let (world, front) = try Self.worldWithHeldJobs(2) { manager in
            manager.addMiddleware(.acknowledge) { context, next in
                shown.append(context.job)
                if let reservation = context.reservation { shown.append(reservation.job) }
                try next()
            }
        }
        try front.send(.acknowledge(QueueMirrorTests.name(0)))
        #expect(shown.map(\.id.text) == Array(repeating: QueueMirrorTests.name(0), count: 2))
        let job = try world.turn { $0.acknowledge(JobID(QueueMirrorTests.name(1))) }
        #expect(job?.id.text == QueueMirrorTests.name(1))
        #expect(world.manager.unreadReservationCount == 0)
    }

    @Test("that fails is read then, those of one turn together")
    func failed() throws {
        let (world, front) = try Self.worldWithHeldJobs(5)
        try front.send(front.number((1...3).map { .fail(QueueMirrorTests.name($0)) }))
        #expect(world.store.recordReads.count == 1)
        #expect(try world.members(of: .retries).count == 3)
        #expect(try world.stored(QueueMirrorTests.name(1))?.failure?.retryCount == 0)
        #expect(world.manager.unreadReservationCount == 2)
        #expect(world.manager.workingCount() == 2)
    }

    @Test("is read for a FETCH that comes again, and the same job is the answer")
    func fetchedAgain() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.push("order-000001"), .fetch("default"))
        try world.failOver()
        try front.attach(isNew: false)
        #expect(try front.resendLast().last?.jobID == "order-000001")
        #expect(world.manager.workingCount() == 1)
    }

    @Test("goes back to the head of its queue unread when its front has ended, and is handed out again")
    func returned() throws {
        let (world, front) = try Self.worldWithHeldJobs(3)
        try front.send(.push(QueueMirrorTests.name(3)))
        try front.detach()
        #expect(world.store.recordReads.count == 0)
        #expect(try world.queued() == (0...3).map { QueueMirrorTests.name($0) })
        #expect(world.manager.unreadReservationCount == 0)

        var jobs: [String?] = []
        for _ in 0..<4 { jobs.append(try QueueMirrorTests.take(from: world)) }
        #expect(jobs == (0...3).map { QueueMirrorTests.name($0) })
    }

    @Test("that went back unread is ended by the worker who had it after all", arguments: [true, false])
    func reportedAfterItsReturn(isDone: Bool) throws {
        let (world, front) = try Self.worldWithHeldJobs(2)
        try front.detach()
        let other = try world.makeFront(2)
        let name = QueueMirrorTests.name(1)
        #expect(try other.ask(isDone ? .acknowledge(name) : .fail(name)) == .ok)
        #expect(try world.members(of: .retries) == (isDone ? [] : [name]))
        #expect(try QueueMirrorTests.take(from: world) == QueueMirrorTests.name(0))
        #expect(try QueueMirrorTests.take(from: world) == nil)
    }

    @Test("is withdrawn without being read, and served to the next")
    func withdrawn() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.push("order-000001"), .fetch("default"))
        let request = front.lastRequest
        try world.failOver()
        try front.attach(isNew: false)
        try front.send([LinkCommand(request: request, .withdraw)])
        #expect(world.store.recordReads.count == 0)
        #expect(try world.queued() == ["order-000001"])
        try front.send(.fetch("default"))
        try world.finish()
        #expect(front.late[front.lastRequest]?.jobID == "order-000001")
    }

    @Test("whose time is over is read in slices of bytes, until all have failed")
    func expired() throws {
        let (world, _) = try Self.worldWithHeldJobs(200)
        world.wait(.seconds(3_600))
        #expect(try world.tick(.reap) == 200)
        #expect(try world.count(of: .retries) == 200)
        #expect(world.store.recordReads.largestByteCount <= JobManager.readByteBudget)
        #expect(world.manager.workingCount() == 0)
    }

    @Test("is not kept in memory when it is large, by the leader who handed it out either")
    func largeJobsAreLetGo() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let filler = #""custom":{"filler":"\#(Self.filler)"}"#
        try front.send(.push("order-000001", filler), .push("order-000002"), .push("order-000003", filler))
        let replies = try front.send(.fetch("default"), .fetch("default"), .fetch("default"))
        #expect(replies.map(\.jobID) == ["order-000001", "order-000002", "order-000003"])
        #expect(world.manager.reservations.values.filter(\.isRead).map(\.jobID.text) == ["order-000002"])
        #expect(world.manager.unreadReservationCount == 2)

        #expect(try front.ask(.fail("order-000001")) == .ok)
        #expect(try front.ask(.acknowledge("order-000003")) == .ok)
        #expect(world.manager.unreadReservationCount == 0)
        #expect(world.store.recordReads.count == 1)
        #expect(try world.stored("order-000001")?.failure?.retryCount == 0)
    }

    @Test("that is gone or damaged is no job: a FAIL finds none, and nobody is given it")
    func gone() throws {
        let (world, front) = try Self.worldWithHeldJobs(2)
        var transaction = StorageTransaction(
            position: try world.state.position,
            lastToken: try world.state.lastToken,
            day: "2026-03-01"
        )
        transaction.remove(JobID(QueueMirrorTests.name(0)))
        transaction.store(JobID(QueueMirrorTests.name(1)), StoredJob(token: 1, payload: Array("junk".utf8)))
        try world.store.commit(transaction)
        for number in 0..<2 {
            let reply = try front.ask(.fail(QueueMirrorTests.name(number)))
            #expect(reply.text?.contains("Job not found") == true, "\(reply)")
        }
        #expect(world.manager.workingCount() == 0)
        #expect(world.data.quarantined.count == 1)
        #expect(try world.state.reservations.isEmpty)
    }

    @Test("that is gone can be pushed again, and what is left of its reservation does not touch the new one")
    func goneAndPushedAgain() throws {
        let (world, front) = try Self.worldWithHeldJobs(1)
        var transaction = StorageTransaction(
            position: try world.state.position,
            lastToken: try world.state.lastToken,
            day: "2026-03-01"
        )
        transaction.remove(JobID(QueueMirrorTests.name(0)))
        try world.store.commit(transaction)
        #expect(try front.ask(.push(QueueMirrorTests.name(0))) == .ok)
        #expect(world.manager.workingCount() == 0)
        world.wait(.seconds(7_200))
        #expect(try world.tick(.reap) == 0)
        #expect(try world.queued() == [QueueMirrorTests.name(0)])
        #expect(try world.members(of: .retries).isEmpty)
    }

    @Test("that cannot be read when it is needed leaves a turn that comes to nothing")
    func unreadable() throws {
        let (world, front) = try Self.worldWithHeldJobs(1)
        let message = front.makeBatch(front.number([.fail(QueueMirrorTests.name(0))]))
        world.store.losesTheNextRead = true
        #expect(throws: StorageError.self) { try world.take([message], from: front.peer) }
        try world.failOver()
        try front.attach(isNew: false)
        #expect(try world.state.reservations.count == 1)
        #expect(try front.resend(message) == [.ok])
        #expect(try world.members(of: .retries) == [QueueMirrorTests.name(0)])
    }
}
