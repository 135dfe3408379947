import ClusterLink
import JobCore
import JobStorage
import Testing

@testable import Manager

@Suite("Commands that take many turns")
struct LongCommandTests {
    static let remove = LinkCommand.Body.queue(.remove, names: .named(["default"]))
    static let removeAll = LinkCommand.Body.queue(.remove, names: .all)

    /// A world with a front whose late replies are lost.
    static func worldThatLosesAnswers() throws -> (ManagerWorld, TestFront) {
        let world = try ManagerWorld()
        world.delivers = { message in
            if case .late = message { false } else { true }
        }
        return (world, try world.makeFront())
    }

    /// The leader goes; the front attaches to the next one and repeats a command under its number.
    static func failOver(_ front: TestFront, in world: ManagerWorld, repeating command: LinkCommand) throws {
        try world.failOver()
        world.delivers = { _ in true }
        try front.attach(isNew: false)
        #expect(try front.send([command]) == [.deferred])
        try world.finish()
    }

    static func bulk(_ jobs: [[UInt8]]) -> LinkCommand.Body {
        .pushBulk(jobs: Array("[".utf8) + Array(jobs.joined(separator: Array(",".utf8))) + Array("]".utf8))
    }

    static func names(_ range: Range<Int>) -> [String] { range.map(QueueMirrorTests.name) }

    // MARK: Carried out once

    @Test(
        "one whose answer was lost with its leader is answered again, and what came later is left alone",
        arguments: [
            .flush, Self.remove, Self.removeAll, .mutate("clear", "scheduled"), .mutate("discard", "scheduled"),
            .mutate("discard", "scheduled", jobIDs: ["order-scheduled"]),
            .mutate("kill", "scheduled", type: "ShipOrder"),
        ] as [LinkCommand.Body]
    )
    func lostAnswer(body: LinkCommand.Body) throws {
        let (world, front) = try Self.worldThatLosesAnswers()
        let at = #""at":"\#((ManagerWorld.start + .seconds(3_600)).rfc3339)""#
        try front.send(.push("order-before"), .push("order-scheduled", at))
        let command = front.number([body])[0]
        #expect(try front.send([command]) == [.deferred])
        try world.finish()
        #expect(front.late[command.request] == nil)
        // Its effect is seen by others, who push again what is gone, and more.
        try front.send(.push("order-before"), .push("order-scheduled", at), .push("order-after"))

        try Self.failOver(front, in: world, repeating: command)

        #expect(front.late[command.request] == .ok)
        #expect(try world.queued().contains("order-before"))
        #expect(try world.queued().contains("order-after"))
        #expect(try world.stored("order-scheduled") != nil)
        #expect(try world.members(of: .scheduled) == ["order-scheduled"])
    }

    @Test("one that is repeated in the batch that brought it is answered again, too")
    func repeatedBatch() throws {
        let (world, front) = try Self.worldThatLosesAnswers()
        try front.send(.push("order-before"))
        #expect(try front.send(.push("order-other", queue: "other"), .flush) == [.ok, .deferred])
        let request = front.lastRequest
        try world.finish()
        try world.turn { try $0.push(makeJob("order-after")) }
        // Once with the leader that carried it out, and once with the next.
        world.delivers = { _ in true }
        #expect(try front.resendLast() == [.ok, .deferred])
        #expect(front.late[request] == .ok)
        try world.failOver()
        try front.attach(isNew: false)
        #expect(try front.resendLast() == [.ok, .deferred])
        try world.finish()
        #expect(front.lateCounts[request] == 2)
        #expect(try world.queued() == ["order-after"])
    }

