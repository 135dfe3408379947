import ClusterLink
import JobCore
import JobStorage
import Testing

@testable import Manager

@Suite("The Manager API")
struct ManagerAPITests {
    static let worker = WorkerID("worker-1")

    /// A world in which this worker has this job.
    static func worldWithReservation(_ members: String = "") throws -> ManagerWorld {
        let world = try ManagerWorld()
        try world.turn { try $0.push(makeJob("order-000001", members)) }
        let job = try world.turn { try $0.fetch(for: Self.worker, from: [.default]) }
        #expect(job?.id.text == "order-000001")
        return world
    }

    // MARK: push

    @Test("push puts a job into its queue and says when")
    func push() throws {
        let world = try ManagerWorld()
        try world.turn { try $0.push(makeJob("order-000001", queue: "bulk")) }
        #expect(try world.queued("bulk") == ["order-000001"])
        let stored = try #require(try world.stored("order-000001"))
        #expect(stored.enqueuedAt == ManagerWorld.start)
        #expect(stored.createdAt == ManagerWorld.start)
    }

    @Test("push of a job that is due later puts it among the scheduled ones, and not into a queue")
    func pushForLater() throws {
        let world = try ManagerWorld()
        let due = ManagerWorld.start + .seconds(60)
        try world.turn { try $0.push(makeJob("order-000001", #""at":"\#(due.rfc3339)""#)) }
        #expect(try world.members(of: .scheduled) == ["order-000001"])
        #expect(try world.state.queues.isEmpty)
        #expect(try world.stored("order-000001")?.enqueuedAt == nil)
    }

    @Test("push of a job that is due now, or was before, enqueues it at once", arguments: [0, -60])
    func pushForNow(seconds: Int) throws {
        let world = try ManagerWorld()
        let due = ManagerWorld.start + .seconds(seconds)
        try world.turn { try $0.push(makeJob("order-000001", #""at":"\#(due.rfc3339)""#)) }
        #expect(try world.queued() == ["order-000001"])
        #expect(try world.count(of: .scheduled) == 0)
    }

    @Test("push of a jid that is alive changes nothing, wherever the job is")
    func pushOfALiveJob() throws {
        let world = try Self.worldWithReservation(#""retry":1"#)
        let again = try makeJob("order-000001", queue: "other")
        try world.turn { try $0.push(again) }
        try world.turn { try $0.fail(FailPayload(jobID: again.id, errorType: "", message: "")) }
        try world.turn { try $0.push(again) }
        #expect(try world.members(of: .retries) == ["order-000001"])
        #expect(try world.tick(.retry) == 0)
        world.wait(.seconds(60))
        #expect(try world.tick(.retry) == 1)
        try world.turn { try $0.push(again) }
        #expect(try world.queued() == ["order-000001"])
        #expect(try world.queued("other").isEmpty)
        try world.failOver()
        try world.turn { try $0.push(again) }
        #expect(try world.queued("other").isEmpty)
    }

    @Test("push of a jid whose job is done is a new job, in the very same turn")
    func pushOfADoneJob() throws {
        let world = try Self.worldWithReservation()
        try world.turn { manager in
            manager.acknowledge(JobID("order-000001"))
            try manager.push(makeJob("order-000001"))
        }
        #expect(try world.queued() == ["order-000001"])
        #expect(world.manager.workingCount() == 0)
    }

    // MARK: pause and resume

    @Test("pause stops fetch from a queue, and resume undoes it")
    func pauseAndResume() throws {
        let world = try ManagerWorld()
        try world.turn { manager in
            try manager.push(makeJob("order-000001", queue: "alpha"))
            try manager.push(makeJob("order-000002", queue: "beta"))
            manager.pause(try queue("alpha"))
        }
        #expect(try world.state.pausedQueues == [queue("alpha")])
        let names = [try queue("alpha"), try queue("beta")]
        #expect(try world.turn { try $0.fetch(for: Self.worker, from: names)?.id.text } == "order-000002")
        #expect(try world.turn { try $0.fetch(for: Self.worker, from: names)?.id.text } == nil)
        try world.turn { try $0.push(makeJob("order-000003", queue: "alpha")) }
        try world.turn { $0.resume(names[0]) }
        #expect(try world.turn { try $0.fetch(for: Self.worker, from: names)?.id.text } == "order-000001")
        #expect(try world.state.pausedQueues.isEmpty)
    }

    @Test("a pause holds after a fail-over, and for a queue that has never had a job")
    func pauseIsKept() throws {
        let world = try ManagerWorld()
        try world.turn { $0.pause(.default) }
        try world.failOver()
        let front = try world.makeFront()
        try front.send(.push("order-000001"))
        #expect(try front.ask(.fetch("default")) == .parked)
        let request = front.lastRequest
        try world.finish()
        #expect(front.late[request] == nil)
        #expect(try front.ask(.queue(.resume, names: .named(["default"]))) == .ok)
        #expect(front.late[request]?.jobID == "order-000001")
    }

    @Test("resume of all queues undoes every pause, those of queues without jobs too")
    func resumeAll() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.push("order-000001"), .queue(.pause, names: .named(["default", "later"])))
        #expect(try world.state.pausedQueues.count == 2)
        #expect(try front.ask(.queue(.resume, names: .all)) == .ok)
        #expect(try world.state.pausedQueues.isEmpty)
    }

    // MARK: fetch

    @Test("fetch takes the oldest job of the first queue that has one, in the order of the names")
    func fetchOrder() throws {
        let world = try ManagerWorld()
        try world.turn { manager in
            try manager.push(makeJob("order-000001", queue: "beta"))
            try manager.push(makeJob("order-000002", queue: "alpha"))
            try manager.push(makeJob("order-000003", queue: "alpha"))
        }
        let names = [try queue("none"), try queue("alpha"), try queue("beta")]
        let jobs = try (1...4).map { _ in
            try world.turn { try $0.fetch(for: Self.worker, from: names)?.id.text }
        }
        #expect(jobs == ["order-000002", "order-000003", "order-000001", nil])
    }

    @Test("fetch without a queue is an error")
    func fetchFromNothing() throws {
        let world = try ManagerWorld()
        #expect(throws: ManagerError.noQueues) { try world.manager.fetch(for: Self.worker, from: []) }
        #expect(ManagerError.noQueues.message == "must call fetch with at least one queue")
    }

    @Test(
        "a reservation lasts as long as the job asks for, within bounds",
        arguments: [("0", 1_800), ("1", 60), ("59", 60), ("60", 60), ("61", 61), ("-5", 60), ("86400", 86_400)]
    )
    func reservationTimes(reserveFor: String, seconds: Int) throws {
        let world = try Self.worldWithReservation(#""reserve_for":\#(reserveFor)"#)
        let reservation = try #require(world.manager.reservations[JobID("order-000001")])
        #expect(reservation.reservedAt == ManagerWorld.start)
        #expect(reservation.expiresAt == ManagerWorld.start + .seconds(seconds))
        #expect(reservation.worker == Self.worker)
        #expect(try world.state.reservations.first?.reservation == reservation.stored)
    }

    // MARK: acknowledge

    @Test("acknowledge ends the reservation, counts a success, and leaves nothing of the job")
    func acknowledge() throws {
        let world = try Self.worldWithReservation()
        #expect(world.manager.workingCount() == 1)
        let job = try world.turn { $0.acknowledge(JobID("order-000001")) }
        #expect(job?.id.text == "order-000001")
        #expect(world.manager.workingCount() == 0)
        #expect(world.data.jobIDs.isEmpty)
        #expect(try world.state.reservations.isEmpty)
        #expect(try world.state.counters == JobCounters(processed: 1, failures: 0))
    }

    @Test("acknowledge of what is not reserved is no error and changes nothing", arguments: ["", "order-000002"])
    func acknowledgeNothing(jobID: String) throws {
        let world = try Self.worldWithReservation()
        #expect(try world.turn { $0.acknowledge(JobID(jobID))?.id.text } == nil)
        try world.turn { $0.acknowledge(JobID("order-000001")) }
        #expect(try world.turn { $0.acknowledge(JobID("order-000001"))?.id.text } == nil)
        #expect(try world.state.counters.processed == 1)
    }

    // MARK: fail

    @Test("fail sends a job through its retries to the dead, and counts each time")
    func fail() throws {
        let world = try Self.worldWithReservation(#""retry":2"#)
        let report = FailPayload(
            jobID: JobID("order-000001"),
            errorType: "Jam",
            message: "the printer is jammed",
            backtrace: ["a.rb:7"]
        )
        for attempt in 1...2 {
            try world.turn { try $0.fail(report) }
            #expect(try world.members(of: .retries) == ["order-000001"])
            #expect(try world.stored("order-000001")?.failure?.retryCount == attempt - 1)
            world.wait(.seconds(120))
            #expect(try world.tick(.retry) == 1)
            #expect(try world.turn { try $0.fetch(for: Self.worker, from: [.default])?.id.text } == "order-000001")
        }
        let last = world.now.wall
        try world.turn { try $0.fail(report) }
        #expect(try world.count(of: .retries) == 0)
        let dead = try #require(try world.store.members(of: .dead, from: 0, count: 2).first)
        #expect(dead.score == last + .seconds(180 * 86_400))
        let failure = try #require(try world.stored("order-000001")?.failure)
        #expect(failure.failedAt == ManagerWorld.start)
        #expect(failure.retryCount == 2)
        #expect(failure.remaining == 0)
        #expect(failure.message == "the printer is jammed")
        #expect(failure.errorType == "Jam")
        #expect(failure.backtrace == ["a.rb:7"])
        #expect(try world.state.counters == JobCounters(processed: 3, failures: 3))
    }

    @Test("a failed job that must not be tried again is counted and forgotten")
    func failWithoutRetry() throws {
        let world = try Self.worldWithReservation(#""retry":0"#)
        try world.turn { try $0.fail(FailPayload(jobID: JobID("order-000001"), errorType: "", message: "")) }
        #expect(world.data.jobIDs.isEmpty)
        #expect(try world.state.counters == JobCounters(processed: 1, failures: 1))
    }

    @Test("a failed job with a negative retry goes to the dead at once")
    func failToTheDead() throws {
        let world = try Self.worldWithReservation(#""retry":-1"#)
        try world.turn { try $0.fail(FailPayload(jobID: JobID("order-000001"), errorType: "", message: "")) }
        #expect(try world.members(of: .dead) == ["order-000001"])
        #expect(try world.stored("order-000001")?.failure?.remaining == -1)
        #expect(try world.stored("order-000001")?.failure?.message == "unknown")
    }

    @Test("fail of what is not reserved is an error, and nothing is counted")
    func failOfNothing() throws {
        let world = try ManagerWorld()
        let jobID = JobID("order-\n0009")
        let report = FailPayload(jobID: jobID, errorType: "", message: "")
        #expect(throws: ManagerError.jobNotFound(jobID)) { try world.manager.fail(report) }
        #expect(ManagerError.jobNotFound(jobID).message == "Job not found order-?0009")
        #expect(try world.state.counters == JobCounters())
    }

    // MARK: reservations and time

    @Test("an extended reservation outlives its first end and the leader, and is reaped at its second")
    func extendReservation() throws {
        let world = try Self.worldWithReservation(#""reserve_for":60"#)
        let jobID = JobID("order-000001")
        try world.turn { manager in
            manager.extendReservation(of: jobID, until: ManagerWorld.start + .seconds(200))
            manager.extendReservation(of: jobID, until: ManagerWorld.start + .seconds(100))
            manager.extendReservation(of: JobID("order-000009"), until: ManagerWorld.start + .seconds(200))
        }
        try world.failOver()
        world.wait(.seconds(199))
        #expect(try world.tick(.reap) == 0)
        #expect(world.manager.workingCount() == 1)
        world.wait(.seconds(1))
        #expect(try world.tick(.reap) == 1)
        #expect(world.manager.workingCount() == 0)
        #expect(try world.members(of: .retries) == ["order-000001"])
    }

    @Test("a clock that is set ahead ends no reservation", arguments: [Duration.seconds(3_600), .zero])
    func reapWithAnotherClock(change: Duration) throws {
        let world = try Self.worldWithReservation(#""reserve_for":60"#)
        world.setClock(change)
        world.wait(.seconds(59))
        _ = try world.turn { try $0.reapExpiredJobs(at: world.now.wall) }
        #expect(world.manager.workingCount() == 1)
        world.wait(.seconds(1))
        #expect(try world.turn { try $0.reapExpiredJobs(at: world.now.wall) } == 1)
        #expect(world.manager.workingCount() == 0)
    }

    @Test("a clock that is set back keeps no reservation beyond its time", arguments: [1, 1_201])
    func reapWithEarlierClock(count: Int) throws {
        let world = try ManagerWorld()
        try world.turn { manager in
            for number in 0..<count { try manager.push(makeJob("order-\(1_000_000 + number)", #""reserve_for":60"#)) }
            for _ in 0..<count { _ = try manager.fetch(for: Self.worker, from: [.default]) }
        }
        world.wait(.seconds(30))
        world.setClock(.seconds(-3_600))
        try world.tick(.reap)
        world.wait(.seconds(29))
        #expect(try world.tick(.reap) == 0)
        #expect(world.manager.workingCount() == count)
        world.wait(.seconds(1))
        #expect(try world.tick(.reap) == UInt64(count))
        #expect(world.manager.workingCount() == 0)
    }

    @Test(
        "where the next leader's clock is behind, reservations of the one before last no longer than they were given for"
    )
    func reapAfterEarlierClock() throws {
        let world = try Self.worldWithReservation(#""reserve_for":120"#)
        world.setClock(.seconds(-3_600))
        try world.failOver()
        try world.tick(.reap)
        world.wait(.seconds(119))
        #expect(try world.tick(.reap) == 0)
        #expect(world.manager.workingCount() == 1)
        world.wait(.seconds(1))
        #expect(try world.tick(.reap) == 1)
        #expect(world.manager.workingCount() == 0)
    }

    @Test("where the next leader's clock is ahead, reservations of the one before last another minute")
    func reapAfterAnotherClock() throws {
        let world = try Self.worldWithReservation(#""reserve_for":1800"#)
        world.setClock(.seconds(3_600))
        try world.failOver()
        world.wait(.seconds(59))
        _ = try world.turn { try $0.reapExpiredJobs(at: world.now.wall) }
        #expect(world.manager.workingCount() == 1)
        world.wait(.seconds(1))
        #expect(try world.turn { try $0.reapExpiredJobs(at: world.now.wall) } == 1)
        #expect(world.manager.workingCount() == 0)
    }

    @Test("reapExpiredJobs fails what has expired by then, and only that")
    func reapExpiredJobs() throws {
        let world = try Self.worldWithReservation(#""reserve_for":60"#)
        try world.turn { try $0.push(makeJob("order-000002")) }
        _ = try world.turn { try $0.fetch(for: WorkerID("worker-2"), from: [.default]) }
        let end = ManagerWorld.start + .seconds(60)
        #expect(try world.turn { try $0.reapExpiredJobs(at: end + .nanoseconds(-1_000)) } == 0)
        #expect(try world.turn { try $0.reapExpiredJobs(at: end) } == 1)
        #expect(world.manager.busyCount(of: Self.worker) == 0)
        #expect(world.manager.busyCount(of: WorkerID("worker-2")) == 1)
        let failure = try #require(try world.stored("order-000001")?.failure)
        #expect(failure.errorType == "ReservationExpired")
        #expect(failure.message == "Faktory job reservation expired")
        #expect(failure.backtrace.isEmpty)
        #expect(try world.state.counters == JobCounters(processed: 1, failures: 1))
    }

    @Test("enqueueScheduledJobs moves the jobs that are due by then, in the order of their times")
    func enqueueScheduledJobs() throws {
        let world = try ManagerWorld()
        try world.turn { manager in
            for (number, seconds) in [(1, 30), (2, 20), (3, 10)] {
                let due = ManagerWorld.start + .seconds(seconds)
                try manager.push(makeJob("order-00000\(number)", #""at":"\#(due.rfc3339)""#))
            }
        }
        world.wait(.seconds(5))
        let moved = try world.turn { try $0.enqueueScheduledJobs(at: ManagerWorld.start + .seconds(20)) }
        #expect(moved == 2)
        #expect(try world.queued() == ["order-000003", "order-000002"])
        #expect(try world.members(of: .scheduled) == ["order-000001"])
        #expect(try world.stored("order-000003")?.enqueuedAt == world.now.wall)
        #expect(try world.turn { try $0.enqueueScheduledJobs(at: ManagerWorld.start + .seconds(20)) } == 0)
    }

    @Test("retryJobs moves the retries that are due by then to the tails of their queues")
    func retryJobs() throws {
        let world = try Self.worldWithReservation()
        try world.turn { try $0.fail(FailPayload(jobID: JobID("order-000001"), errorType: "", message: "")) }
        try world.turn { try $0.push(makeJob("order-000002")) }
        let due = try #require(try world.stored("order-000001")?.failure?.nextAt)
        #expect(try world.turn { try $0.retryJobs(at: due + .seconds(-1)) } == 0)
        #expect(try world.turn { try $0.retryJobs(at: due) } == 1)
        #expect(try world.queued() == ["order-000002", "order-000001"])
        #expect(try world.stored("order-000001")?.failure?.retryCount == 0)
    }

    @Test("purge deletes the dead whose time is over by then")
    func purge() throws {
        let world = try Self.worldWithReservation(#""retry":-1"#)
        try world.turn { try $0.fail(FailPayload(jobID: JobID("order-000001"), errorType: "", message: "")) }
        let end = ManagerWorld.start + .seconds(180 * 86_400)
        #expect(try world.turn { try $0.purge(at: end + .seconds(-1)) } == 0)
        #expect(try world.turn { try $0.purge(at: end) } == 1)
        #expect(world.data.jobIDs.isEmpty)
        #expect(try world.count(of: .dead) == 0)
    }

    @Test("workingCount and busyCount tell what is being worked on, also after a fail-over")
    func counts() throws {
        let world = try Self.worldWithReservation()
        let other = WorkerID("worker-2")
        try world.turn { manager in
            for number in 2...4 { try manager.push(makeJob("order-00000\(number)")) }
            for _ in 2...3 { _ = try manager.fetch(for: other, from: [.default]) }
        }
        for _ in 0..<2 {
            #expect(world.manager.workingCount() == 3)
            #expect(world.manager.busyCount(of: Self.worker) == 1)
            #expect(world.manager.busyCount(of: other) == 2)
            #expect(world.manager.busyCount(of: WorkerID("worker-3")) == 0)
            try world.failOver()
        }
        try world.turn { $0.acknowledge(JobID("order-000002")) }
        #expect(world.manager.busyCount(of: other) == 1)
        #expect(world.manager.busyCount(of: Self.worker) == 1)
    }
}
