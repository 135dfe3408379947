import ClusterLink
import JobCore
import JobStorage
import Testing

@testable import Manager

@Suite("A unique job")
struct UniqueJobsTests {
    static let notUnique = LinkReply.error("NOTUNIQUE Job not unique")

    /// A push of a job with these custom values.
    private func push(
        _ jobID: String,
        queue: String = "default",
        _ custom: String,
        at: String? = nil
    ) -> LinkCommand.Body {
        .push(jobID, queue: queue, #""custom":{\#(custom)}"# + (at.map { #","at":"\#($0)""# } ?? ""))
    }

    private func locks(_ world: ManagerWorld) throws -> Int {
        try world.store.endedNames(in: .locks, until: WallTime(nanosecondsSinceEpoch: .max), count: .max).count
    }

    @Test("keeps another one of its jobtype, queue and arguments out, but not itself and not a job that is not unique")
    func lock() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        #expect(try front.ask(push("order-000001", #""unique_for":60"#)) == .ok)
        #expect(try front.ask(push("order-000002", #""unique_for":60"#)) == Self.notUnique)
        // The same jid is a client that lost the answer.
        #expect(try front.ask(push("order-000001", #""unique_for":60"#)) == .ok)
        #expect(try front.ask(push("order-000003", queue: "other", #""unique_for":60"#)) == .ok)
        #expect(try front.ask(.push("order-000004")) == .ok)
        #expect(try front.ask(push("order-000005", #""unique":true"#)) == .ok)
        #expect(try world.queued() == ["order-000001", "order-000004", "order-000005"])
    }

    @Test("keeps others out within the turn that takes the lock, in a PUSHB, and with the next leader")
    func facts() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let first = push("order-000001", #""unique_for":60.5"#)
        #expect(try front.send(first, push("order-000002", #""unique_for":60.5"#)) == [.ok, Self.notUnique])
        let jobs = [payload("order-000003", #""custom":{"unique_for":1}"#), payload("order-000004", queue: "b")]
        let array = [UInt8(ascii: "[")] + jobs.joined(separator: [UInt8(ascii: ",")]) + [UInt8(ascii: "]")]
        let reply = try front.wait(for: .pushBulk(jobs: array))
        #expect(reply == .bulk(Array(#"{"order-000003":"NOTUNIQUE Job not unique"}"#.utf8)))
        try world.failOver()
        try front.attach(isNew: false)
        #expect(try front.ask(push("order-000005", #""unique_for":60"#)) == Self.notUnique)
        #expect(try world.queued() == ["order-000001"])
    }

    @Test("frees its lock when it was done, and not when it failed, was deleted or is tried again")
    func success() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let unique = #""unique_for":6000"#
        try front.send(push("order-000001", unique), .fetch("default"))
        #expect(try front.ask(push("order-000002", unique)) == Self.notUnique)
        try front.send(.fail("order-000001"))
        #expect(try front.ask(push("order-000002", unique)) == Self.notUnique)
        world.wait(.seconds(600))
        try world.tick(.retry)
        // The retry is not in its own way.
        #expect(try front.ask(.fetch("default")).jobID == "order-000001")
        #expect(try front.ask(.acknowledge("order-000001")) == .ok)
        #expect(try locks(world) == 0)
        #expect(try front.ask(push("order-000002", unique)) == .ok)

        #expect(try front.wait(for: .queue(.remove, names: .named(["default"]))) == .ok)
        #expect(try world.queued().isEmpty)
        #expect(try front.ask(push("order-000003", unique)) == Self.notUnique)
    }

    @Test("frees its lock with the ACK that a later leader gets, and with that of a worker that was taken to be gone")
    func laterLeader() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let unique = #""unique_for":6000"#
        try front.send(push("order-000001", unique), .fetch("default"))
        try world.failOver()
        try front.attach(isNew: false)
        #expect(try front.ask(.acknowledge("order-000001")) == .ok)
        #expect(try front.ask(push("order-000002", unique)) == .ok)

        _ = try front.ask(.fetch("default"))
        try front.detach()
        let other = try world.makeFront(2)
        #expect(try world.queued() == ["order-000002"])
        #expect(try other.ask(.acknowledge("order-000002")) == .ok)
        #expect(try locks(world) == 0)
    }

