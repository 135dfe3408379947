import ClusterLink
import JobCore
import JobStorage
import Testing

@testable import Manager

/// What links have done, in order.
final class Trace {
    var steps: [String] = []
}

@Suite("Middleware")
struct MiddlewareTests {
    static let worker = WorkerID("worker-1")

    @Test("links run from the first that was added to the last, and back", arguments: MiddlewareKind.allCases)
    func order(kind: MiddlewareKind) throws {
        let trace = Trace()
        let world = try ManagerWorld { manager in
            for name in ["outer", "inner"] {
                manager.addMiddleware(kind) { context, next in
                    trace.steps.append("\(name) \(context.kind) \(context.job.id)")
                    try next()
                    trace.steps.append("\(name) back")
                }
            }
        }
        let front = try world.makeFront()
        try front.send(.push("order-000001"), .fetch("default"))
        try front.send(kind == .fail ? .fail("order-000001") : .acknowledge("order-000001"))
        #expect(
            trace.steps == ["outer \(kind) order-000001", "inner \(kind) order-000001", "inner back", "outer back"]
        )
    }

    @Test("each chain runs for its command alone; push runs for a scheduled job once, when it is pushed")
    func whenChainsRun() throws {
        let trace = Trace()
        let world = try ManagerWorld { manager in
            for kind in MiddlewareKind.allCases {
                manager.addMiddleware(kind) { context, next in
                    let parts = [context.reservation == nil ? "" : "reserved", context.failure == nil ? "" : "failed"]
                    trace.steps.append(([kind.rawValue] + parts).filter { !$0.isEmpty }.joined(separator: " "))
                    try next()
                }
            }
        }
        let front = try world.makeFront()
        let at = (ManagerWorld.start + .seconds(10)).rfc3339
        try front.send(.push("order-000001", #""at":"\#(at)""#))
        world.wait(.seconds(10))
        try world.tick(.enqueueScheduled)
        try front.send(.fetch("default"), .fail("order-000001"))
        world.wait(.seconds(60))
        try world.tick(.retry)
        try front.send(.fetch("default"))
        world.wait(.seconds(1_800))
        try world.tick(.reap)
        world.wait(.seconds(120))
        try world.tick(.retry)
        try front.send(.fetch("default"), .acknowledge("order-000001"), .acknowledge("order-000001"))
        #expect(
            trace.steps == [
                "push", "fetch", "fail reserved failed", "fetch", "fail reserved failed", "fetch",
                "acknowledge reserved",
            ]
        )
    }

    // MARK: push

    @Test("a push that is halted is answered with its code, and nothing is stored")
    func haltAtPush() throws {
        let world = try ManagerWorld { manager in
            manager.addMiddleware(.push) { _, _ in throw KnownError.halt(code: "NOTUNIQUE", message: "Job not unique") }
        }
        let front = try world.makeFront()
        #expect(try front.ask(.push("order-000001")) == .error("NOTUNIQUE Job not unique"))
        let at = (ManagerWorld.start + .seconds(10)).rfc3339
        #expect(try front.ask(.push("order-000001", #""at":"\#(at)""#)) == .error("NOTUNIQUE Job not unique"))
        #expect(world.data.jobIDs.isEmpty)
        #expect(try world.state.queues.isEmpty)
    }

    @Test(
        "a push that is discarded, or not called on, is answered with OK and stores nothing",
        arguments: [true, false]
    )
    func discardAtPush(throwing: Bool) throws {
        let world = try ManagerWorld { manager in
            manager.addMiddleware(.push) { _, _ in
                if throwing { throw KnownError.discard("expired") }
            }
        }
        let front = try world.makeFront()
        #expect(try front.ask(.push("order-000001")) == .ok)
        #expect(world.data.jobIDs.isEmpty)
    }

    @Test("a push whose chain fails behind the innermost link stores nothing, since the client is told so")
    func errorBehindPush() throws {
        let world = try ManagerWorld { manager in
            manager.addMiddleware(.push) { _, next in
                try next()
                throw KnownError.expected(code: "LIMIT", message: "too many")
            }
        }
        let front = try world.makeFront()
        #expect(try front.ask(.push("order-000001")) == .error("LIMIT too many"))
        #expect(world.data.jobIDs.isEmpty)
        #expect(try world.queued().isEmpty)
    }

    @Test("a link that calls on twice stores the job once")
    func callingOnTwice() throws {
        let world = try ManagerWorld { manager in
            for kind in [MiddlewareKind.push, .fetch] {
                manager.addMiddleware(kind) { _, next in
                    try next()
                    try next()
                }
            }
        }
        let front = try world.makeFront()
        let at = (ManagerWorld.start + .seconds(10)).rfc3339
        try front.send(.push("order-000001"), .push("order-000002", #""at":"\#(at)""#))
        #expect(try world.state.queues.map(\.entryCount) == [1])
        #expect(world.manager.setCounts[.scheduled] == 1)
        #expect(try front.ask(.fetch("default")).offer == 1)
        #expect(world.manager.busyCount(of: Self.worker) == 1)
    }

    @Test("what a push link changes in the job is what is stored")
    func changeAtPush() throws {
        let world = try ManagerWorld { manager in
            manager.addMiddleware(.push) { context, next in
                try context.job.setCustom("tenant", to: Array("7".utf8))
                try next()
            }
        }
        try world.turn { try $0.push(makeJob("order-000001")) }
        #expect(try world.stored("order-000001")?.customValue("tenant").map(Array.init) == Array("7".utf8))
    }

    @Test("an error that has no code is told under ERR")
    func unexpectedError() throws {
        struct Unexpected: Error {}
        let world = try ManagerWorld { $0.addMiddleware(.push) { _, _ in throw Unexpected() } }
        let front = try world.makeFront()
        #expect(try front.ask(.push("order-000001")) == .error("ERR Unexpected()"))
    }

    // MARK: fetch

    @Test("a fetch that discards drops the job and goes on with the next")
    func discardAtFetch() throws {
        let world = try ManagerWorld { manager in
            manager.addMiddleware(.fetch) { context, next in
                if context.job.id.text == "order-000001" { throw KnownError.discard("expired") }
                if context.job.id.text == "order-000002" { return }
                try next()
            }
        }
        let front = try world.makeFront()
        for number in 1...3 { try front.send(.push("order-00000\(number)")) }
        #expect(try front.ask(.fetch("default")).jobID == "order-000003")
        #expect(world.data.jobIDs.map(\.text) == ["order-000003"])
        #expect(world.manager.workingCount() == 1)
    }

    @Test("a fetch that halts tells the worker, and puts the job back or buries it", arguments: [true, false])
    func haltAtFetch(putsBack: Bool) throws {
        let world = try ManagerWorld { manager in
            manager.addMiddleware(.fetch) { _, _ in
                throw KnownError.halt(code: "BUSY", message: "not now", job: putsBack ? .putBack : .bury)
            }
        }
        let front = try world.makeFront()
        try front.send(.push("order-000001"), .push("order-000002"))
        #expect(try front.ask(.fetch("default")) == .error("BUSY not now"))
        #expect(world.manager.workingCount() == 0)
        #expect(try world.queued() == (putsBack ? ["order-000001", "order-000002"] : ["order-000002"]))
        #expect(try world.members(of: .dead) == (putsBack ? [] : ["order-000001"]))
        let message = putsBack ? nil : "BUSY not now"
        #expect(try world.stored("order-000001")?.failure?.message == message)
        #expect(world.manager.counters == JobCounters())
    }

    @Test("a fetch whose chain fails behind the innermost link holds no reservation that nobody knows of")
    func errorBehindFetch() throws {
        let fetcher = OneAtATime()
        let world = try ManagerWorld { manager in
            manager.setFetcher(fetcher)
            manager.addMiddleware(.fetch) { _, next in
                try next()
                throw KnownError.halt(code: "BUSY", message: "not now", job: .putBack)
            }
        }
        let front = try world.makeFront()
        try front.send(.push("order-000001"))
        #expect(try front.ask(.fetch("default")) == .error("BUSY not now"))
        #expect(world.manager.workingCount() == 0)
        #expect(world.manager.busyCount(of: Self.worker) == 0)
        #expect(try world.queued() == ["order-000001"])
        #expect(fetcher.releaseCount == 1)
        #expect(try world.state.reservations.isEmpty)
    }

    @Test("a fetch that is discarded behind the innermost link drops the job")
    func discardBehindFetch() throws {
        let world = try ManagerWorld { manager in
            manager.addMiddleware(.fetch) { _, next in
                try next()
                throw KnownError.discard("expired")
            }
        }
        let front = try world.makeFront()
        try front.send(.push("order-000001"))
        #expect(try front.ask(.fetch("default")) == .parked)
        #expect(world.manager.workingCount() == 0)
        #expect(world.data.jobIDs.isEmpty)
    }

    @Test("a waiting fetch that is halted gets the error, and the job is kept for the next")
    func haltOfAWaitingFetch() throws {
        let trace = Trace()
        let world = try ManagerWorld { manager in
            manager.addMiddleware(.fetch) { _, next in
                trace.steps.append("")
                if trace.steps.count == 1 { throw KnownError.halt(code: "BUSY", message: "no", job: .putBack) }
                try next()
            }
        }
        let front = try world.makeFront()
        try front.send(.fetch("default"), .fetch("default"))
        try front.send(.push("order-000001"))
        #expect(front.late[1] == .error("BUSY no"))
        #expect(front.late[2]?.jobID == "order-000001")
    }

    @Test("a fetch link that pushes a job does not give two jobs to one waiting fetch")
    func pushingWhileFetching() throws {
        let world = try ManagerWorld { manager in
            manager.addMiddleware(.fetch) { context, next in
                if context.job.id.text == "order-000001" {
                    try context.manager.push(makeJob("order-000002"))
                }
                try next()
            }
        }
        let front = try world.makeFront()
        try front.send(.fetch("default"), .fetch("default"))
        try front.send(.push("order-000001"))
        #expect(front.lateCounts == [1: 1, 2: 1])
        #expect([front.late[1]?.jobID, front.late[2]?.jobID] == ["order-000001", "order-000002"])
        #expect(world.manager.workingCount() == 2)
        try front.send(.fetch("default"))
        try front.send(.push("order-000003"))
        #expect(front.late[4]?.jobID == "order-000003")
    }

    @Test("a fetch link that pushes into a queue whose only waiter is being served leaves the job in the queue")
    func pushingWhileTheOnlyWaiterIsServed() throws {
        let world = try ManagerWorld { manager in
            manager.addMiddleware(.fetch) { context, next in
                if context.job.id.text == "order-000001" {
                    try context.manager.push(makeJob("order-000002"))
                }
                try next()
            }
        }
        let front = try world.makeFront()
        try front.send(.fetch("default"))
        try front.send(.push("order-000001"))
        #expect(front.late[1]?.jobID == "order-000001")
        #expect(front.lateCounts[1] == 1)
        #expect(try world.queued() == ["order-000002"])
        #expect(world.manager.workingCount() == 1)
        #expect(try front.ask(.fetch("default")).jobID == "order-000002")
    }

    // MARK: acknowledge and fail

    @Test("an error behind an ACK changes nothing: the job is done", arguments: [true, false])
    func errorAtAcknowledge(discards: Bool) throws {
        let world = try ManagerWorld { manager in
            manager.addMiddleware(.acknowledge) { _, _ in
                throw discards ? KnownError.discard("x") : KnownError.halt(code: "X", message: "x")
            }
        }
        let front = try world.makeFront()
        try front.send(.push("order-000001"), .fetch("default"))
        #expect(try front.ask(.acknowledge("order-000001")) == .ok)
        #expect(world.data.jobIDs.isEmpty)
        #expect(world.manager.counters.processed == 1)
    }

    @Test("a failure that is discarded is counted and not tried again; any other error of a link changes nothing")
    func errorsAtFail() throws {
        let world = try ManagerWorld { manager in
            manager.addMiddleware(.fail) { context, _ in
                if context.job.id.text == "order-000001" { throw KnownError.discard("x") }
                throw KnownError.halt(code: "X", message: "x")
            }
        }
        let front = try world.makeFront()
        try front.send(.push("order-000001"), .push("order-000002"), .fetch("default"), .fetch("default"))
        #expect(try front.send(.fail("order-000001"), .fail("order-000002")) == [.ok, .ok])
        #expect(try world.members(of: .retries) == ["order-000002"])
        #expect(world.data.jobIDs.map(\.text) == ["order-000002"])
        #expect(world.manager.counters == JobCounters(processed: 2, failures: 2))
    }

    @Test("the fail chain runs for a job that is not tried again, with the report of its worker")
    func reportAtFail() throws {
        let trace = Trace()
        let world = try ManagerWorld { manager in
            manager.addMiddleware(.fail) { context, next in
                trace.steps.append("\(context.failure?.message ?? "") \(context.reservation?.worker.text ?? "")")
                try next()
            }
        }
        let front = try world.makeFront()
        try front.send(.push("order-000001", #""retry":0"#), .fetch("default"), .fail("order-000001"))
        #expect(trace.steps == ["the printer is jammed worker-1"])
    }

    @Test("a link may push other jobs behind an ACK, even under the jid of the job that is done")
    func pushingBehindAcknowledge() throws {
        let world = try ManagerWorld { manager in
            manager.addMiddleware(.acknowledge) { context, next in
                try next()
                try context.manager.push(makeJob("order-000001", queue: "again"))
                try context.manager.push(makeJob("order-000002"))
            }
        }
        let front = try world.makeFront()
        try front.send(.push("order-000001"), .fetch("default"), .acknowledge("order-000001"))
        #expect(try world.queued("again") == ["order-000001"])
        #expect(try world.queued() == ["order-000002"])
    }

    // MARK: keyValues and redis

    @Test("keyValues are read back in the same turn, stored with it, and kept over a fail-over")
    func keyValues() throws {
        let world = try ManagerWorld()
        try world.turn { manager in
            manager.keyValues.set([1, 2], forKey: "a")
            manager.keyValues.set([3], forKey: "b")
            let values = [try manager.keyValues.value(forKey: "a"), try manager.keyValues.value(forKey: "c")]
            #expect(values == [[1, 2], nil])
        }
        try world.failOver()
        #expect(try world.manager.keyValues.value(forKey: "a") == [1, 2])
        try world.turn { manager in
            manager.keyValues.removeValue(forKey: "a")
            manager.keyValues.removeValue(forKey: "c")
            let value = try manager.keyValues.value(forKey: "a")
            #expect(value == nil)
        }
        #expect(try world.manager.keyValues.value(forKey: "a") == nil)
        #expect(try world.manager.keyValues.value(forKey: "b") == [3])
    }

    @Test("commands for Redis join the command's atomic unit, and are gone with a turn that was not written")
    func redis() throws {
        let world = try ManagerWorld { manager in
            manager.addMiddleware(.push) { context, next in
                context.manager.redis.perform("INCR", "pushed:\(context.job.queue)")
                try next()
            }
        }
        let front = try world.makeFront()
        try front.send(.push("order-000001"))
        #expect(world.data.redisCommands == [[Array("INCR".utf8), Array("pushed:default".utf8)]])
        world.store.fault = .refusing("full")
        #expect(throws: StorageError.refused("full")) { try front.send(.push("order-000002")) }
        #expect(world.data.redisCommands.count == 1)
    }
}

@Suite("Known errors")
struct KnownErrorTests {
    @Test("each kind says what becomes of the command and what the client is told")
    func kinds() {
        let halt = KnownError.halt(code: "ERR", message: "no")
        #expect(halt.haltedJob == .bury)
        #expect(!halt.isDiscard)
        #expect(halt.replyText == "ERR no")
        #expect(KnownError.halt(code: "BUSY", message: "no", job: .putBack).haltedJob == .putBack)
        #expect(
            KnownError.expected(code: "NOTUNIQUE", message: "Job not unique").replyText == "NOTUNIQUE Job not unique"
        )
        #expect(KnownError.discard("old").isDiscard)
        #expect(KnownError.discard("old").code == "DISCARD")
        #expect(ManagerError.noQueues.replyText == "ERR must call fetch with at least one queue")
    }
}
