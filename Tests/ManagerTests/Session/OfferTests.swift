import ClusterLink
import JobCore
import JobStorage
import Testing

@testable import Manager

@Suite("Offers: jobs on their way to a client")
struct OfferTests {
    @Test("a FETCH that is withdrawn before there was a job leaves the next job to others")
    func withdrawnBeforeTheOffer() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        #expect(try front.ask(.fetch("default")) == .parked)
        let request = front.lastRequest
        #expect(try front.send([LinkCommand(request: request, .withdraw)]) == [.nothing])
        try front.send(.push("order-000001"))
        #expect(front.late[request] == nil)
        #expect(try world.queued() == ["order-000001"])
        #expect(world.manager.workingCount() == 0)
    }

    @Test("a job whose FETCH is withdrawn goes back to the head of its queue, and no try is counted")
    func withdrawnBehindTheOffer() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.push("order-000001"), .push("order-000002"), .push("order-000003"))
        let reply = try front.ask(.fetch("default"))
        #expect(reply.jobID == "order-000001")
        try front.send([LinkCommand(request: front.lastRequest, .withdraw)])
        #expect(try world.queued() == ["order-000001", "order-000002", "order-000003"])
        #expect(try world.state.counters == world.manager.counters)
        #expect(world.manager.counters.processed == 0)
        #expect(try world.stored("order-000001")?.failure == nil)
    }

    @Test("a job that is given back goes to a FETCH that waits, at once")
    func givenBackToAWaiter() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.push("order-000001"), .fetch("default"))
        let first = front.lastRequest
        #expect(try front.ask(.fetch("default")) == .parked)
        let second = front.lastRequest
        try front.send([LinkCommand(request: first, .withdraw)])
        #expect(front.late[second]?.jobID == "order-000001")
    }

    @Test(
        "a job that was written behind one that was not stays with its worker when the session ends",
        arguments: [false, true]
    )
    func writtenBehindAnother(failsOver: Bool) throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        for number in 1...4 { try front.send(.push("order-00000\(number)")) }
        for _ in 1...4 { try front.send(.fetch("default")) }
        front.deliveries = CommandBatch.Deliveries(arrived: 0, written: [2, 4, 9])
        try front.send()
        if failsOver {
            try world.failOver()
            try front.attach(isNew: false)
        }
        #expect(world.manager.workingCount() == 4)
        try front.detach()
        #expect(try world.queued() == ["order-000001", "order-000003"])
        #expect(world.manager.workingCount() == 2)
    }

    @Test("a leader that takes a session up gives no number that the store may have lost")
    func numbersAreNotGivenAgain() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        for number in 1...5 { try front.send(.push("order-00000\(number)")) }
        #expect(try front.ask(.fetch("default")).offer == 1)
        try world.failOver()
        try front.attach(isNew: false)
        let after = 1 + Lane.passedOverCount
        #expect(try front.wait(for: .fetch("default")).offer == after + 1)
        // Attached once more, it has not lost anything.
        try front.attach(isNew: false)
        #expect(try front.wait(for: .fetch("default")).offer == after + 2)
        let other = try front.send(front.number([.fetch("default")]), lane: 1)
        #expect(other.last?.offer == Lane.passedOverCount + 1)
    }

    @Test("jobs that are given back keep their order")
    func orderOfGivingBack() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        for number in 1...5 { try front.send(.push("order-00000\(number)")) }
        for _ in 1...3 { try front.send(.fetch("default")) }
        try front.detach()
        #expect(try world.queued() == (1...5).map { "order-00000\($0)" })
    }

    @Test("a settled job stays with its worker when the front's session ends; one that is on its way goes back")
    func sessionEnds() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.push("order-000001"), .push("order-000002"))
        let first = try front.ask(.fetch("default"))
        front.settled = try #require(first.offer)
        try front.send(.fetch("default"))
        #expect(world.manager.workingCount() == 2)
        try front.detach()
        #expect(world.manager.workingCount() == 1)
        #expect(try world.queued() == ["order-000002"])
        #expect(try world.state.sessions.isEmpty)
        #expect(try world.state.lanes.isEmpty)
    }

    @Test("the news of a settled job is stored, though nothing else happens in its batch")
    func settlingIsStored() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let reply = try front.send(.push("order-000001"), .fetch("default")).last
        front.settled = try #require(reply?.offer)
        try front.send([])
        try world.failOver()
        try front.attach(isNew: false)
        try front.detach()
        #expect(world.manager.workingCount() == 1)
    }

    @Test("a session that is silent for its time ends, not a moment before, and is told when it speaks again")
    func silentSession() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.push("order-000001"), .fetch("default"))
        world.wait(.seconds(60))
        try world.tick(.reapWorkers)
        #expect(world.manager.workingCount() == 1)
        world.wait(.nanoseconds(1))
        try world.tick(.reapWorkers)
        #expect(try world.queued() == ["order-000001"])
        front.forgetOthers()
        try front.beat()
        try front.attach(isNew: false)
        #expect(front.others == [.attachFirst(front.session), .expired(front.session)])
    }

    @Test("a front that comes anew under its name supersedes what it was before")
    func superseded() throws {
        let world = try ManagerWorld()
        let old = try world.makeFront(1, name: "front-a")
        let bystander = try world.makeFront(2, name: "")
        try old.send(.push("order-000001"), .fetch("default"))
        try bystander.send(.push("order-000002"), .fetch("default"))
        _ = try world.makeFront(3, name: "front-a")
        _ = try world.makeFront(4, name: "")
        #expect(try world.queued() == ["order-000001"])
        #expect(try world.state.sessions.values.sorted() == ["", "", "front-a"])
        try old.attach(isNew: false)
        #expect(old.others.last == .expired(old.session))
    }

    @Test("the fetches that waited through a front that was superseded get nothing any more")
    func supersededWhileWaiting() throws {
        let world = try ManagerWorld()
        let bystander = try world.makeFront(1)
        try bystander.send(.fetch("alpha", "default"))
        try bystander.send([LinkCommand(request: 1, .withdraw)])
        let old = try world.makeFront(2, name: "front-a")
        try old.send(.fetch("alpha", "default"))
        let new = try world.makeFront(3, name: "front-a")
        try new.send(.push("order-000001"))
        #expect(world.manager.workingCount() == 0)
        #expect(try world.queued() == ["order-000001"])
    }

    @Test(
        "a worker whose job went back with its front is believed when it reports through another, to another leader too",
        arguments: [false, true]
    )
    func reportBehindAReturn(failsOver: Bool) throws {
        let world = try ManagerWorld()
        let front = try world.makeFront(1)
        let other = try world.makeFront(2)
        for number in 1...4 { try front.send(.push("order-00000\(number)", #""retry":3"#)) }
        for _ in 1...3 { try front.send(.fetch("default")) }
        try front.detach()
        #expect(try world.state.returned.count == 3)
        if failsOver {
            try world.failOver()
            try other.attach(isNew: false)
        }
        #expect(try other.ask(.acknowledge("order-000002")) == .ok)
        #expect(try other.ask(.fail("order-000003")) == .ok)
        #expect(try world.queued() == ["order-000001", "order-000004"])
        #expect(try world.members(of: .retries) == ["order-000003"])
        #expect(world.manager.counters.processed == 2)
        #expect(world.manager.counters.failures == 1)
        let jobs = try (1...2).map { _ in try other.wait(for: .fetch("default")).jobID }
        #expect(jobs == ["order-000001", "order-000004"])
        #expect(try other.ask(.fetch("default")) == .parked)
        #expect(try world.state.returned.isEmpty)
        #expect(world.manager.returned.isEmpty)
    }

    @Test("what an earlier leader noted of a job that was taken back does not end another job of its jid")
    func returnOfAnother() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.push("order-000001"))
        let stored = StoredReservation(
            worker: "",
            reservedAt: ManagerWorld.start,
            expiresAt: ManagerWorld.start,
            lane: nil,
            offer: 0,
            request: 0,
            origin: StoredReservation.Origin(queue: .default, token: 77)
        )
        try world.turn { manager in
            manager.returned[JobID("order-000001")] = ReturnedJob(restoring: stored)
            manager.acknowledge(JobID("order-000001"))
        }
        #expect(try world.queued() == ["order-000001"])
        #expect(world.manager.counters.processed == 0)
    }

    @Test("an offer that was withdrawn is not held against a job that another front has under the same number")
    func sameNumberOnAnotherLane() throws {
        let world = try ManagerWorld()
        let first = try world.makeFront(1)
        let second = try world.makeFront(2)
        try first.send(.push("order-000001"), .fetch("default"))
        try first.send([LinkCommand(request: first.lastRequest, .withdraw)])
        let reply = try second.ask(.fetch("default"))
        #expect(reply.jobID == "order-000001")
        try first.detach()
        #expect(world.manager.workingCount() == 1)
        #expect(world.manager.returned.isEmpty)
        #expect(try second.ask(.acknowledge("order-000001")) == .ok)
        #expect(world.data.jobIDs.isEmpty)
    }

    @Test("jobs taken back from all lanes of a session go to no lane of that session")
    func sessionEndsWithWaitersOfItsOwn() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        for lane in UInt16(0)..<4 { try front.send(.push("order-00000\(lane)"), .fetch("default"), lane: lane) }
        for lane in UInt16(0)..<4 { try front.send(.fetch("default"), lane: lane) }
        try front.detach()
        #expect(world.manager.workingCount() == 0)
        #expect(try world.queued().sorted() == (0..<4).map { "order-00000\($0)" })
        #expect(try world.state.lanes.isEmpty)
    }

    @Test("a job is never offered under a number that the front has settled, though the store has forgotten it")
    func forgottenNumbers() throws {
        let job = try Job(parsing: Array(#"{"jid":"order-000001","jobtype":"Order","args":[]}"#.utf8))
        let key = LaneKey(session: SessionID(high: 1, low: 2), lane: 0)
        let record = LaneRecord(batch: 7, offered: 3, settled: 2, replies: [])
        for (settled, next) in [(3, 4), (90, 91), (.max, 1 << 62 + 1)] as [(UInt64, UInt64)] {
            let lane = Lane(key: key, record: record)
            #expect(lane.settle(through: settled))
            #expect(lane.offer(job, for: 9) == next)
        }
    }
}
