import ClusterLink
import JobCore
import JobStorage
import Testing

@testable import Manager

@Suite("Bounds")
struct BoundTests {
    @Test("a queue takes as many jobs as the settings say, and refuses the next until there is room")
    func fullQueue() throws {
        let world = try ManagerWorld(settings: ManagerSettings(maximumQueueLength: 2))
        let front = try world.makeFront()
        #expect(try front.send(.push("order-000001"), .push("order-000002")) == [.ok, .ok])
        let refusal = LinkReply.error("ERR queue default is full: it may hold 2 jobs")
        #expect(try front.ask(.push("order-000003")) == refusal)
        #expect(try front.ask(.push("order-000002")) == .ok)
        #expect(try front.ask(.push("order-000003", queue: "other")) == .ok)
        let bulk = try front.ask(InformationTests.bulk([payload("order-000004")]))
        #expect(bulk.text == #"{"order-000004":"queue default is full: it may hold 2 jobs"}"#)
        try front.send(.fetch("default"))
        #expect(try front.ask(.push("order-000004")) == .ok)
        try world.failOver()
        try front.attach(isNew: false)
        #expect(try front.ask(.push("order-000005")) == refusal)
    }

    @Test("retries and jobs whose time has come enter a full queue: they were taken before")
    func fullQueueTakesItsOwn() throws {
        let world = try ManagerWorld(settings: ManagerSettings(maximumQueueLength: 1))
        let front = try world.makeFront()
        let at = (ManagerWorld.start + .seconds(10)).rfc3339
        try front.send(.push("order-000001", #""at":"\#(at)""#), .push("order-000002"), .fetch("default"))
        try front.send(.fail("order-000002"), .push("order-000003"))
        world.wait(.seconds(60))
        #expect(try world.tick(.enqueueScheduled) == 1)
        #expect(try world.tick(.retry) == 1)
        #expect(try world.queued() == ["order-000003", "order-000001", "order-000002"])
    }

    @Test(
        "a store that is full refuses pushes, and takes everything else",
        arguments: [(63_999, true), (64_000, false), (64_001, false)]
    )
    func fullStore(byteCount: UInt64, takes: Bool) throws {
        let world = try ManagerWorld(settings: ManagerSettings(maximumStoreBytes: 64_000))
        let front = try world.makeFront()
        try front.send(.push("order-000001"), .fetch("default"))
        world.manager.storeByteCount = byteCount
        let reply = try front.ask(.push("order-000002"))
        #expect(reply == (takes ? .ok : .error("ERR the store is full: it may hold 64000 bytes")))
        #expect(try front.ask(.fail("order-000001")) == .ok)
        try world.tick(.reapWorkers)
        #expect(world.manager.storeByteCount == 0)
    }

    @Test("how full the store is, is looked at by the first push and whenever a 64th of the bound was let in")
    func fullStoreIsNoticed() throws {
        let size = UInt64(payload("order-000001").count)
        let world = try ManagerWorld(settings: ManagerSettings(maximumStoreBytes: size * 2 * 64))
        let front = try world.makeFront()
        world.store.byteCount = size * 2 * 64
        let refusal = LinkReply.error("ERR the store is full: it may hold \(size * 2 * 64) bytes")
        #expect(try front.ask(.push("order-000001")) == refusal)
        world.store.byteCount = 0
        try world.tick(.reapWorkers)
        world.store.byteCount = size * 2 * 64
        #expect(
            try front.send(.push("order-000001"), .push("order-000002"), .push("order-000003")) == [.ok, .ok, refusal]
        )
    }

    @Test("what is remembered of taken back jobs is forgotten at its bound, and no job is lost by it")
    func returnedJobs() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.push("order-000001"), .fetch("default"))
        for number in 0..<ReturnedJob.bound {
            let origin = StoredReservation.Origin(queue: .default, token: 0)
            let stored = StoredReservation(
                worker: "",
                reservedAt: ManagerWorld.start,
                expiresAt: ManagerWorld.start,
                lane: nil,
                offer: 0,
                request: 0,
                origin: origin
            )
            let jobID = JobID(QueueMirrorTests.name(number))
            let reservation = Reservation(unread: jobID, stored, endsAt: Uptime(nanoseconds: 0))
            world.manager.returned[reservation.jobID] = ReturnedJob(ending: reservation, from: origin)
        }
        try front.detach()
        #expect(world.manager.returned.keys.map(\.text) == ["order-000001"])
        #expect(try world.queued() == ["order-000001"])
    }

    @Test("answered and withdrawn fetches leave no trace, however many there were")
    func fetchesLeaveNoTrace() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        for _ in 0..<50 {
            let commands = front.number((0..<20).map { _ in .fetch("default", "other", wait: 1_900) })
            try front.send(commands)
            try front.send(commands.prefix(10).map { LinkCommand(request: $0.request, .withdraw) })
            world.wait(.milliseconds(1_900))
            try world.take([], from: front.peer)
        }
        #expect(world.manager.nextDeadline == nil)
        #expect(world.manager.queues.isEmpty)
        #expect(world.manager.sessions[front.session]?.lanes[0]?.waiting.isEmpty == true)
        #expect(world.manager.sessions[front.session]?.lanes[0]?.unsettled.isEmpty == true)
    }
}
