import ClusterLink
import JobCore
import JobStorage
import Testing

@testable import Manager

@Suite("A job that has ended")
struct OutcomeLedgerTests {
    private static func second(of text: String, in segment: OutcomeSegment) -> UInt32? {
        segment.second(of: JobID(text), hash: OutcomeSegment.hash(of: JobID(text)))
    }

    private static func done(_ jobID: String, through front: TestFront) throws {
        try front.send(.push(jobID), .fetch("default"))
        try front.send(.acknowledge(jobID))
    }

    @Test("is not run again by a PUSH that comes again in time, and is afterwards", arguments: [119, 120])
    func echo(seconds: Int) throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try Self.done("order-000001", through: front)
        world.wait(.seconds(seconds))
        #expect(try front.ask(.push("order-000001")) == .ok)
        #expect(try world.queued() == (seconds < 120 ? [] : ["order-000001"]))
        #expect(world.manager.counters.processed == 1)
    }

    @Test("is not run again by a PUSH in the turn of its ACK, nor by a PUSHB")
    func sameTurn() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.push("order-000001"), .fetch("default"))
        #expect(try front.send(.acknowledge("order-000001"), .push("order-000001")) == [.ok, .ok])
        let bulk =
            Array("[".utf8) + payload("order-000001") + Array(",".utf8) + payload("order-000002") + Array("]".utf8)
        #expect(try front.ask(.pushBulk(jobs: bulk)).text == "{}")
        #expect(try world.queued() == ["order-000002"])
    }

    @Test("is remembered by the next leader")
    func failOver() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        for number in 1...3 {
            try Self.done("order-00000\(number)", through: front)
            world.wait(.seconds(35))
        }
        try world.failOver()
        try front.attach(isNew: false)
        try world.finish()
        for number in 1...4 { #expect(try front.ask(.push("order-00000\(number)")) == .ok) }
        #expect(try world.queued() == ["order-000004"])
        // And what that one writes is remembered by the one behind it.
        _ = try front.ask(.fetch("default"))
        try front.send(.acknowledge("order-000004"))
        try world.failOver()
        try front.attach(isNew: false)
        #expect(try front.ask(.push("order-000004")) == .ok)
        #expect(try world.queued().isEmpty)
    }

    @Test("is not run again when it was not to be tried again and failed")
    func discarded() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.push("order-000001", #""retry":0"#), .fetch("default"))
        try front.send(.fail("order-000001"))
        #expect(try front.ask(.push("order-000001")) == .ok)
        #expect(try world.queued().isEmpty)
    }

    @Test("is run again when somebody deleted it, or when it is dead")
    func runsAgain() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.push("order-000001"), .fetch("default"))
        try front.send(.fail("order-000001"))
        let clear = LinkCommand.Body.mutate(MutationRequest(operation: "discard", target: "retries", filter: nil))
        #expect(try front.wait(for: clear) == .ok)
        #expect(try front.ask(.push("order-000001", #""retry":-1"#)) == .ok)
        #expect(try world.queued() == ["order-000001"])
        _ = try front.ask(.fetch("default"))
        try front.send(.fail("order-000001"))
        #expect(try front.ask(.push("order-000001")) == .ok)
        #expect(try world.queued() == ["order-000001"])
    }

    @Test("is forgotten by a flush, and never noted when the setting says so", arguments: [true, false])
    func off(isFlushed: Bool) throws {
        let world = try ManagerWorld(settings: ManagerSettings(outcomeMemory: isFlushed ? .seconds(120) : .zero))
        let front = try world.makeFront()
        try Self.done("order-000001", through: front)
        if isFlushed { #expect(try front.wait(for: .flush) == .ok) }
        #expect(try world.state.outcomeByteCounts == [0, 0, 0, 0])
        #expect(try front.ask(.push("order-000001")) == .ok)
        #expect(try world.queued() == ["order-000001"])
    }

    @Test("can be pushed again by middleware, which sends nothing twice")
    func middleware() throws {
        let world = try ManagerWorld { manager in
            manager.addMiddleware(.acknowledge) { context, next in
                try next()
                try context.manager.push(try Job(parsing: payload(context.job.id.text)))
            }
        }
        let front = try world.makeFront()
        try Self.done("order-000001", through: front)
        #expect(try world.queued() == ["order-000001"])
    }

    @Test("is found among as many as there is room for, and the oldest are forgotten first")
    func bound() throws {
        var ledger = OutcomeLedger(memory: .seconds(120))
        let now = ManagerWorld.start
        let total = OutcomeLedger.countBound * 3 / 2
        for number in 0..<total {
            ledger.note(JobID("order-\(number)"), at: now)
            if number % 100 == 99 { _ = ledger.takeChange() }
        }
        #expect(ledger.count <= OutcomeLedger.countBound)
        #expect(ledger.count > OutcomeLedger.countBound / 4 * 3 - 100)
        #expect(ledger.contains(JobID("order-\(total - 1)"), at: now))
        #expect(ledger.contains(JobID("order-\(total - OutcomeLedger.countBound / 4 * 3 + 100)"), at: now))
        #expect(!ledger.contains(JobID("order-0"), at: now))
        #expect(!ledger.contains(JobID("order-\(total)"), at: now))
    }

    @Test("is remembered within a bound of bytes, whatever its name")
    func byteBound() {
        var ledger = OutcomeLedger(memory: .seconds(120))
        let padding = String(repeating: "x", count: 240)
        var byteCount = 0
        for number in 0..<(OutcomeLedger.byteBound / 200) {
            ledger.note(JobID(padding + String(1_000_000 + number)), at: ManagerWorld.start)
            if let change = ledger.takeChange() {
                byteCount = change.beginsFor == nil ? byteCount + change.bytes.count : change.bytes.count
            }
            #expect(byteCount <= OutcomeLedger.byteBound / OutcomeLog.segmentCount + 512)
        }
        #expect(ledger.count < OutcomeLedger.byteBound / 240)
    }

    @Test("is told from others of the same hash by the bytes of its name, and the last end counts")
    func segment() {
        var segment = OutcomeSegment()
        for number in 0..<5_000 { segment.append(JobID("order-\(number)"), at: UInt32(number)) }
        segment.append(JobID("order-17"), at: 9_000)
        for number in 0..<5_000 where number != 17 {
            #expect(Self.second(of: "order-\(number)", in: segment) == UInt32(number))
        }
        #expect(Self.second(of: "order-17", in: segment) == 9_000)
        for number in 5_000..<10_000 { #expect(Self.second(of: "order-\(number)", in: segment) == nil) }
    }

    @Test("is found by a leader that reads the records in pieces, wherever these end", arguments: [1, 7, 4_096])
    func pieces(size: Int) {
        var written = OutcomeSegment()
        for number in 0..<100 { written.append(JobID("order-é\(number)"), at: .max - UInt32(number)) }
        var read = OutcomeSegment()
        for start in stride(from: 0, to: written.bytes.count, by: size) {
            read.load(Array(written.bytes[start..<min(start + size, written.bytes.count)]))
        }
        #expect(read.bytes == written.bytes && read.count == 100)
        for number in 0..<100 { #expect(Self.second(of: "order-é\(number)", in: read) == .max - UInt32(number)) }
    }
}
