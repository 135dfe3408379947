import ClusterLink
import JobCore
import JobStorage
import Testing

@testable import Manager

@Suite("A jid of a dead job")
struct DeadJobTests {
    @Test("can be pushed again: the new job takes the dead one's place")
    func replaced() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        #expect(try front.ask(.push("order-000001", #""retry":-1"#)) == .ok)
        _ = try front.ask(.fetch("default"))
        #expect(try front.ask(.fail("order-000001")) == .ok)
        #expect(try world.members(of: .dead) == ["order-000001"])

        #expect(try front.ask(.push("order-000001")) == .ok)
        #expect(try world.members(of: .dead).isEmpty)
        #expect(try world.queued() == ["order-000001"])
        #expect(world.manager.setCounts[.dead] == 0)
    }

    @Test("can be pushed again in the very turn in which the job is buried", arguments: [1, 2])
    func replacedAtOnce(pushes: Int) throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.push("order-000001", #""retry":-1"#), .fetch("default"))
        let commands = [LinkCommand.Body.fail("order-000001")] + Array(repeating: .push("order-000001"), count: pushes)
        let replies = try front.send(front.number(commands))
        #expect(replies.allSatisfy { $0 == .ok })
        #expect(try world.members(of: .dead).isEmpty)
        #expect(world.manager.setCounts[.dead] == 0)
        #expect(try world.queued() == ["order-000001"])
        #expect(try front.ask(.fetch("default")).jobID == "order-000001")
    }

    @Test("is alive again in the turn in which the job is brought back from the dead")
    func broughtBack() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.push("order-000001", #""retry":-1"#), .fetch("default"))
        try front.send(.fail("order-000001"))
        try world.turn { manager in
            let record = try manager.store.records(of: [JobID("order-000001")])[0]
            manager.requeue(JobID("order-000001"), record, from: .dead, because: .ordered)
            try manager.push(makeJob("order-000001"))
        }
        #expect(try world.queued() == ["order-000001"])
        #expect(world.manager.setCounts[.dead] == 0)
    }

    @Test("can be pushed again in the turn in which a job is killed that was to be tried again")
    func killed() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.push("order-000001"), .fetch("default"))
        try front.send(.fail("order-000001"))
        try world.turn { manager in
            manager.kill(JobID("order-000001"), from: .retries)
            try manager.push(makeJob("order-000001"))
        }
        #expect(try world.queued() == ["order-000001"])
        #expect(world.manager.setCounts[.dead] == 0 && world.manager.setCounts[.retries] == 0)
    }
}
