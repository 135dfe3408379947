import ClusterLink
import JobCore
import JobStorage
import Testing

@testable import Manager

@Suite("The jobs of a worker that is gone")
struct VanishedWorkerTests {
    static let worker = WorkerID("worker-1")

    /// Time goes by, and the front lives.
    private static func wait(_ seconds: Int, _ world: ManagerWorld, _ fronts: TestFront...) throws {
        world.wait(.seconds(seconds))
        for front in fronts { try front.beat() }
        try world.tick(.reapWorkers)
    }

    /// A connection of its own for one command, as some clients have.
    private static func errand(_ body: LinkCommand.Body, through front: TestFront) throws -> LinkReply {
        let join = front.number([.joined("worker-1")])
        let command = front.number([body])
        let leave = [LinkCommand(request: join[0].request, .workerLeft(worker: "worker-1"))]
        let reply = try front.send(join + command + leave)[1]
        if let offer = reply.offer { front.settled = offer }
        return reply
    }

    // MARK: What is evidence

    @Test("go back to the head of the queue when its time to come back is over, not before, and no try is used up")
    func vanished() throws {
        let (world, front) = try WorkerTests.worldAtWork()
        try front.send(.workerLeft(worker: "worker-1"))
        try Self.wait(59, world, front)
        #expect(world.manager.workingCount() == 1)
        world.wait(.seconds(1))
        // Nothing but the time brings this about.
        try world.take([], from: front.peer)
        #expect(world.manager.workingCount() == 0)
        #expect(try world.queued() == ["order-000001", "order-000002"])
        #expect(try world.stored("order-000001")?.failure == nil)
        #expect(world.manager.counters == JobCounters())
        #expect(try front.ask(.fetch("default", worker: "worker-2")).jobID == "order-000001")
    }

