import ClusterLink
import JobCore
import JobStorage
import Testing

@testable import Manager

@Suite("Lanes: each batch is applied once")
struct LaneTests {
    @Test("a batch that comes again gets the same replies and changes nothing")
    func repeatedBatch() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.push("order-000001"), .push("order-000002"))
        let first = try front.send(.fetch("default"), .acknowledge("order-000001"), .fetch("default"))
        #expect(first.map(\.jobID) == ["order-000001", nil, "order-000002"])
        #expect(try front.resendLast() == first)
        #expect(world.manager.workingCount() == 1)
        #expect(try world.state.counters.processed == 1)
    }

    @Test("a batch older than the last one is not answered and changes nothing")
    func staleBatch() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.push("order-000001"))
        let old = try #require(front.lastMessage)
        try front.send(.push("order-000002"))
        #expect(try front.resend(old).isEmpty)
        #expect(try world.queued() == ["order-000001", "order-000002"])
    }

    @Test("lanes of one session count their batches apart")
    func lanesAreApart() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        #expect(try front.ask(.push("order-000001"), lane: 0) == .ok)
        #expect(try front.ask(.push("order-000002"), lane: 1) == .ok)
        #expect(try world.queued().count == 2)
    }

    @Test("after a fail-over a batch that was applied gets its replies from the record, the jobs among them")
    func recordedReplies() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let replies = try front.send(
            .push("order-000001"),
            .fetch("default"),
            .push("short"),
            .acknowledge("order-000009")
        )
        try world.failOver()
        #expect(try front.resendLast().isEmpty)
        #expect(front.others.last == .attachFirst(front.session))
        try front.attach(isNew: false)
        #expect(front.others.last == .attached(front.session, epoch: world.manager.epoch))
        #expect(try front.resendLast() == replies)
        #expect(try front.resendLast() == replies)
        #expect(world.data.jobIDs.count == 1)
    }

    @Test("after a fail-over a batch that was not applied is applied")
    func lostBatch() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        _ = front.makeBatch(front.number([.push("order-000001")]))
        try world.failOver()
        try front.attach(isNew: false)
        #expect(try front.resendLast() == [.ok])
        #expect(try world.queued() == ["order-000001"])
    }

    @Test("a job that is done by the time its batch comes again is not told of again")
    func recordOfADoneJob() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let other = try world.makeFront(2)
        #expect(try front.send(.push("order-000001"), .fetch("default")).last?.jobID == "order-000001")
        #expect(try other.ask(.acknowledge("order-000001")) == .ok)
        try world.failOver()
        try front.attach(isNew: false)
        #expect(try front.resendLast() == [.ok, .null])
    }

    @Test("a FETCH that waited with the leader before waits with the next one when its batch comes again")
    func parkedInRecord() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        #expect(try front.send(.push("order-000001", queue: "other"), .fetch("default")) == [.ok, .parked])
        let request = front.lastRequest
        try world.failOver()
        try front.attach(isNew: false)
        #expect(try front.resendLast() == [.ok, .parked])
        try front.send(.push("order-000002"))
        #expect(front.late[request]?.jobID == "order-000002")
    }

    @Test("a FETCH that was withdrawn in the batch that it came in does not begin to wait with the next leader")
    func withdrawnInRecord() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let fetch = front.number([.fetch("default")])[0]
        let withdrawal = LinkCommand(request: fetch.request, .withdraw)
        let push = front.number([.push("order-000001", queue: "other")])[0]
        #expect(try front.send([fetch, push, withdrawal]) == [.parked, .ok, .nothing])
        try world.failOver()
        try front.attach(isNew: false)
        #expect(try front.resendLast() == [.parked, .ok, .nothing])
        try world.makeFront(2).send(.push("order-000002"))
        #expect(front.late.isEmpty)
        #expect(try world.queued() == ["order-000002"])
    }

    @Test("a job that was taken back in the batch that it came in is not told of by the next leader")
    func takenBackInRecord() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let commands = front.number([.push("order-000001"), .fetch("default")])
        let withdrawal = LinkCommand(request: commands[1].request, .withdraw)
        #expect(try front.send(commands + [withdrawal]).map(\.jobID) == [nil, "order-000001", nil])
        try world.failOver()
        try front.attach(isNew: false)
        #expect(try front.resendLast() == [.ok, .null, .nothing])
        #expect(try world.queued() == ["order-000001"])
    }

    @Test("a FETCH that was given a job while its batch was lost gets that job when the batch comes again")
    func offeredBehindTheRecord() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let other = try world.makeFront(2)
        world.delivers = { _ in false }
        try front.send(.push("order-000001", queue: "other"), .fetch("default"))
        let request = front.lastRequest
        try other.send(.push("order-000002"))
        world.delivers = { _ in true }
        try world.failOver()
        try front.attach(isNew: false)
        #expect(try front.resendLast() == [.ok, .parked])
        #expect(front.late[request]?.jobID == "order-000002")
        #expect(world.manager.workingCount() == 1)
    }

    @Test(
        "a command whose answer comes late is carried out when its batch comes again after a fail-over",
        arguments: [LinkCommand.Body.latency(queues: ["default"]), .info, .mutate("clear", "dead"), .flush]
    )
    func deferredInRecord(body: LinkCommand.Body) throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        world.delivers = { _ in false }
        try front.send(.push("order-000001"), body)
        let request = front.lastRequest
        world.delivers = { _ in true }
        try world.failOver()
        try front.attach(isNew: false)
        #expect(try front.resendLast() == [.ok, .deferred])
        try world.finish()
        #expect(front.late[request] != nil)
    }

    @Test("a FETCH that is asked for again gets the job that it was given, though it is the lane's last command")
    func resubmittedLastFetch() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let other = try world.makeFront(2)
        #expect(try front.ask(.fetch("default")) == .parked)
        let request = front.lastRequest
        world.delivers = { _ in false }
        try other.send(.push("order-000001"), .push("order-000002"))
        world.delivers = { _ in true }
        let again = try front.send([LinkCommand(request: request, .fetch("default", wait: 0))])
        #expect(again.map(\.jobID) == ["order-000001"])
        #expect(world.manager.workingCount() == 1)
    }

    @Test("a FETCH that is announced again to a new leader gets the job that the leader before gave it")
    func resubmittedToNewLeader() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        #expect(try front.ask(.fetch("default")) == .parked)
        let request = front.lastRequest
        world.delivers = { _ in false }
        try world.makeFront(2).send(.push("order-000001"))
        world.delivers = { _ in true }
        try world.makeFront(3).send(.push("order-000002"))
        try world.failOver()
        try front.attach(isNew: false)
        let again = try front.send([LinkCommand(request: request, .fetch("default"))])
        #expect(again.map(\.jobID) == ["order-000001"])
    }

    @Test("a FETCH that waits and comes again waits once, until its new deadline")
    func waitingFetchComesAgain() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        #expect(try front.ask(.fetch("default", wait: 1_000)) == .parked)
        let request = front.lastRequest
        world.wait(.milliseconds(900))
        let again = LinkCommand(request: request, .fetch("default", wait: 1_000))
        #expect(try front.send([again]) == [.parked])
        world.wait(.milliseconds(500))
        try world.take([], from: front.peer)
        #expect(front.late[request] == nil)
        world.wait(.milliseconds(500))
        try world.take([], from: front.peer)
        #expect(front.late[request] == .null)
        try front.send(.push("order-000001"))
        #expect(try world.queued() == ["order-000001"])
        #expect(front.lateCounts[request] == 1)
    }

    @Test("a lane that nobody knows must attach first, and nothing is done")
    func unknownSession() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront(attaches: false)
        #expect(try front.send(.push("order-000001")).isEmpty)
        #expect(front.others == [.attachFirst(front.session)])
        #expect(world.data.jobIDs.isEmpty)
    }

    @Test("numbers at the ends of their range break nothing")
    func hostileNumbers() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        front.settled = .max
        let last = CommandBatch(
            lane: LaneKey(session: front.session, lane: UInt16(SessionBound.laneCount - 1)),
            number: SessionBound.batchLead,
            settled: .max,
            commands: [
                LinkCommand(request: .max, .push("order-000001")),
                LinkCommand(request: .max, .fetch("default", wait: .max)),
                LinkCommand(request: .max, .fetch("default", wait: .max)),
                LinkCommand(request: .max, .withdraw),
                LinkCommand(request: 0, .fetch("default", wait: 0)),
            ]
        )
        try front.resend(.batch(last))
        try front.beat(FrontStatistics(connectionCount: .max, commandCount: .max, residentKilobytes: .max))
        let other = try world.makeFront(2)
        try other.beat(FrontStatistics(connectionCount: .max, commandCount: .max, residentKilobytes: .max))
        #expect(try front.wait(for: .info).text?.contains("\"connections\":") == true)
        #expect(world.data.jobIDs.map(\.text) == ["order-000001"])
    }
}
