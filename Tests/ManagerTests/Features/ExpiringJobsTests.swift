import ClusterLink
import JobCore
import JobStorage
import Testing

@testable import Manager

@Suite("A job that expires")
struct ExpiringJobsTests {
    @Test("is dropped by the FETCH that finds it too late, which goes on with the next one")
    func dropped() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let end = (world.now.wall + .seconds(60)).rfc3339
        #expect(try front.ask(.push("order-000001", #""custom":{"expires_at":"\#(end)"}"#)) == .ok)
        #expect(try front.ask(.push("order-000002", #""custom":{"expires_in":60.5}"#)) == .ok)
        #expect(try front.ask(.push("order-000003", #""custom":{"expires_in":61}"#)) == .ok)
        world.wait(.milliseconds(60_500))
        #expect(try world.queued().count == 3)
        #expect(try front.ask(.fetch("default")).jobID == "order-000003")
        #expect(try world.queued().isEmpty)
        #expect(try world.stored("order-000001") == nil)
        #expect(try world.stored("order-000002") == nil)
        // It was neither done nor has it failed, and a PUSH that comes again is an echo.
        #expect(world.manager.counters == JobCounters())
        #expect(try front.ask(.push("order-000001")) == .ok)
        #expect(try world.queued().isEmpty)
        world.wait(.seconds(3_600))
        #expect(try front.ask(.acknowledge("order-000003")) == .ok)
        #expect(world.manager.counters.processed == 1)
    }

    @Test("counts from its PUSH, also when it is scheduled, tried again or served by a later leader")
    func counted() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let due = (world.now.wall + .seconds(30)).rfc3339
        let members = #""at":"\#(due)","custom":{"expires_in":1000}"#
        #expect(try front.ask(.push("order-000001", members)) == .ok)
        world.wait(.seconds(30))
        try world.tick(.enqueueScheduled)
        #expect(try front.ask(.fetch("default")).jobID == "order-000001")
        #expect(try front.ask(.fail("order-000001")) == .ok)
        try world.failOver()
        try front.attach(isNew: false)
        world.wait(.seconds(970))
        try world.tick(.retry)
        #expect(try world.queued() == ["order-000001"])
        #expect(try front.ask(.fetch("default")) == .parked)
        try world.finish()
        #expect(try world.queued().isEmpty)
        #expect(try world.stored("order-000001") == nil)
    }

    @Test("of which a queue has thousands is dropped in turns that end, and the job behind them is served")
    func many() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        for start in stride(from: 0, to: 6_000, by: 500) {
            let bodies = (start..<start + 500).map { number in
                LinkCommand.Body.push("order-\(100_000 + number)", #""custom":{"expires_in":1}"#)
            }
            try front.send(front.number(bodies))
        }
        try front.send(.push("order-000001"))
        world.wait(.seconds(1))
        let turns = world.turnCount
        #expect(try front.ask(.fetch("default")) == .parked)
        let request = front.lastRequest
        while front.late[request] == nil, world.turnCount < turns + 20 { try world.work() }
        #expect(front.late[request]?.jobID == "order-000001")
        // No turn drops more than it may, nor reads more of the list than one read brings.
        #expect((4...14).contains(world.turnCount - turns))
    }

    @Test(
        "frees its lock when it is dropped, unless the lock is to outlive it",
        arguments: [("success", true), ("expiry", false)]
    )
    func lock(until: String, isFree: Bool) throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let unique = #""unique_for":6000,"unique_until":"\#(until)""#
        _ = try front.ask(.push("order-000001", #""custom":{\#(unique),"expires_in":1}"#))
        world.wait(.seconds(1))
        #expect(try front.ask(.fetch("default", wait: 0)).jobID == nil)
        let reply = try front.ask(.push("order-000002", #""custom":{\#(unique)}"#))
        #expect((reply == .ok) == isFree)
    }

    @Test("is given to a worker with what its client sent, and the end that the server worked out")
    func payloads() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        _ = try front.ask(.push("order-000001", #""custom":{"expires_in":60,"a":[1]}"#))
        let end = (world.now.wall + .seconds(60)).rfc3339
        let custom = try #require(try world.stored("order-000001")?.custom)
        #expect(String(decoding: custom, as: UTF8.self) == #"{"expires_in":60,"a":[1],"_expires_at":"\#(end)"}"#)
    }
}