    @Test("go back also if it had beaten under an earlier leader only, since its front says so again")
    func beatenBefore() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let join = front.number([.joined("worker-1")])
        try front.send(join + front.number([.beat("worker-1")]))
        try front.send(.push("order-000001"))
        try world.failOver()
        try front.attach(isNew: false)
        try front.send(join + front.number([.beat("worker-1")]))
        front.settled = try #require(try front.wait(for: .fetch("default")).offer)
        try front.send([LinkCommand(request: join[0].request, .workerLeft(worker: "worker-1"))])
        try Self.wait(60, world, front)
        #expect(try world.queued() == ["order-000001"])
    }

    @Test(
        "go back also if its FETCH came before its connection to a new leader, as the front tells by a second BEAT",
        arguments: [1, 2]
    )
    func fetchedBefore(beatCount: Int) throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let join = front.number([.joined("worker-1")])
        try front.send(join + front.number([.beat("worker-1")]))
        try front.send(.push("order-000001"))
        try world.failOver()
        try front.attach(isNew: false)
        front.settled = try #require(try front.wait(for: .fetch("default")).offer)
        try front.send(join + front.number(Array(repeating: .beat("worker-1"), count: beatCount)))
        try front.send([LinkCommand(request: join[0].request, .workerLeft(worker: "worker-1"))])
        try Self.wait(60, world, front)
        // With one BEAT it may be a client that connects anew for each command.
        #expect(try world.queued() == (beatCount == 2 ? ["order-000001"] : []))
    }

    @Test("go back also if it connected anew with a job in hand, has done that, and was given the next")
    func connectedWithAJob() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        for number in 1...2 { try front.send(.push("order-00000\(number)")) }
        let first = front.number([.joined("worker-1")])
        front.settled = try #require(try front.send(first + front.number([.fetch("default")]))[1].offer)
        try front.send([LinkCommand(request: first[0].request, .workerLeft(worker: "worker-1"))])
        let second = front.number([.joined("worker-1")])
        try front.send(second + front.number([.beat("worker-1"), .acknowledge("order-000001")]))
        front.settled = try #require(try front.ask(.fetch("default")).offer)
        try front.send([LinkCommand(request: second[0].request, .workerLeft(worker: "worker-1"))])
        try Self.wait(60, world, front)
        #expect(try world.queued() == ["order-000002"])
    }

    @Test("go back in the order in which they were taken, and to who waits for one")
    func order() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.joined("worker-1"), .beat("worker-1"))
        for number in 1...3 {
            front.settled = try #require(
                try front.send(.push("order-00000\(number)"), .fetch("default"))[1].offer
            )
        }
        try front.send(.workerLeft(worker: "worker-1"))
        world.wait(.seconds(30))
        try front.send(.fetch("default", worker: "worker-2", wait: 60_000))
        let waiting = front.lastRequest
        try Self.wait(30, world, front)
        #expect(front.late[waiting]?.jobID == "order-000003")
        #expect(try world.queued() == ["order-000001", "order-000002"])
    }

    @Test("stay with one that never beats until the end of their reservations")
    func neverBeats() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let reply = try front.send(.joined("worker-1"), .push("order-000001"), .fetch("default"))[2]
        front.settled = try #require(reply.offer)
        try front.send(.workerLeft(worker: "worker-1"))
        for _ in 0..<20 { try Self.wait(60, world, front) }
        #expect(world.manager.workingCount() == 1)
        world.wait(.seconds(600))
        try world.tick(.reap)
        #expect(try world.members(of: .retries) == ["order-000001"])
    }

    @Test("stay with one that has a connection and does not beat, and the connection stays as well")
    func silent() throws {
        let (world, front) = try WorkerTests.worldAtWork()
        front.forgetOthers()
        for _ in 0..<5 { try Self.wait(60, world, front) }
        #expect(world.manager.workingCount() == 1)
        #expect(!front.others.contains(.dropWorkers(front.session, ["worker-1"])))
        #expect(try front.ask(.beat("worker-1")) == .ok)
        #expect(try front.ask(.acknowledge("order-000001")) == .ok)
        #expect(world.manager.counters.processed == 1)
    }

    @Test("stay with a client that connects anew for each command, however it beats", arguments: [false, true])
    func errands(beatsBetween: Bool) throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.push("order-000001"))
        #expect(try Self.errand(.beat("worker-1"), through: front) == .ok)
        #expect(try Self.errand(.fetch("default"), through: front).jobID == "order-000001")
        if beatsBetween {
            for _ in 0..<3 {
                world.wait(.seconds(15))
                #expect(try Self.errand(.beat("worker-1"), through: front) == .ok)
            }
        }
        try Self.wait(150, world, front)
        #expect(world.manager.workingCount() == 1)
        #expect(try Self.errand(.acknowledge("order-000001"), through: front) == .ok)
        #expect(world.manager.counters == JobCounters(processed: 1, failures: 0))
        #expect(try world.state.beatingWorkers.isEmpty)
    }

    @Test("stay with several such clients that share a name, though connections of theirs overlap")
    func overlappingErrands() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        var requests: [UInt64] = []
        for _ in 0..<2 {
            let join = front.number([.joined("worker-1")])
            try front.send(join + front.number([.fetch("default")]))
            requests.append(front.lastRequest)
            for _ in 0..<3 { #expect(try Self.errand(.beat("worker-1"), through: front) == .ok) }
            try front.send(.push("order-00000\(requests.count)"))
            front.settled = try #require(front.late[requests[requests.count - 1]]?.offer)
            try front.send([LinkCommand(request: join[0].request, .workerLeft(worker: "worker-1"))])
        }
        #expect(world.manager.workingCount() == 2)
        try Self.wait(150, world, front)
        #expect(world.manager.workingCount() == 2)
        #expect(try world.state.beatingWorkers.isEmpty)
    }

    @Test("go back when it had beaten only once, be it on one of many connections, if one of them lasted")
    func oneOfMany() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let joins = front.number([.joined("worker-1"), .joined("worker-1"), .joined("worker-1")])
        try front.send(joins)
        try front.send(.beat("worker-1"), .push("order-000001"))
        front.settled = try #require(try front.ask(.fetch("default")).offer)
        #expect(try world.state.beatingWorkers.isEmpty)
        world.wait(.seconds(15))
        for join in joins {
            try front.send([LinkCommand(request: join.request, .workerLeft(worker: "worker-1"))])
        }
        #expect(try world.state.beatingWorkers == [Self.worker])
        try Self.wait(60, world, front)
        #expect(try world.queued() == ["order-000001"])
    }

    @Test("go back also when it had closed all connections once before and come back")
    func cameBack() throws {
        let (world, front) = try WorkerTests.worldAtWork()
        try front.send(.workerLeft(worker: "worker-1"))
        world.wait(.seconds(30))
        try front.send(.joined("worker-1"))
        try Self.wait(60, world, front)
        #expect(world.manager.workingCount() == 1)
        try front.send(.workerLeft(worker: "worker-1"))
        try Self.wait(60, world, front)
        #expect(world.manager.workingCount() == 0)
    }

    @Test("are not taken because the server closed its connections")
    func droppedByTheServer() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.joined("worker-1"), .beat("worker-1"))
        try Self.wait(61, world, front)
        #expect(front.others.contains(.dropWorkers(front.session, ["worker-1"])))
        // It had asked for a job before it saw that.
        front.settled = try #require(try front.send(.push("order-000001"), .fetch("default"))[1].offer)
        try front.send(.workerLeft(worker: "worker-1"))
        try Self.wait(120, world, front)
        #expect(world.manager.workingCount() == 1)
    }

    @Test("go back as soon as it had one connection that had more than one command, a BEAT among them")
    func oneConnection() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.joined("worker-1"), .beat("worker-1"), .push("order-000001"))
        #expect(try world.state.beatingWorkers.isEmpty)
        front.settled = try #require(try front.ask(.fetch("default")).offer)
        // It is stored with the reservation, so that no leader can know of the one without the other.
        #expect(try world.state.beatingWorkers == [Self.worker])
        try front.send([])
        try world.failOver()
        let other = try world.makeFront(2, name: front.name)
        try Self.wait(60, world, other)
        #expect(try world.queued() == ["order-000001"])
        #expect(try world.state.beatingWorkers.isEmpty)
    }

    // MARK: Leaders and fronts

    @Test("go back as well when it vanishes while the leader is replaced, whether or not it was ever announced again")
    func duringFailOver() throws {
        let (world, front) = try WorkerTests.worldAtWork()
        try world.failOver()
        try front.attach(isNew: false)
        try Self.wait(59, world, front)
        #expect(world.manager.workingCount() == 1)
        try Self.wait(1, world, front)
        #expect(world.manager.workingCount() == 0)
        #expect(try world.queued() == ["order-000001", "order-000002"])
    }

    @Test("go back as well when it vanishes under a leader that it has not beaten to")
    func afterFailOver() throws {
        let (world, front) = try WorkerTests.worldAtWork()
        try world.failOver()
        try front.attach(isNew: false)
        try front.send(.joined("worker-1"))
        try Self.wait(120, world, front)
        #expect(world.manager.workingCount() == 1)
        try front.send(.workerLeft(worker: "worker-1"))
        try Self.wait(60, world, front)
        #expect(world.manager.workingCount() == 0)
    }

    @Test("stay with one that never beats, whatever becomes of leaders and fronts")
    func neverBeatsAndFailOver() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let reply = try front.send(.joined("worker-1"), .push("order-000001"), .fetch("default"))[2]
        front.settled = try #require(reply.offer)
        try front.send([])
        try world.failOver()
        try front.attach(isNew: false)
        try Self.wait(120, world, front)
        try front.detach()
        let other = try world.makeFront(2)
        try Self.wait(120, world, other)
        #expect(world.manager.workingCount() == 1)
    }

    @Test("stay for as long as there is no front through which it could come back")
    func noFront() throws {
        let (world, front) = try WorkerTests.worldAtWork()
        try world.failOver()
        for _ in 0..<5 {
            world.wait(.seconds(60))
            try world.take([], from: front.peer)
        }
        #expect(world.manager.workingCount() == 1)
        let other = try world.makeFront(2)
        try Self.wait(59, world, other)
        #expect(world.manager.workingCount() == 1)
        try Self.wait(1, world, other)
        #expect(world.manager.workingCount() == 0)
    }

    @Test("go back when its front died with it")
    func withItsFront() throws {
        let (world, front) = try WorkerTests.worldAtWork()
        let other = try world.makeFront(2)
        try front.detach()
        try Self.wait(59, world, other)
        #expect(world.manager.workingCount() == 1)
        try Self.wait(1, world, other)
        #expect(world.manager.workingCount() == 0)
    }

    // MARK: Shutdown

    @Test("go back within a second when it was told to stop and left", arguments: ["quiet", "terminate"])
    func leftInOrder(signal: String) throws {
        let (world, front) = try WorkerTests.worldAtWork()
        try front.send(.beat("worker-1", signal))
        try front.send(.workerLeft(worker: "worker-1"))
        #expect(world.manager.nextDeadline == world.now.uptime + .seconds(1))
        world.wait(.milliseconds(999))
        try world.take([], from: front.peer)
        #expect(world.manager.workingCount() == 1)
        world.wait(.milliseconds(1))
        try world.take([], from: front.peer)
        #expect(try world.queued() == ["order-000001", "order-000002"])
        #expect(try world.state.crashes.isEmpty)
    }

    @Test("go back when it is being stopped and says that it could not finish them", arguments: [true, false])
    func stopped(isQuiet: Bool) throws {
        let (world, front) = try WorkerTests.worldAtWork()
        if isQuiet { try front.send(.beat("worker-1", "terminate")) }
        let body = LinkCommand.Body.fail(
            jobID: "order-000001",
            errorType: "Faktory::Shutdown",
            message: "",
            backtrace: []
        )
        #expect(try front.ask(body) == .ok)
        #expect(try world.queued() == (isQuiet ? ["order-000001", "order-000002"] : ["order-000002"]))
        #expect(try world.count(of: .retries) == (isQuiet ? 0 : 1))
        #expect(world.manager.counters.failures == (isQuiet ? 0 : 1))
        #expect(try front.ask(body) == .error("ERR Job not found order-000001"))
    }

    @Test("are reported by it all the same, as long as nobody else has them")
    func lateReport() throws {
        let (world, front) = try WorkerTests.worldAtWork()
        try front.send(.workerLeft(worker: "worker-1"))
        try Self.wait(60, world, front)
        #expect(try front.ask(.acknowledge("order-000001")) == .ok)
        #expect(world.manager.counters.processed == 1)
        #expect(try world.queued() == ["order-000002"])
    }

    // MARK: Crashes

    /// A worker takes the job and vanishes with it.
    private static func crash(_ jobID: String, in world: ManagerWorld, through front: TestFront) throws {
        try front.send(.joined("worker-1"), .beat("worker-1"))
        // Behind a fail-over the head of the queue has to be read first.
        let reply = try front.wait(for: .fetch("default"))
        try #require(reply.jobID == jobID)
        front.settled = try #require(reply.offer)
        try front.send(.workerLeft(worker: "worker-1"))
        try Self.wait(60, world, front)
    }

    @Test("are buried the third time within 72 hours, which a fail-over does not forget")
    func poison() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.push("order-000001", #""retry":0"#))
        for count in 1...2 {
            try Self.crash("order-000001", in: world, through: front)
            #expect(try world.state.crashes[JobID("order-000001")]?.count == count)
            #expect(try world.queued() == ["order-000001"])
        }
        try world.failOver()
        try front.attach(isNew: false)
        try Self.crash("order-000001", in: world, through: front)
        #expect(try world.members(of: .dead) == ["order-000001"])
        let failure = try #require(try world.stored("order-000001")?.failure)
        #expect(failure.errorType == "PoisonJob")
        #expect(failure.message == "its worker vanished 3 times within 72 hours")
        #expect(world.manager.counters == JobCounters(processed: 1, failures: 1))
        #expect(try world.state.crashes.isEmpty)
    }

    @Test("are not buried for what is longer ago than that")
    func longAgo() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.push("order-000001"))
        for _ in 0..<5 {
            try Self.crash("order-000001", in: world, through: front)
            try Self.wait(36 * 3_600, world, front)
            try front.attach()
        }
        #expect(try world.queued() == ["order-000001"])
        #expect(try world.state.crashes[JobID("order-000001")]?.count == 2)
    }

    @Test("are counted no longer once they are done, and neither after a flush", arguments: [true, false])
    func forgotten(isFlushed: Bool) throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.push("order-000001"))
        try Self.crash("order-000001", in: world, through: front)
        if isFlushed {
            _ = try front.wait(for: .flush)
        } else {
            _ = try front.ask(.fetch("default", worker: "worker-2"))
            _ = try front.ask(.acknowledge("order-000001"))
        }
        #expect(try world.state.crashes.isEmpty)
        #expect(world.manager.crashes.isEmpty)
    }

    @Test("are counted for so many jobs as the bound says, and go back uncounted beyond")
    func bound() throws {
        var crashes = CrashLog([:])
        var counts: Set<Int?> = []
        for number in 0..<CrashLog.bound {
            counts.insert(crashes.note(JobID("order-\(number)"), at: ManagerWorld.start)?.count)
        }
        #expect(counts == [1])
        let beyond = crashes.note(JobID("one-more"), at: ManagerWorld.start)
        #expect(beyond == nil)
        let again = crashes.note(JobID("order-17"), at: ManagerWorld.start)
        #expect(again?.count == 2)
        let wasKnown = crashes.forget(JobID("order-17"))
        #expect(wasKnown)
        let withRoom = crashes.note(JobID("one-more"), at: ManagerWorld.start)
        #expect(withRoom?.count == 1)
    }

    @Test("fail as with Faktory when the setting says so")
    func asFaktory() throws {
        let world = try ManagerWorld(settings: ManagerSettings(vanished: .fail))
        let front = try world.makeFront()
        try front.send(.push("order-000001"))
        try Self.crash("order-000001", in: world, through: front)
        #expect(try world.members(of: .retries) == ["order-000001"])
        #expect(try world.stored("order-000001")?.failure?.errorType == "ReservationExpired")
        #expect(try world.state.crashes.isEmpty)
    }
}
