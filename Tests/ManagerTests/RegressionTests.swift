import ClusterLink
import JobCore
import JobStorage
import Testing

@testable import Manager

/// What is known to go wrong in upstream, by the names under which it is listed; none of it may happen here.
@Suite("Weaknesses of upstream that must not come back")
struct RegressionTests {
    @Test("W1: a job's retry policy says nothing about any other job's")
    func retryPolicyIsNotShared() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(
            .push("order-000001", #""retry":0"#),
            .push("order-000002"),
            .push("order-000003", #""retry":7"#)
        )
        try front.send(InformationTests.bulk([payload("order-000004")]))
        for (number, retry) in [(1, 0), (2, 25), (3, 7), (4, 25)] {
            #expect(try world.stored("order-00000\(number)")?.retry == retry)
        }
    }

    @Test("W2: no commit leaves a job outside both its queue and the working set")
    func noGapBetweenQueueAndReservation() throws {
        for fault in [InMemoryJobStore.Fault.losingTheTransaction, .losingTheAnswer] {
            let world = try ManagerWorld()
            let front = try world.makeFront()
            try front.send(.push("order-000001"))
            world.store.fault = fault
            #expect(throws: StorageError.self) { try front.send(.fetch("default")) }
            try world.failOver()
            #expect(try world.queued().count + world.state.reservations.count == 1)
            try front.attach(isNew: false)
            #expect(try front.resendLast().first?.jobID == (fault == .losingTheAnswer ? "order-000001" : nil))
            try world.finish()
            let late = front.late[front.lastRequest]?.jobID
            #expect(late == (fault == .losingTheAnswer ? nil : "order-000001"))
            #expect(world.manager.workingCount() == 1)
        }
    }

    @Test("W3: the job of a client that is gone goes back at once, and no try is counted")
    func vanishedClient() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.fetch("default"))
        try front.send([LinkCommand(request: front.lastRequest, .withdraw)])
        try front.send(.push("order-000001"))
        #expect(try world.queued() == ["order-000001"])
        try front.send(.fetch("default"))
        try front.send([LinkCommand(request: front.lastRequest, .withdraw)])
        #expect(try world.queued() == ["order-000001"])
        #expect(try world.stored("order-000001")?.failure == nil)
        #expect(world.manager.counters == JobCounters())
    }

    @Test("W5: after FLUSH queues are listed anew, also by the next leader, and nothing of before is told")
    func flushResetsMemory() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.push("order-000001"), .push("order-000002"), .fetch("default"))
        try front.send(.queue(.pause, names: .all))
        _ = try front.wait(for: .flush)
        try front.send(.push("order-000003"))
        try world.failOver()
        try front.attach(isNew: false)
        let faktory = try InformationTests.information(front).field("faktory")
        #expect(faktory?.field("queues") == ["default": 1])
        #expect(faktory?.field("sets")?.field("working")?.integer == 0)
        #expect(try front.wait(for: .fetch("default")).jobID == "order-000003")
    }

    @Test("W7: quiet holds for every connection of a worker")
    func quietHoldsEverywhere() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.joined("worker-1"), .joined("worker-1"), .push("order-000001"))
        try front.send(.beat("worker-1", "quiet"), lane: 1)
        for lane in UInt16(0)..<3 { #expect(try front.ask(.fetch("default"), lane: lane) == .parked) }
        #expect(try world.queued() == ["order-000001"])
    }

    @Test("W8: a jid that is alive exists once, so that no reservation overwrites another")
    func jidsAreUnique() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.push("order-000001"), .push("order-000001"), .fetch("default"), .push("order-000001"))
        #expect(try front.ask(.fetch("default", wait: 0)) == .parked)
        #expect(world.manager.workingCount() == 1)
        try front.send(.acknowledge("order-000001"))
        #expect(try world.state.reservations.isEmpty)
        #expect(world.data.jobIDs.isEmpty)
    }

    @Test("W9: a scheduled job that cannot be enqueued was never accepted, or is put aside where it is found")
    func scheduledJobsAreNotLost() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let at = (ManagerWorld.start + .seconds(10)).rfc3339
        let refused = try front.ask(.push("order-000001", queue: "no name", #""at":"\#(at)""#))
        #expect(refused.text?.hasPrefix("ERR cannot get") == true)
        try front.send(.push("order-000002", #""at":"\#(at)""#), .push("order-000003", #""at":"\#(at)""#))
        var damage = StorageTransaction(
            position: try world.state.position,
            lastToken: try world.state.lastToken,
            day: "2026-03-01"
        )
        damage.store(JobID("order-000002"), StoredJob(token: 0, payload: Array("{damaged".utf8)))
        try world.store.commit(damage)
        world.wait(.seconds(10))
        #expect(try world.tick(.enqueueScheduled) == 2)
        #expect(try world.queued() == ["order-000003"])
        #expect(world.data.quarantined == [JobID("order-000002"): Array("{damaged".utf8)])
        #expect(world.manager.setCounts[.scheduled] == 0)
        #expect(try front.ask(.push("order-000002")) == .ok)
        #expect(try world.queued() == ["order-000003", "order-000002"])
    }

    @Test(
        "W9a: an ACK or FAIL whose turn cannot be written is carried out once, chain and counters included",
        arguments: [
            InMemoryJobStore.Fault.losingTheTransaction, .losingTheAnswer, .withholdingConfirmation,
            .refusing("out of memory"),
        ],
        [true, false]
    )
    func reportDuringAStall(fault: InMemoryJobStore.Fault, fails: Bool) throws {
        let world = try ManagerWorld { manager in
            for kind in [MiddlewareKind.acknowledge, .fail] {
                manager.addMiddleware(kind) { context, next in
                    context.manager.redis.perform("INCR", kind.rawValue)
                    try next()
                }
            }
        }
        let front = try world.makeFront()
        try front.send(.push("order-000001"), .fetch("default"))
        world.store.fault = fault
        let report = fails ? LinkCommand.Body.fail("order-000001") : .acknowledge("order-000001")
        #expect(throws: StorageError.self) { try front.send(report) }
        try world.failOver()
        try front.attach(isNew: false)
        #expect(try front.resendLast() == [.ok])
        let failures: UInt64 = fails ? 1 : 0
        #expect(try world.state.counters == JobCounters(processed: 1, failures: failures))
        #expect(world.manager.counters == JobCounters(processed: 1, failures: failures))
        #expect(try world.members(of: .retries) == (fails ? ["order-000001"] : []))
        #expect(world.data.redisCommands.count == 1)
        #expect(world.manager.workingCount() == 0)
    }

    @Test("W10: a job that fails or is killed is in exactly one place, whichever write is lost")
    func movesAreWhole() throws {
        for fault in [InMemoryJobStore.Fault.losingTheTransaction, .losingTheAnswer] {
            let world = try ManagerWorld()
            let front = try world.makeFront()
            try front.send(.push("order-000001"), .fetch("default"))
            world.store.fault = fault
            #expect(throws: StorageError.self) { try front.send(.fail("order-000001")) }
            try world.failOver()
            #expect(try world.count(of: .retries) + world.state.reservations.count == 1)
            try front.attach(isNew: false)
            try front.resendLast()
            try front.send(.mutate("kill", "retries"))
            world.store.fault = fault
            #expect(throws: StorageError.self) { try world.finish() }
            try world.failOver()
            #expect(try world.count(of: .retries) + world.count(of: .dead) == 1)
            #expect(world.manager.setCounts[.retries] == (try world.count(of: .retries)))
        }
    }

    @Test("W11: a job that is requeued twice at once, by MUTATE and by its time, is enqueued once")
    func requeueWithoutDuplicates() throws {
        let world = try SliceTests.worldWithScheduledJobs(700)
        let front = try world.makeFront()
        world.wait(.seconds(2))
        try front.send(.mutate("requeue", "scheduled"), .mutate("requeue", "scheduled", type: "ShipOrder"))
        try world.take([.tick(.enqueueScheduled, number: 1)], from: SliceTests.peer)
        try world.finish()
        let queued = try world.queued()
        #expect(queued.count == 700)
        #expect(Set(queued).count == 700)
        #expect(world.manager.queues[.default]?.entryCount == 700)
    }

    @Test(
        "W13: an extension is stored, so that the next leader ends the reservation cleanly",
        arguments: [true, false]
    )
    func extensionsAreStored(fails: Bool) throws {
        let world = try ManagerAPITests.worldWithReservation(#""reserve_for":60"#)
        let jobID = JobID("order-000001")
        try world.turn { $0.extendReservation(of: jobID, until: ManagerWorld.start + .seconds(600)) }
        try world.failOver()
        world.wait(.seconds(300))
        #expect(try world.tick(.reap) == 0)
        try world.turn { manager in
            if fails {
                try manager.fail(FailPayload(jobID: jobID, errorType: "", message: ""))
            } else {
                manager.acknowledge(jobID)
            }
        }
        #expect(try world.state.reservations.isEmpty)
        #expect(try world.store.expiredReservations(until: world.now.wall + .seconds(9_000), count: 9).isEmpty)
        #expect(try world.count(of: .retries) == (fails ? 1 : 0))
    }

    @Test("W14: a fetch that is halted keeps its job")
    func haltKeepsTheJob() throws {
        let world = try ManagerWorld { manager in
            manager.addMiddleware(.fetch) { _, _ in throw KnownError.halt(code: "ERR", message: "no") }
        }
        let front = try world.makeFront()
        try front.send(.push("order-000001"))
        #expect(try front.ask(.fetch("default")) == .error("ERR no"))
        #expect(try world.members(of: .dead) == ["order-000001"])
    }

    @Test("W15: numbers, escapes and unknown members reach the worker as they were pushed")
    func payloadsAreBytes() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let members = #""args":[12345678901234567890,1.10,"<\u00e9>"],"mine":{"b":1,"a":2}"#
        let text = #"{"jid":"order-000001","jobtype":"ShipOrder",\#(members)}"#
        try front.send(.push(job: Array(text.utf8)))
        guard case .job(_, let bytes) = try front.ask(.fetch("default")) else { throw WorldError.noReply }
        #expect(String(decoding: bytes, as: UTF8.self).contains(members))
    }

    @Test("W15a: a scheduled job that MUTATE requeues has an enqueued_at, so that LATENCY knows its age")
    func latencyAfterRequeue() throws {
        let world = try SliceTests.worldWithScheduledJobs(1)
        let front = try world.makeFront()
        #expect(try front.wait(for: .mutate("requeue", "scheduled")) == .ok)
        world.wait(.milliseconds(1_500))
        #expect(try front.wait(for: .latency(queues: ["default"])).text == #"{"default":1.5}"#)
    }

    @Test("W16: a mutation of all jobs of a set handles all of them, however many", arguments: ["requeue", "kill"])
    func mutationsAreComplete(operation: String) throws {
        let world = try SliceTests.worldWithScheduledJobs(550)
        let front = try world.makeFront()
        #expect(try front.wait(for: .mutate(operation, "scheduled")) == .ok)
        #expect(try world.count(of: .scheduled) == 0)
        #expect(try world.queued().count == (operation == "requeue" ? 550 : 0))
        #expect(try world.count(of: .dead) == (operation == "kill" ? 550 : 0))
    }

    @Test("W17: the late ACK of a job whose reservation has expired is answered with OK and changes nothing")
    func lateAcknowledgement() throws {
        let world = try ManagerAPITests.worldWithReservation(#""reserve_for":60"#)
        let front = try world.makeFront()
        world.wait(.seconds(60))
        try world.tick(.reap)
        #expect(try front.ask(.acknowledge("order-000001")) == .ok)
        #expect(try front.ask(.fail("order-000001")) == .error("ERR Job not found order-000001"))
        #expect(try world.members(of: .retries) == ["order-000001"])
        #expect(world.manager.counters == JobCounters(processed: 1, failures: 1))
    }

    @Test("W18: a push that comes again, through any front and any leader, makes one job")
    func repeatedPush() throws {
        let world = try ManagerWorld()
        let first = try world.makeFront(1)
        let second = try world.makeFront(2)
        #expect(try first.ask(.push("order-000001")) == .ok)
        #expect(try second.ask(.push("order-000001")) == .ok)
        try world.failOver()
        try second.attach(isNew: false)
        #expect(try second.ask(.push("order-000001")) == .ok)
        #expect(try world.queued() == ["order-000001"])
    }

    @Test("W28: a fetch asks for the queues that it names and for no others")
    func fetchAsksForItsQueues() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.fetch("alpha", "", "no name", "beta", "alpha"))
        #expect(Set(world.manager.queues.keys.map(\.text)) == ["alpha", "beta"])
    }

    @Test("W30: while many jobs are due, other ticks and commands are served between the slices")
    func tasksShareTheLeader() throws {
        let world = try SliceTests.worldWithScheduledJobs(2_600)
        let front = try world.makeFront()
        world.wait(.seconds(2))
        try world.take([.tick(.enqueueScheduled, number: 1)], from: SliceTests.peer)
        try world.slice()
        try world.take(
            [.tick(.reap, number: 2), .tick(.purge, number: 3), .tick(.reapWorkers, number: 4)],
            from: SliceTests.peer
        )
        for _ in 0..<4 {
            try world.slice()
            #expect(try front.ask(.push("order-000001")) == .ok)
        }
        #expect(world.messages.count == 3)
        #expect(try world.count(of: .scheduled) > 0)
    }

    @Test("W31: PUSHB and everything else in a turn is written as one unit")
    func oneTransactionForATurn() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let before = try world.state.position.sequence
        let jobs = (0..<1_000).map { payload(QueueMirrorTests.name($0)) }
        try front.send(InformationTests.bulk(jobs), .fetch("default"), .acknowledge(QueueMirrorTests.name(0)))
        #expect(try world.state.position.sequence == before + 1)
        #expect(world.data.jobIDs.count == 999)
    }

    @Test("W32: fetches that wait cost the store nothing")
    func waitingCostsNothing() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let before = try world.state.position.sequence
        try front.send(front.number((0..<3_000).map { _ in .fetch("default", "other") }))
        world.wait(.milliseconds(1_900))
        try world.take([], from: front.peer)
        #expect(front.late.count == 3_000)
        #expect(try world.state.position.sequence == before)
    }

    @Test("W33: a mutation that does not get through its jobs in one turn goes on in the next")
    func longMutations() throws {
        let world = try SliceTests.worldWithScheduledJobs(2_000)
        let front = try world.makeFront()
        let names = (0..<2_000).map { QueueMirrorTests.name($0) }
        #expect(try front.wait(for: .mutate("kill", "scheduled", jobIDs: names)) == .ok)
        #expect(try world.count(of: .dead) == 2_000)
    }

    @Test("W34: one purge deletes all of the dead whose time is over")
    func purgeIsComplete() throws {
        let world = try SliceTests.worldWithScheduledJobs(1_100)
        let front = try world.makeFront()
        _ = try front.wait(for: .mutate("kill", "scheduled"))
        world.wait(.seconds(180 * 86_400))
        #expect(try world.tick(.purge) == 1_100)
        #expect(world.data.jobIDs.isEmpty)
    }
}
