import ClusterLink
import JobCore
import JobStorage
import Testing

@testable import Manager

@Suite("INFO, QUEUE LATENCY and PUSHB: what is answered")
struct InformationTests {
    static func information(_ front: TestFront) throws -> JSONValue {
        let reply = try front.wait(for: .info)
        return try JSONValue(parsing: reply.text ?? "")
    }

    static func keys(_ document: JSONValue?) -> [String] {
        guard case .object(let members)? = document else { return [] }
        return members.map(\.key)
    }

    @Test("INFO has the four top-level keys of upstream and all below them, in upstream's order")
    func shape() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let document = try Self.information(front)
        #expect(Self.keys(document) == ["now", "server_utc_time", "faktory", "server"])
        let faktory = document.field("faktory")
        #expect(
            Self.keys(faktory) == [
                "queues", "sets", "tasks", "total_failures", "total_processed", "total_enqueued", "total_queues",
            ]
        )
        #expect(Self.keys(faktory?.field("sets")) == ["dead", "retries", "scheduled", "working"])
        let tasks = faktory?.field("tasks")
        #expect(Self.keys(tasks) == ["Busy", "Dead", "Retries", "Scheduled", "Workers"])
        for name in ["Busy", "Workers"] { #expect(Self.keys(tasks?.field(name)) == ["reaped", "size"]) }
        for name in ["Dead", "Retries", "Scheduled"] {
            #expect(Self.keys(tasks?.field(name)) == ["cycles", "enqueued", "size", "wall_time_sec"])
        }
        #expect(
            Self.keys(document.field("server")) == [
                "description", "faktory_version", "uptime", "connections", "command_count", "used_memory_mb",
            ]
        )
    }

    @Test("INFO tells what there is")
    func figures() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront(1)
        let other = try world.makeFront(2)
        let at = (ManagerWorld.start + .seconds(3_600)).rfc3339
        try front.send(.push("order-000001"), .push("order-000002", queue: "bulk"), .push("order-000003"))
        try front.send(.push("order-000004", #""at":"\#(at)""#), .push("order-000005", queue: "dead", #""retry":-1"#))
        try front.send(.push("order-000006", queue: "retried"), .fetch("dead"), .fail("order-000005"))
        try front.send(.fetch("retried"), .fail("order-000006"), .fetch("bulk"), .joined("worker-1"))
        try front.beat(FrontStatistics(connectionCount: 3, commandCount: 100))
        try other.beat(FrontStatistics(connectionCount: 4, commandCount: 11))
        world.wait(.milliseconds(90_500))
        let document = try Self.information(front)
        #expect(document.field("now")?.string == "2026-03-01T08:17:00.5Z")
        #expect(document.field("server_utc_time")?.string == "08:17:00 UTC")
        let faktory = document.field("faktory")
        #expect(faktory?.field("queues") == ["bulk": 0, "dead": 0, "default": 2, "retried": 0])
        #expect(faktory?.field("sets") == ["dead": 1, "retries": 1, "scheduled": 1, "working": 1])
        #expect(faktory?.field("total_failures")?.integer == 2)
        #expect(faktory?.field("total_processed")?.integer == 2)
        #expect(faktory?.field("total_enqueued")?.integer == 2)
        #expect(faktory?.field("total_queues")?.integer == 4)
        #expect(faktory?.field("tasks")?.field("Busy")?.field("size")?.integer == 1)
        #expect(faktory?.field("tasks")?.field("Workers")?.field("size")?.integer == 1)
        let server = document.field("server")
        #expect(server?.field("uptime")?.integer == 90)
        #expect(server?.field("connections")?.integer == 7)
        #expect(server?.field("command_count")?.integer == 111)
        #expect(server?.field("faktory_version")?.string == "1.10.0")
    }

    @Test("INFO's uptime is that of the front that has run longest, whatever becomes of the leader")
    func uptime() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront(1)
        let other = try world.makeFront(2)
        try front.beat(FrontStatistics(uptimeSeconds: 7_200))
        #expect(front.others.contains(.speaks(front.session, version: 2)))
        try other.beat(FrontStatistics())
        #expect(!other.others.contains(.speaks(other.session, version: 2)))
        try world.failOver()
        try front.attach(isNew: false)
        try front.beat(FrontStatistics(uptimeSeconds: 7_201))
        let document = try JSONValue(parsing: Array(try #require(front.wait(for: .info).text).utf8))
        #expect(document.field("server")?.field("uptime")?.integer == 7_201)
    }

    // MARK: LATENCY

    @Test("QUEUE LATENCY tells the seconds that the oldest job has waited, keys sorted, 0 where there is none")
    func latency() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.push("order-000001", queue: "default"))
        world.wait(.milliseconds(7_820))
        try front.send(.push("order-000002", queue: "mail"), .push("order-000003"))
        world.wait(.milliseconds(320))
        let names = ["mail", "default", "bulk", "mail", "no name", "\"quoted\""]
        let text = #"{"\"quoted\"":0,"bulk":0,"default":8.14,"mail":0.32,"no name":0}"#
        #expect(try front.wait(for: .latency(queues: names)).text == text)
        try world.failOver()
        try front.attach(isNew: false)
        #expect(try front.wait(for: .latency(queues: names)).text == text)
        #expect(try front.wait(for: .latency(queues: [])).text == "{}")
    }

    @Test("QUEUE LATENCY is never negative, though the clock was set back")
    func latencyAfterAClockStep() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.push("order-000001"))
        world.wait(.seconds(-30))
        #expect(try front.wait(for: .latency(queues: ["default"])).text == #"{"default":0}"#)
    }

    // MARK: PUSHB

    static func bulk(_ jobs: [[UInt8]]) -> LinkCommand.Body {
        .pushBulk(jobs: Array("[".utf8) + Array(jobs.joined(separator: Array(",".utf8))) + Array("]".utf8))
    }

    @Test("a bulk push of good jobs is answered with an empty object, and stores them in their order")
    func bulkPush() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let jobs = (1...10).map { payload("order-0000\(10 + $0)") }
        #expect(try front.ask(Self.bulk(jobs)).text == "{}")
        #expect(try world.queued() == (1...10).map { "order-0000\(10 + $0)" })
        #expect(try front.ask(.pushBulk(jobs: Array("null".utf8))).text == "{}")
        #expect(try front.ask(.pushBulk(jobs: Array("[]".utf8))).text == "{}")
    }

    @Test("a bulk push tells of each refused job under its jid, keys sorted, and stores the others")
    func bulkPushWithRefusals() throws {
        let world = try ManagerWorld { manager in
            manager.addMiddleware(.push) { context, next in
                if context.job.id.text == "order-000003" {
                    throw KnownError.halt(code: "NOTUNIQUE", message: "Job not unique")
                }
                try next()
            }
        }
        let front = try world.makeFront()
        let reply = try front.ask(
            Self.bulk([
                payload("order-000003"), payload("short"), payload("order-000001"), Array("null".utf8),
                payload("short"), payload("order-000002", queue: "no name"),
            ])
        )
        #expect(
            reply.text == "{"
                + #""":"jobs must have a reasonable jid parameter","#
                + #""order-000002":"cannot get \"no name\" queue: queue names must match \\A[a-zA-Z0-9._-]+\\z","#
                + #""order-000003":"NOTUNIQUE Job not unique","#
                + #""short":"jobs must have a reasonable jid parameter""# + "}"
        )
        #expect(world.data.jobIDs.map(\.text) == ["order-000001"])
    }

    @Test("a bulk push that is no array of jobs is refused as a whole", arguments: ["{}", "[", #"[{"jid":1}]"#, ""])
    func badBulkPush(text: String) throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let reply = try front.ask(.pushBulk(jobs: Array(text.utf8)))
        #expect(reply.text?.hasPrefix("ERR invalid JSON: ") == true)
        #expect(world.data.jobIDs.isEmpty)
    }

    @Test("a push that is refused is answered in upstream's words, and nothing is stored")
    func refusedPush() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        #expect(try front.ask(.push("short")) == .error("ERR jobs must have a reasonable jid parameter"))
        let reply = try front.ask(.push(job: Array("{\"jid\":\"order-000001\"}".utf8)))
        #expect(reply == .error("ERR jobs must have a jobtype parameter"))
        #expect(world.data.jobIDs.isEmpty)
        #expect(try front.ask(.fail("order-000001")) == .error("ERR Job not found order-000001"))
    }
}