    @Test("until start, frees its lock when a worker gets it, and its ACK does not free that of the next one")
    func start() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let unique = #""unique_for":60,"unique_until":"start""#
        try front.send(push("order-000001", unique), .fetch("default"))
        #expect(try front.ask(push("order-000002", unique)) == .ok)
        #expect(try front.ask(.acknowledge("order-000001")) == .ok)
        #expect(try front.ask(push("order-000003", unique)) == Self.notUnique)
    }

    @Test(
        "until start, has its lock again when it comes back without a worker's having had it",
        arguments: [false, true]
    )
    func comesBack(failsOver: Bool) throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let unique = #""unique_for":60,"unique_until":"start""#
        try front.send(push("order-000001", unique), .fetch("default"))
        if failsOver {
            try world.failOver()
            try front.attach(isNew: false)
        }
        try front.detach()
        let other = try world.makeFront(2)
        #expect(try world.queued() == ["order-000001"])
        world.wait(.milliseconds(59_999))
        #expect(try other.ask(push("order-000002", unique)) == Self.notUnique)
        world.wait(.milliseconds(1))
        #expect(try other.ask(push("order-000002", unique)) == .ok)
    }

    @Test("until expiry, keeps its lock when it was done, for as long as it said from its PUSH or its time")
    func expiry() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let unique = #""unique_for":60,"unique_until":"expiry""#
        try front.send(push("order-000001", unique), .fetch("default"))
        #expect(try front.ask(.acknowledge("order-000001")) == .ok)
        world.wait(.milliseconds(59_999))
        #expect(try front.ask(push("order-000002", unique)) == Self.notUnique)
        world.wait(.milliseconds(1))
        let due = (world.now.wall + .seconds(3_600)).rfc3339
        #expect(try front.ask(push("order-000002", unique, at: due)) == .ok)
        world.wait(.seconds(3_659))
        #expect(try front.ask(push("order-000003", unique)) == Self.notUnique)
        world.wait(.seconds(1))
        #expect(try front.ask(push("order-000003", unique)) == .ok)
    }

    @Test("whose time was over does not free the lock of the one that has it now")
    func lapsed() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let unique = #""unique_for":60"#
        try front.send(push("order-000001", unique), .fetch("default"))
        world.wait(.seconds(61))
        #expect(try front.ask(push("order-000002", unique)) == .ok)
        #expect(try front.ask(.acknowledge("order-000001")) == .ok)
        #expect(try front.ask(push("order-000003", unique)) == Self.notUnique)
    }

    @Test("that is dead takes its lock anew when it is requeued, or stays dead")
    func requeued() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let unique = #""unique_for":60"#
        try front.send(.push("order-000001", #""retry":-1,"custom":{\#(unique)}"#), .fetch("default"))
        try front.send(.fail("order-000001"))
        world.wait(.seconds(61))
        #expect(try front.ask(push("order-000002", unique)) == .ok)
        #expect(try front.wait(for: .mutate("requeue", "dead")) == .ok)
        #expect(try world.members(of: .dead) == ["order-000001"])
        #expect(world.manager.setCounts[.dead] == 1)
        try front.send(.fetch("default"), .acknowledge("order-000002"))
        #expect(try front.wait(for: .mutate("requeue", "dead")) == .ok)
        #expect(try world.queued() == ["order-000001"])
        #expect(try front.ask(push("order-000003", unique)) == Self.notUnique)
    }

    @Test("is known by its arguments' values, whatever their text")
    func canonical() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        func push(_ jobID: String, _ arguments: String) throws -> LinkReply {
            let text = #"{"jid":"\#(jobID)","jobtype":"A","args":\#(arguments),"custom":{"unique_for":60}}"#
            return try front.ask(.push(job: Array(text.utf8)))
        }
        #expect(try push("order-000001", #"[{"a":1,"b":[10.50,"é"]},9007199254740993]"#) == .ok)
        #expect(try push("order-000002", #"[ {"b":[1.05e1,"\u00e9"], "a":1.0}, 9007199254740993]"#) == Self.notUnique)
        // No digit is lost.
        #expect(try push("order-000003", #"[{"a":1,"b":[10.50,"é"]},9007199254740992]"#) == .ok)
        #expect(try push("order-000004", #"[{"a":"1","b":[10.50,"é"]},9007199254740993]"#) == .ok)
        #expect(try push("order-000005", #"["\ud800"]"#) == .ok)
        #expect(try push("order-000006", #"["\udfff"]"#) == .ok)
        #expect(try push("order-000007", #"["\ud83d\ude00\/\n"]"#) == .ok)
        #expect(try push("order-000008", #"["😀/\u000A"]"#) == Self.notUnique)
        #expect(try push("order-000009", #"[{"b":[],"a":1,"a":{}}]"#) == .ok)
        #expect(try push("order-000010", #"[{"a":{},"b":[]}]"#) == Self.notUnique)
        #expect(try push("order-000011", #"["a","b"]"#) == .ok)
        #expect(try push("order-000012", #"["a\",\"b"]"#) == .ok)
    }

    @Test("has arguments and a key within bounds, and one beyond them is told what to do")
    func bounds() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        func push(_ arguments: String) throws -> LinkReply {
            let text = #"{"jid":"order-000001","jobtype":"A","args":\#(arguments),"custom":{"unique_for":60}}"#
            return try front.ask(.push(job: Array(text.utf8)))
        }
        let large = LinkReply.error(
            "ERR custom.unique_for needs millrace.unique_key beside it for arguments as large as these"
        )
        #expect(try push(String(repeating: "[", count: 70) + String(repeating: "]", count: 70)) == large)
        let count = UniqueOptions.argumentCountBound
        #expect(try push("[" + Array(repeating: "1", count: count).joined(separator: ",") + "]") == large)
        let text = String(repeating: "a", count: UniqueOptions.argumentByteBound - 4)
        #expect(try push(#"["\#(text)a"]"#) == large)
        #expect(try push(#"["\#(text)"]"#) == .ok)
        let key = String(repeating: "k", count: UniqueOptions.keyByteBound)
        let custom = #""unique_for":60,"millrace":{"unique_key":"\#(key)"#
        let told = "ERR custom.millrace.unique_key must have at most 1024 bytes"
        #expect(try front.ask(self.push("order-000002", custom + #"k"}"#)) == .error(told))
        #expect(try front.ask(self.push("order-000002", custom + #""}"#)) == .ok)
    }

    @Test("may have a key of its own for all queues, and be let go quietly")
    func ownOptions() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let own = #""unique_for":60,"millrace":{"unique_key":"k","unique_scope":"global""#
        #expect(try front.ask(push("order-000001", own + "}")) == .ok)
        #expect(try front.ask(push("order-000002", queue: "other", own + "}")) == Self.notUnique)
        let quiet = own + #","unique_conflict":"ignore"}"#
        #expect(try front.ask(push("order-000003", queue: "other", quiet)) == .ok)
        #expect(try world.queued("other").isEmpty)
        #expect(try world.stored("order-000003") == nil)
    }

    @Test(
        "with an option that cannot be taken is refused by its name, and nothing is stored",
        arguments: [
            (#""unique_for":"60""#, "custom.unique_for must be a number of seconds"),
            (#""unique_for":1e400"#, "custom.unique_for must be at most 315360000 seconds"),
            (#""unique_until":"start""#, "custom.unique_until needs unique_for beside it"),
            (
                #""unique_for":60,"unique_until":"stop""#,
                #"custom.unique_until must be one of "success", "start", "expiry""#
            ),
            (#""unique_for":60,"millrace":{"unique_keys":"k"}"#, "custom.millrace.unique_keys is not known"),
            (#""unique_for":60,"millrace":{"unique_key":7}"#, "custom.millrace.unique_key must be a string"),
            (#""millrace":{"unique_key":"k"}"#, "custom.millrace.unique_key needs unique_for beside it"),
            (#""millrace":[1]"#, "custom.millrace must be an object"),
            (#""expires_in":"60""#, "custom.expires_in must be a number of seconds"),
            (#""expires_at":60"#, "custom.expires_at must be a time in RFC 3339"),
            (#""expires_at":"tomorrow""#, "custom.expires_at must be a time in RFC 3339"),
        ]
    )
    func strictness(custom: String, text: String) throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        #expect(try front.ask(push("order-000001", custom)) == .error("ERR \(text)"))
        #expect(try world.stored("order-000001") == nil)
        #expect(try locks(world) == 0)
        #expect(try front.ask(push("order-000001", #""unique_for":null,"millrace":null"#)) == .ok)
    }

    @Test("leaves a lock of no length free, and a purge drops those whose time is over")
    func purge() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(push("order-000001", #""unique_for":0"#), push("order-000002", #""unique_for":-1"#))
        #expect(try world.queued() == ["order-000001", "order-000002"])
        for number in 10..<20 {
            let custom = #""unique_for":\#(number),"millrace":{"unique_key":"\#(number)"}"#
            _ = try front.ask(push("order-0000\(number)", custom))
        }
        #expect(try locks(world) == 10)
        world.wait(.seconds(14))
        #expect(try world.tick(.purge) == 5)
        #expect(try locks(world) == 5)
        #expect(try front.wait(for: .flush) == .ok)
        #expect(try locks(world) == 0)
        #expect(try front.ask(push("order-000031", #""unique_for":60,"millrace":{"unique_key":"19"}"#)) == .ok)
    }

    @Test("costs one read for a whole turn, and none for the jobs of others")
    func reads() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.push("order-000001", #""custom":{"a":1}"#), .fetch("default"), .acknowledge("order-000001"))
        #expect(!world.manager.usesTables)
        _ = try front.ask(push("order-000002", #""unique_for":60"#))
        world.store.tableReadCount = 0
        let pushes = (10..<20).map { push("order-0000\($0)", #""unique_for":60,"millrace":{"unique_key":"\#($0)"}"#) }
        try front.send(front.number(pushes))
        #expect(world.store.tableReadCount == 1)
    }

    /// The job that a FETCH gets, also when the queue must be read first; without one, it waits no longer.
    private func fetch(from front: TestFront, in world: ManagerWorld) throws -> String? {
        let reply = try front.ask(.fetch("default"))
        guard reply == .parked else { return reply.jobID }
        let request = front.lastRequest
        try world.finish()
        if let late = front.late[request] { return late.jobID }
        try front.send([LinkCommand(request: request, .withdraw)])
        return nil
    }

    @Test("has its lock as a model has it, over histories of all that can happen to it", arguments: 0..<40)
    func histories(seed: UInt64) throws {
        var generator = SeededGenerator(seed: 0x51_0C_00 + seed)
        let world = try ManagerWorld()
        let front = try world.makeFront()
        var model = LockModel()
        var reserved: [String] = []
        for number in 0..<150 {
            switch Int.random(in: 0..<12, using: &generator) {
            case 0..<4:
                let job = LockModel.Job(
                    id: "order-\(100_000 + number)",
                    key: Int.random(in: 0..<3, using: &generator),
                    until: ["success", "start", "expiry"][Int.random(in: 0..<3, using: &generator)],
                    seconds: Int.random(in: 1...90, using: &generator)
                )
                let length = #""unique_for":\#(job.seconds),"unique_until":"\#(job.until)""#
                let custom = length + #","millrace":{"unique_key":"\#(job.key)"}"#
                let expected = model.push(job) ? LinkReply.ok : Self.notUnique
                #expect(try front.ask(push(job.id, custom)) == expected, "step \(number)")
            case 4..<7:
                let expected = model.fetch()
                #expect(try self.fetch(from: front, in: world) == expected, "step \(number)")
                if let expected { reserved.append(expected) }
            case 7..<9:
                guard let jobID = reserved.randomElement(using: &generator) else { continue }
                reserved.removeAll { $0 == jobID }
                model.acknowledge(jobID)
                #expect(try front.ask(.acknowledge(jobID)) == .ok)
            case 9:
                guard let jobID = reserved.randomElement(using: &generator) else { continue }
                reserved.removeAll { $0 == jobID }
                #expect(try front.ask(.fail(jobID)) == .ok)
            case 10:
                let seconds = Int.random(in: 1...20, using: &generator)
                world.wait(.seconds(seconds))
                try front.beat()
                model.now += seconds
                // A purge changes nothing that a client can see.
                if Bool.random(using: &generator) { try world.tick(.purge) }
            default:
                try world.failOver()
                try front.attach(isNew: false)
            }
        }
        #expect(model.refusedCount > 0)
    }

    @Test(
        "has one canonical text for each number",
        arguments: [
            ("0", "0"), ("-0.0", "0"), ("0e9", "0"), ("1", "1"), ("1.0", "1"), ("10", "1e1"), ("1E+1", "1e1"),
            ("-12.50e-3", "-125e-4"), ("100e-2", "1"), ("1e99999999999999999999", "1e99999999999999999999"),
            ("1e-99", "1e-99"), ("1e+0", "1"),
        ]
    )
    func numbers(text: String, canonical: String) {
        let form = Array(text.utf8).withUnsafeBufferPointer { CanonicalJSON.canonical(number: $0) }
        #expect(String(decoding: form, as: UTF8.self) == canonical)
    }
}

/// The rule of a lock in the fewest words, written without a look at the other.
private struct LockModel {
    struct Job {
        let id: String
        let key: Int
        let until: String
        let seconds: Int
    }

    var now = 0
    private(set) var refusedCount = 0
    private var jobs: [String: Job] = [:]
    private var queue: [String] = []
    private var owners: [Int: (id: String, end: Int)] = [:]

    mutating func push(_ job: Job) -> Bool {
        if let owner = self.owners[job.key], owner.end > self.now {
            self.refusedCount += 1
            return false
        }
        self.owners[job.key] = (job.id, self.now + job.seconds)
        self.jobs[job.id] = job
        self.queue.append(job.id)
        return true
    }

    mutating func fetch() -> String? {
        guard !self.queue.isEmpty else { return nil }
        let jobID = self.queue.removeFirst()
        self.leave(jobID, at: "start")
        return jobID
    }

    mutating func acknowledge(_ jobID: String) { self.leave(jobID, at: "success") }

    private mutating func leave(_ jobID: String, at moment: String) {
        guard let job = self.jobs[jobID], job.until == moment, self.owners[job.key]?.id == jobID else { return }
        self.owners[job.key] = nil
    }
}