    @Test("one that the leader has already is not begun again when the front repeats it")
    func repeatedWhileUnderWay() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try QueueMirrorTests.push(0..<1_200, into: world)
        let command = front.number([Self.remove])[0]
        #expect(try front.send([command]) == [.deferred])
        try world.work()
        #expect(try front.send([command]) == [.deferred])
        #expect(world.manager.tasks.pending.count == 1)
        try world.finish()
        #expect(front.lateCounts[command.request] == 1)
        #expect(try front.send([command]) == [.deferred])
        #expect(front.lateCounts[command.request] == 2)
        #expect(!world.manager.hasTasks)
    }

    @Test("a removal that was half done goes on with what is left, and spares what was pushed since it began")
    func halfRemoved() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try QueueMirrorTests.push(0..<1_200, into: world)
        for name in ["a", "z"] { try front.send(.push("order-of-\(name)", queue: name)) }
        let command = front.number([Self.removeAll])[0]
        try front.send([command])
        while try world.queued().count > 600 { try world.work() }
        #expect(world.manager.queues[try queue("a")] == nil)
        // Jobs of a queue that is gone, of one that is half gone and of one whose turn has not come.
        for name in ["a", "default", "z"] { try front.send(.push("later-of-\(name)", queue: name)) }

        try Self.failOver(front, in: world, repeating: command)

        #expect(front.late[command.request] == .ok)
        for name in ["a", "default", "z"] { #expect(try world.queued(name) == ["later-of-\(name)"]) }
    }

    @Test("a mutation of named jobs that was half done does not touch again what it has done")
    func halfMutated() throws {
        let world = try SliceTests.worldWithScheduledJobs(1_200)
        let front = try world.makeFront()
        let command = front.number([.mutate("discard", "scheduled", jobIDs: Self.names(0..<1_200))])[0]
        try front.send([command])
        try world.slice()
        #expect(try world.count(of: .scheduled) == 700)
        let at = (ManagerWorld.start + .seconds(3_600)).rfc3339
        try front.send(.push(QueueMirrorTests.name(0), #""at":"\#(at)""#))

        try Self.failOver(front, in: world, repeating: command)

        #expect(front.late[command.request] == .ok)
        #expect(try world.members(of: .scheduled) == [QueueMirrorTests.name(0)])
    }

    @Test(
        "a mutation of whatever matches that was half done begins again, and spares what has joined the set since",
        arguments: [1, 400]
    )
    func halfMatched(lateCount: Int) throws {
        let world = try SliceTests.worldWithScheduledJobs(1_200)
        let front = try world.makeFront()
        let command = front.number([.mutate("discard", "scheduled", type: "ShipOrder")])[0]
        try front.send([command])
        while try world.count(of: .scheduled) > 700 { try world.slice() }
        let at = (ManagerWorld.start + .seconds(3_600)).rfc3339
        // The last of them comes when the next leader has not heard of the command yet.
        let names = Self.names(5_000..<5_000 + lateCount)
        for name in names.dropLast() { try front.send(.push(name, #""at":"\#(at)""#)) }
        try world.failOver()
        try front.attach(isNew: false)
        try front.send(.push(names.last!, #""at":"\#(at)""#))

        #expect(try front.send([command]) == [.deferred])
        try world.finish()

        #expect(front.late[command.request] == .ok)
        #expect(try world.members(of: .scheduled).sorted() == names)
        try front.send([LinkCommand(request: command.request, .withdraw)])
        #expect(try world.state.progress.isEmpty)
        #expect(world.manager.latecomers.isEmpty)
    }

    @Test("one mutation more than are under way at once waits, and is carried out")
    func manyMatching() throws {
        let world = try SliceTests.worldWithScheduledJobs(3_000)
        let front = try world.makeFront()
        let bodies = (0...Latecomers.commandBound).map {
            LinkCommand.Body.mutate("discard", "scheduled", type: "Other\($0)")
        }
        let commands = front.number(bodies + [.mutate("discard", "scheduled", type: "ShipOrder")])
        #expect(try front.send(commands) == commands.map { _ in .deferred })
        for _ in commands { try world.slice() }
        #expect(world.manager.latecomers.count == Latecomers.commandBound)
        try world.finish()
        #expect(commands.allSatisfy { front.late[$0.request] == .ok })
        #expect(try world.count(of: .scheduled) == 0)
        #expect(world.manager.latecomers.isEmpty)
    }

    @Test("mutations that an earlier leader has begun, and that nobody sends again, keep no other waiting")
    func abandonedMatching() throws {
        let world = try SliceTests.worldWithScheduledJobs(3_000)
        let gone = try world.makeFront(1)
        let bodies = (0..<Latecomers.commandBound).map { _ in
            LinkCommand.Body.mutate("discard", "scheduled", type: "ShipOrder")
        }
        try gone.send(gone.number(bodies))
        for _ in bodies { try world.slice() }
        try world.failOver()
        #expect(world.manager.latecomers.count == Latecomers.commandBound)
        let front = try world.makeFront(2)
        #expect(try front.wait(for: .mutate("discard", "scheduled", type: "ShipOrder")) == .ok)
        #expect(try world.count(of: .scheduled) == 0)
    }

    @Test("what a mutation passes over has a bound, and is read back as it was stored")
    func latecomers() {
        var latecomers = Latecomers(set: .dead)
        var parts: [[UInt8]] = []
        for number in 0..<Latecomers.bound {
            guard let note = latecomers.note(JobID(QueueMirrorTests.name(number))) else {
                Issue.record("job \(number) was not noted")
                return
            }
            if note.isAnother { parts.append(note.part) } else { parts[parts.count - 1] = note.part }
        }
        #expect(latecomers.note(JobID("order-more")) == nil)
        #expect(parts.count < 1_000)
        var read = Latecomers(set: .dead)
        for part in parts { read.restore(part: part) }
        #expect(read.jobIDs == latecomers.jobIDs)
    }

    // MARK: PUSHB

    @Test("a long PUSHB is carried out in slices, with commands between them, and answered as a whole")
    func slicedBulk() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let jobs = Self.names(0..<3_000).enumerated().map { index, name in
            index % 1_000 == 7 ? Array(#"{"jid":"\#(name)"}"#.utf8) : payload(name)
        }
        #expect(try front.ask(Self.bulk(jobs)) == .deferred)
        let request = front.lastRequest
        var counts: Set<Int> = []
        while front.late[request] == nil {
            try world.slice()
            counts.insert(try world.queued().count)
            #expect(try front.ask(.push("between-\(counts.count)", queue: "other")) == .ok)
        }
        #expect(counts.count >= 6)
        #expect(
            front.late[request]?.text
                == #"{"order-1000007":"jobs must have a jobtype parameter","#
                + #""order-1001007":"jobs must have a jobtype parameter","#
                + #""order-1002007":"jobs must have a jobtype parameter"}"#
        )
        let taken = (0..<3_000).filter { $0 % 1_000 != 7 }.map(QueueMirrorTests.name)
        #expect(try world.queued() == taken)
    }

    @Test("a PUSHB that was half done goes on behind what it has done, which may have been carried out meanwhile")
    func halfPushed() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let jobs = Self.names(0..<3_000).enumerated().map { index, name in
            index % 1_000 == 7 ? Array(#"{"jid":"\#(name)"}"#.utf8) : payload(name)
        }
        let command = front.number([Self.bulk(jobs)])[0]
        #expect(try front.send([command]) == [.deferred])
        while try world.queued().count < 1_400 { try world.slice() }
        // What was done is done: pushed again, it would run twice.
        for number in 0..<7 {
            #expect(try front.ask(.fetch("default")).jobID == QueueMirrorTests.name(number))
            try front.send(.acknowledge(QueueMirrorTests.name(number)))
        }

        try Self.failOver(front, in: world, repeating: command)

        #expect(front.late[command.request]?.text?.count(where: { $0 == ":" }) == 3)
        let expected = Self.names(7..<3_000).enumerated().filter { ($0.offset + 7) % 1_000 != 7 }.map(\.element)
        #expect(try world.queued() == expected)
    }

    @Test("a PUSHB that is no array of jobs is refused as a whole, however late that shows")
    func brokenBulk() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let jobs = Self.names(0..<3_000).map { payload($0) }
        for wrong in [Array("17".utf8), Array(#"{"jid":17}"#.utf8), Array("{".utf8)] {
            let reply = try front.wait(for: Self.bulk(jobs + [wrong]))
            guard case .error(let text) = reply else {
                Issue.record("\(reply)")
                return
            }
            #expect(text.hasPrefix("ERR invalid JSON: "))
        }
        #expect(try world.queued().isEmpty)
        #expect(try front.wait(for: Self.bulk([])).text == "{}")
    }

    @Test("a PUSHB at the bound is carried out at once, and one job more, or one byte, is not")
    func promptBound() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let most = Self.names(0..<BulkPush.promptCount).map { payload($0) }
        #expect(try front.ask(Self.bulk(most)).text == "{}")
        #expect(try front.ask(Self.bulk(most + [payload("order-more")])) == .deferred)
        try world.finish()
        let short = Self.byteCount(of: Self.bulk([payload("order-long", #""extra":"""#)]))
        let text = String(repeating: "x", count: BulkPush.sliceByteBound - short)
        let long = payload("order-long", #""extra":"\#(text)""#)
        #expect(try front.ask(Self.bulk([long])).text == "{}")
        #expect(try front.ask(Self.bulk([long + [0x20]])) == .deferred)
    }

    private static func byteCount(of body: LinkCommand.Body) -> Int {
        if case .pushBulk(let jobs) = body { jobs.count } else { 0 }
    }

    // MARK: What is remembered

    @Test(
        "what is remembered is forgotten when the front has the answer, and when its session ends",
        arguments: [
            false, true,
        ]
    )
    func forgotten(withSession: Bool) throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let command = front.number([.flush])[0]
        try front.send([command])
        try world.finish()
        #expect(try world.state.progress.count == 1)
        if withSession {
            try front.detach()
        } else {
            try front.send([LinkCommand(request: command.request, .withdraw)])
            #expect(world.manager.sessions[front.session]?.lanes[0]?.longCommands.isEmpty == true)
        }
        #expect(try world.state.progress.isEmpty)
    }

    @Test("nothing is remembered of one that nobody waits for any more, whether it is under way or was left half done")
    func abandoned() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try QueueMirrorTests.push(0..<1_200, into: world)
        let command = front.number([Self.remove])[0]
        try front.send([command])
        try world.work()
        try front.send([LinkCommand(request: command.request, .withdraw)])
        try world.finish()
        #expect(try world.queued().isEmpty)
        #expect(try world.state.progress.isEmpty)

        try QueueMirrorTests.push(0..<1_200, into: world)
        let second = front.number([Self.remove])[0]
        try front.send([second])
        try world.work()
        try world.failOver()
        #expect(try !world.state.progress.isEmpty)
        try front.attach(isNew: false)
        try front.send([LinkCommand(request: second.request, .withdraw)])
        #expect(try world.state.progress.isEmpty)
        #expect(!world.manager.hasTasks)
    }

    @Test("a front that never says that it has its answers fills neither the store nor the memory")
    func finishedBound() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        for _ in 0..<LongCommand.finishedBound + 10 { _ = try front.wait(for: .flush) }
        #expect(try world.state.progress.count == LongCommand.finishedBound)
        #expect(world.manager.sessions[front.session]?.lanes[0]?.longCommands.count == LongCommand.finishedBound)
        #expect(try world.state.progress.keys.map(\.request).min() == 11)
    }

    @Test("what a leader writes of a long command, the next one reads")
    func records() throws {
        var command = LongCommand()
        command.boundary = .max
        command.doneCount = 17
        command.lastQueue = "é"
        command.set = .retries
        #expect(command.refuse(Array("a".utf8)) == 1)
        #expect(command.refuse(Array("b".utf8)) == 2)
        var read = try #require(LongCommand(reading: command.record))
        read.restore(part: Array("a".utf8))
        read.restore(part: Array("b".utf8))
        #expect(read == command)
        #expect(read.refused == Array("a,b".utf8))
        command.finish(with: .bulk([1]))
        #expect(LongCommand(reading: command.record)?.outcome == .bulk([1]))
        for count in 0..<command.record.count {
            #expect(LongCommand(reading: Array(command.record.prefix(count))) == nil)
        }
    }
}
