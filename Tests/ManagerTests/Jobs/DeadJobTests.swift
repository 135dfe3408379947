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
}
