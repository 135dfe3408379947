import ClusterLink
import JobCore
import JobStorage
import Testing

@testable import Manager

@Suite("Workers")
struct WorkerTests {
    static let worker = WorkerID("worker-1")

    /// A world with a worker that has one job, and a job in the queue.
    static func worldAtWork() throws -> (ManagerWorld, TestFront) {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.joined("worker-1"), .beat("worker-1"), .push("order-000001"), .push("order-000002"))
        let reply = try front.ask(.fetch("default"))
        front.settled = try #require(reply.offer)
        try front.send([])
        return (world, front)
    }

    // MARK: Connections

    @Test("a worker's record lives from its first connection to its last, over all fronts")
    func joinAndLeave() throws {
        let world = try ManagerWorld()
        let fronts = try (1...3).map { try world.makeFront(UInt64($0)) }
        for front in fronts { try front.send(.joined("worker-1"), .joined("worker-1")) }
        #expect(world.manager.workers.records[Self.worker]?.connectionCount == 6)
        for front in fronts.dropLast() {
            try front.send(.workerLeft(worker: "worker-1"), .workerLeft(worker: "worker-1"))
        }
        #expect(world.manager.workers.records[Self.worker]?.connectionCount == 2)
        try fronts[2].send(.workerLeft(worker: "worker-1"))
        #expect(try fronts[0].ask(.beat("worker-1")) == .ok)
        try fronts[2].send(.workerLeft(worker: "worker-1"))
        #expect(world.manager.workers.records.isEmpty)
        #expect(try fronts[0].ask(.beat("worker-1")) == .error("ERR unknown worker worker-1"))
    }

    @Test("a front that tells of more leavings than joinings takes nothing from other fronts")
    func tooManyLeavings() throws {
        let world = try ManagerWorld()
        let first = try world.makeFront(1)
        let second = try world.makeFront(2)
        try first.send(.joined("worker-1"))
        try second.send(.workerLeft(worker: "worker-1"), .workerLeft(worker: "nobody"))
        #expect(try first.ask(.beat("worker-1")) == .ok)
    }

    @Test("a front that attaches again and announces its workers anew does not count them twice")
    func announcedAnew() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let join = front.number([.joined("worker-1")])
        try front.send(join)
        try front.attach(isNew: false)
        try front.send(join)
        try front.send(join)
        #expect(world.manager.workers.records[Self.worker]?.connectionCount == 1)
        try front.send(.workerLeft(worker: "worker-1"))
        #expect(world.manager.workers.records.isEmpty)
    }

    @Test("the end of a connection takes no other one with it, though a new leader heard of no connection before")
    func lateLeaving() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let living = front.number([.joined("worker-1")])
        let closed = front.number([.joined("worker-1")])
        try front.send(living, lane: 0)
        try front.send(closed, lane: 1)
        try world.failOver()
        try front.attach(isNew: false)
        try front.send(living, lane: 0)
        try front.send([LinkCommand(request: closed[0].request, .workerLeft(worker: "worker-1"))], lane: 1)
        #expect(world.manager.workers.records[Self.worker]?.connectionCount == 1)
        #expect(try front.ask(.beat("worker-1")) == .ok)
    }

    @Test("a front of an earlier release, whose leavings name no connection, ends one of the same lane")
    func leavingWithoutName() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.joined("worker-1"), .joined("worker-1"), lane: 0)
        try front.send(.joined("worker-1"), lane: 1)
        try front.send(.workerLeft(worker: "worker-1"), lane: 1)
        let connections = try #require(world.manager.workers.records[Self.worker]?.connections[front.session])
        #expect(connections.keys.map(\.lane) == [0, 0])
        // One more than there were is about none of another lane.
        try front.send(.workerLeft(worker: "worker-1"), lane: 1)
        #expect(world.manager.workers.records[Self.worker]?.connectionCount == 2)
    }

    @Test("a leaving that names a connection ends that one, once")
    func leavingWithName() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let joins = front.number([.joined("worker-1"), .joined("worker-1")])
        try front.send(joins)
        let leave = LinkCommand(request: joins[0].request, .workerLeft(worker: "worker-1"))
        try front.send([leave, leave])
        let connections = try #require(world.manager.workers.records[Self.worker]?.connections[front.session])
        #expect(connections.keys.map(\.request) == [joins[1].request])
    }

    // MARK: States

    /// The states that beats lead to.
    static let beats: [(signals: [String], state: WorkerState)] = [
        ([""], .running), (["running"], .running), (["anything"], .running),
        (["quiet"], .quiet), (["quiet", ""], .quiet), (["quiet", "running"], .quiet),
        (["terminate"], .terminate), (["quiet", "terminate"], .terminate), (["terminate", "quiet"], .terminate),
        (["QUIET"], .running),
    ]

    @Test("a beat moves a worker forward and never back, and each later beat is told the state", arguments: beats)
    func beat(signals: [String], state: WorkerState) throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.joined("worker-1"))
        for signal in signals { try front.send(.beat("worker-1", signal)) }
        let text = "{\"state\":\"\(state.text)\"}"
        let reply: LinkReply = state == .running ? .ok : .bulk(Array(text.utf8))
        #expect(try front.ask(.beat("worker-1")) == reply)
        #expect(try world.state.workerStates[Self.worker] == (state == .running ? nil : state))
    }

    @Test(
        "a worker that is quiet or to terminate gets no job, through whichever connection",
        arguments: ["quiet", "terminate"]
    )
    func quietOnEveryConnection(signal: String) throws {
        let world = try ManagerWorld()
        let first = try world.makeFront(1)
        let second = try world.makeFront(2)
        try first.send(.joined("worker-1"), .joined("worker-1"), .fetch("default"))
        try second.send(.joined("worker-1"), .fetch("default"))
        let waiting = second.lastRequest
        try first.send(.beat("worker-1", signal))
        try first.send(.push("order-000001"))
        #expect(try first.ask(.fetch("default")) == .parked)
        #expect(try second.ask(.fetch("default")) == .parked)
        #expect(try world.queued() == ["order-000001"])
        world.wait(.milliseconds(1_900))
        try world.take([], from: first.peer)
        #expect(second.late[waiting] == .null)
        #expect(first.late.values.allSatisfy { $0 == .null })
        #expect(world.manager.workingCount() == 0)
        #expect(try first.ask(.fetch("default", worker: "worker-2")).jobID == "order-000001")
    }

    @Test("a quiet worker that waits in front does not keep a job from those behind it")
    func quietInFront() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.joined("worker-1"), .fetch("default"), .fetch("default", worker: "worker-2"))
        let second = front.lastRequest
        try front.send(.beat("worker-1", "quiet"))
        try front.send(.push("order-000001"))
        #expect(front.late[second]?.jobID == "order-000001")
    }

    @Test("a quiet worker still reports what it has")
    func quietReports() throws {
        let (world, front) = try Self.worldAtWork()
        try front.send(.beat("worker-1", "quiet"))
        #expect(try front.ask(.acknowledge("order-000001")) == .ok)
        #expect(world.manager.counters.processed == 1)
    }

    @Test("a worker's state outlives the leader, and its front")
    func stateIsKept() throws {
        let (world, front) = try Self.worldAtWork()
        try front.send(.beat("worker-1", "quiet"))
        try world.failOver()
        try front.attach(isNew: false)
        try front.send(.joined("worker-1"))
        #expect(try front.ask(.beat("worker-1")).text == #"{"state":"quiet"}"#)
        let other = try world.makeFront(2, name: front.name)
        try other.send(.joined("worker-1"))
        #expect(try other.ask(.beat("worker-1")).text == #"{"state":"quiet"}"#)
        #expect(try other.ask(.fetch("default")) == .parked)
    }

    @Test("a worker that has left in good order begins anew when it comes back")
    func stateIsNotKept() throws {
        let (world, front) = try Self.worldAtWork()
        try front.send(.beat("worker-1", "terminate"), .workerLeft(worker: "worker-1"))
        #expect(try world.state.workerStates.isEmpty)
        try front.send(.joined("worker-1"))
        #expect(try front.ask(.beat("worker-1")) == .ok)
        #expect(try front.ask(.fetch("default")).jobID == "order-000002")
    }

    @Test(
        "the state of a worker without jobs that never comes back is forgotten, also after a fail-over",
        arguments: [true, false]
    )
    func statesAreForgotten(failsOver: Bool) throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.joined("worker-1"), .beat("worker-1", "quiet"))
        if failsOver { try world.failOver() } else { try front.detach() }
        let other = try world.makeFront(2)
        world.wait(.seconds(59))
        try other.beat()
        try world.tick(.reapWorkers)
        #expect(try world.state.workerStates.count == 1)
        world.wait(.seconds(1))
        try world.tick(.reapWorkers)
        #expect(try world.state.workerStates.isEmpty)
        #expect(world.manager.workers.states.isEmpty)
        #expect(world.manager.workers.missing.isEmpty)
        #expect(try world.state.beatingWorkers.isEmpty)
    }

    // MARK: Silence and loss

    @Test("a silent worker without jobs is dropped in time, on every front that has a connection of it")
    func silentWorker() throws {
        let world = try ManagerWorld()
        let first = try world.makeFront(1)
        let second = try world.makeFront(2)
        let third = try world.makeFront(3)
        try first.send(.joined("worker-1"))
        try second.send(.joined("worker-1"), .joined("worker-2"))
        world.wait(.seconds(30))
        for front in [first, second, third] { try front.beat() }
        try second.send(.beat("worker-2"))
        world.wait(.seconds(30))
        try world.tick(.reapWorkers)
        #expect(world.manager.workers.records.count == 2)
        for front in [first, second, third] { try front.beat() }
        world.wait(.nanoseconds(1))
        for front in [first, second, third] { front.forgetOthers() }
        try world.tick(.reapWorkers)
        #expect(first.others == [.dropWorkers(first.session, ["worker-1"])])
        #expect(second.others == [.dropWorkers(second.session, ["worker-1"])])
        #expect(third.others.isEmpty)
        #expect(Array(world.manager.workers.records.keys) == [WorkerID("worker-2")])
        #expect(try first.send(.workerLeft(worker: "worker-1")) == [.nothing])
    }

    @Test("HELLO counts as a beat, and a beat does")
    func beatsKeepAlive() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.joined("worker-1"))
        for _ in 0..<3 {
            world.wait(.seconds(60))
            try front.send(.beat("worker-1"))
            try world.tick(.reapWorkers)
        }
        world.wait(.seconds(60))
        try front.send(.joined("worker-1"))
        world.wait(.seconds(1))
        try front.beat()
        try world.tick(.reapWorkers)
        #expect(try front.ask(.beat("worker-1")) == .ok)
    }

    @Test("a worker that comes back in time keeps its jobs")
    func returningWorker() throws {
        let (world, front) = try Self.worldAtWork()
        try front.send(.workerLeft(worker: "worker-1"))
        world.wait(.seconds(59))
        try front.send(.joined("worker-1"))
        world.wait(.seconds(59))
        try front.send(.beat("worker-1"))
        try world.tick(.reapWorkers)
        #expect(world.manager.workingCount() == 1)
        #expect(world.manager.workers.missing.isEmpty)
    }

    @Test("the jobs of connections without a worker's name wait for the end of their reservations")
    func namelessWorker() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let reply = try front.send(.push("order-000001"), .fetch("default", worker: "")).last
        front.settled = try #require(reply?.offer)
        try front.send([])
        try front.detach()
        world.wait(.seconds(1_799))
        try world.tick(.reapWorkers)
        try world.tick(.reap)
        #expect(world.manager.workingCount() == 1)
        world.wait(.seconds(1))
        try world.tick(.reap)
        #expect(world.manager.workingCount() == 0)
    }
}
