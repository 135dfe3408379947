import JobCore
import Testing

@Suite("Jobs")
struct JobTests {
    @Test("a payload that says all that is needed is kept byte for byte")
    func keepsBytes() throws {
        let text =
            #"{ "jid" : "order-000017","priority":5,"retry":3,"jobtype":"Ship\u004frder","queue":"a.B_-9","#
            + #""args":[9007199254740993,12345678901234567890,1.10,1e400,"<&>","#
            + "\"\u{2028}😀\\ud800\"],\"custom\":{\"x\" : 1.0},\"unknown\":[ {} ],\"reserve_for\":600 , \"backtrace\":20}"
        let job = try Job("  \(text) ")
        #expect(job.text == text)
        #expect(job.id == JobID("order-000017"))
        #expect(job.type == "ShipOrder")
        #expect(job.queue.text == "a.B_-9")
        #expect(job.retry == 3)
        #expect(job.reserveFor == 600)
        #expect(job.reservationLength == .seconds(600))
        #expect(job.backtraceLines == 20)
        #expect(job.custom.text == #"{"x" : 1.0}"#)
        #expect(
            String(decoding: job.arguments, as: UTF8.self)
                == "[9007199254740993,12345678901234567890,1.10,1e400,\"<&>\",\"\u{2028}😀\\ud800\"]"
        )
        #expect(job.at == nil)
        #expect(job.createdAt == nil)
        #expect(job.enqueuedAt == nil)
        #expect(job.failure == nil)
    }

    @Test(
        "a job that must not be stored is rejected with the words of upstream",
        arguments: [
            ("", "invalid JSON: unexpected end of JSON input"),
            ("{", "invalid JSON: unexpected end of JSON input"),
            (#"{"jid":}"#, "invalid JSON: invalid character '}' looking for beginning of value"),
            (payload() + "x", "invalid JSON: invalid character 'x' after top-level value"),
            ("[]", "invalid JSON: json: cannot unmarshal array into Go value of type client.Job"),
            ("\"x\"", "invalid JSON: json: cannot unmarshal string into Go value of type client.Job"),
            ("null", "jobs must have a reasonable jid parameter"),
            ("{}", "jobs must have a reasonable jid parameter"),
            (#"{"jid":null,"jobtype":"x","args":[]}"#, "jobs must have a reasonable jid parameter"),
            (#"{"jid":"1234567","jobtype":"","args":null}"#, "jobs must have a reasonable jid parameter"),
            (#"{"jid":"12345678"}"#, "jobs must have a jobtype parameter"),
            (#"{"jid":"12345678","jobtype":"","reserve_for":86401}"#, "jobs must have a jobtype parameter"),
            (#"{"jid":"12345678","jobtype":null,"args":[]}"#, "jobs must have a jobtype parameter"),
            (#"{"jid":"12345678","jobtype":"x","reserve_for":86401}"#, "jobs must have an args parameter"),
            (#"{"jid":"12345678","jobtype":"x","args":null}"#, "jobs must have an args parameter"),
            (payload(#""reserve_for":86401,"at":"x""#), "jobs cannot be reserved for more than one day"),
            (
                payload(#""at":"to\nday","queue":"a b""#),
                #"invalid timestamp for 'at': "to?day": not a timestamp of RFC 3339"#
            ),
            (
                payload(#""at":"300000-01-01T00:00:00Z""#),
                #"invalid timestamp for 'at': "300000-01-01T00:00:00Z": not a timestamp of RFC 3339"#
            ),
            (
                payload(#""queue":"a b/c""#),
                #"cannot get "a b/c" queue: queue names must match \A[a-zA-Z0-9._-]+\z"#
            ),
            (
                payload(#""queue":"a b","at":"2999-01-01T00:00:00Z""#),
                #"cannot get "a b" queue: queue names must match \A[a-zA-Z0-9._-]+\z"#
            ),
        ]
    )
    func rejects(text: String, message: String) {
        let rejection = #expect(throws: JobRejection.self) { try Job(text) }
        #expect(rejection?.message == message)
    }

    @Test(
        "a known field with a value of the wrong type is rejected before anything else",
        arguments: [
            (#""retry":"3""#, "string", "retry", "int"),
            (#""retry":1.5"#, "number 1.5", "retry", "int"),
            (#""retry":1e2"#, "number 1e2", "retry", "int"),
            (#""retry":2147483648"#, "number 2147483648", "retry", "int"),
            (#""retry":-2147483649"#, "number -2147483649", "retry", "int"),
            (#""reserve_for":0.5"#, "number 0.5", "reserve_for", "int"),
            (#""reserve_for":9223372036854775808"#, "number 9223372036854775808", "reserve_for", "int"),
            (#""backtrace":true"#, "bool", "backtrace", "int"),
            (#""queue":7"#, "number", "queue", "string"),
            (#""at":5"#, "number", "at", "string"),
            (#""created_at":{}"#, "object", "created_at", "string"),
            (#""enqueued_at":[]"#, "array", "enqueued_at", "string"),
            (#""custom":[]"#, "array", "custom", "map[string]interface {}"),
            (#""args":{}"#, "object", "args", "[]interface {}"),
            (#""jid":12345678"#, "number", "jid", "string"),
            (#""jobtype":12345678"#, "number", "jobtype", "string"),
            (#""failure":"x""#, "string", "failure", "client.Failure"),
            (#""failure":{"retry_count":"1"}"#, "string", "failure.retry_count", "int"),
            (#""failure":{"backtrace":[1]}"#, "array", "failure.backtrace", "[]string"),
            (#""failure":{"message":1}"#, "number", "failure.message", "string"),
        ]
    )
    func rejectsTypes(members: String, found: String, field: String, type: String) {
        let rejection = #expect(throws: JobRejection.self) { try Job("{\(members)}") }
        let text = "invalid JSON: json: cannot unmarshal \(found) into Go struct field Job.\(field) of type \(type)"
        #expect(rejection?.message == text)
    }

    @Test("what all clients rely on is put right, and nothing else changes")
    func canonical() throws {
        let table = [
            (payload(), payload(#""retry":25,"queue":"default""#)),
            (payload(#""retry":null,"queue":"" "#), payload(#""retry":25,"queue":"default" "#)),
            (payload(#""retry":-1,"queue":null"#), payload(#""retry":-1,"queue":"default""#)),
            (
                #"{"JID":"order-000017", "jobType":"A","args":[],"Retry":1,"queue":"q","X":1}"#,
                #"{"jid":"order-000017", "jobtype":"A","args":[],"retry":1,"queue":"q","X":1}"#
            ),
            (
                #"{"jobtype":"old", "jid":"order-000017","x":1,"x":2,"args":[1],"ARGS":[2],"jobType":"new","retry":0,"queue":"q"}"#,
                #"{"jid":"order-000017","x":1,"x":2,"args":[2],"jobtype":"new","retry":0,"queue":"q"}"#
            ),
            (
                #"{"\u006aid":"order-000017","jobtype":"A","args":[],"retry":1,"queue":"q"}"#,
                #"{"jid":"order-000017","jobtype":"A","args":[],"retry":1,"queue":"q"}"#
            ),
            (
                "{\r\n\"jid\":\"order-000017\",\"jobtype\":\"A\",\"args\":[\n],\"retry\":1,\"queue\":\"q\"}\n",
                #"{  "jid":"order-000017","jobtype":"A","args":[ ],"retry":1,"queue":"q"}"#
            ),
        ]
        for (text, expected) in table {
            let job = try Job(text)
            #expect(job.text == expected)
            #expect(try Job(expected).text == expected)
        }
    }

    @Test("a null in an optional field counts as absent")
    func nulls() throws {
        let job = try Job(
            payload(
                #""at":null,"created_at":null,"enqueued_at":null,"custom":null,"failure":null,"reserve_for":null,"backtrace":null"#
            )
        )
        #expect(job.at == nil && job.createdAt == nil && job.enqueuedAt == nil && job.failure == nil)
        #expect(job.custom == nil)
        #expect(job.customValue("x") == nil)
        #expect(job.reserveFor == 0 && job.backtraceLines == 0)
    }

    @Test("the jid has 8 to 255 bytes, and the queue's name up to 255")
    func bounds() throws {
        func job(idByteCount: Int, queueByteCount: Int = 1) throws(JobRejection) -> Job {
            let id = String(repeating: "x", count: idByteCount)
            let queue = String(repeating: "q", count: queueByteCount)
            return try Job(#"{"jid":"\#(id)","jobtype":"A","args":[],"queue":"\#(queue)"}"#)
        }
        #expect(throws: JobRejection.unreasonableID) { try job(idByteCount: 7) }
        _ = try job(idByteCount: 8)
        _ = try job(idByteCount: 255, queueByteCount: 255)
        let overlongID = #expect(throws: JobRejection.overlongID(byteCount: 256)) { try job(idByteCount: 256) }
        #expect(overlongID?.message == "jobs cannot have a jid longer than 255 bytes: 256")
        let overlongQueue = #expect(throws: JobRejection.overlongQueueName(byteCount: 256)) {
            try job(idByteCount: 8, queueByteCount: 256)
        }
        #expect(overlongQueue?.message == "queue names cannot be longer than 255 bytes: 256")
    }

    @Test("a payload of 64 MiB is looked at, and a longer one is not")
    func payloadBound() {
        let longest = [UInt8](repeating: UInt8(ascii: "}"), count: Job.maximumByteCount)
        let character = "invalid character '}' looking for beginning of value"
        #expect(throws: JobRejection.invalidJSON(character)) { try Job(parsing: longest) }
        let rejection = #expect(throws: JobRejection.tooLarge(byteCount: longest.count + 1)) {
            try Job(parsing: longest + [0])
        }
        #expect(rejection?.message == "jobs cannot be larger than 67108864 bytes: 67108865")
    }

    @Test(
        "a reservation lasts as long as asked for, within a minute and a day",
        arguments: [(0, 1800), (-5, 60), (59, 60), (60, 60), (61, 61), (86_400, 86_400), (86_401, 86_400)]
    )
    func reservation(seconds: Int, length: Int) {
        #expect(Job.reservationLength(forReserveFor: seconds) == .seconds(length))
    }

    @Test("jobs of different retry values do not influence each other, and the extremes are taken")
    func retries() throws {
        for (text, retry) in [
            ("7", 7), ("0", 0), ("-1", -1), ("2147483647", 2_147_483_647), ("-2147483648", -2_147_483_648),
        ] {
            #expect(try Job(payload(#""retry":\#(text)"#)).retry == retry)
            #expect(try Job(payload()).retry == 25)
            #expect(try Job(payload(#""retry":null"#)).retry == 25)
        }
    }

    @Test("a lone surrogate is kept in the bytes and read as U+FFFD")
    func loneSurrogate() throws {
        let job = try Job(#"{"jid":"1234567\ud800","jobtype":"A","args":[],"retry":1,"queue":"q"}"#)
        #expect(job.id.text == "1234567\u{FFFD}")
        #expect(job.text.contains(#""jid":"1234567\ud800""#))
    }

    @Test("times are read from the payload, escapes in them too")
    func times() throws {
        let job = try Job(payload(#""at":"2026-03-01T09:15:30+01:00","created_at":"2026-03-01T08:15:30\u005a""#))
        #expect(job.at?.rfc3339 == "2026-03-01T08:15:30Z")
        #expect(job.createdAt?.rfc3339 == "2026-03-01T08:15:30Z")
        #expect(try Job(payload(#""created_at":"long ago""#)).createdAt == nil)
        #expect(try Job(payload(#""at":"""#)).at == nil)
    }

    @Test("512 levels of nesting are accepted in a payload, and one more is not")
    func depth() throws {
        func job(depth: Int) throws(JobRejection) -> Job {
            let brackets = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
            return try Job(#"{"jid":"12345678","jobtype":"A","args":\#(brackets)}"#)
        }
        _ = try job(depth: 511)
        #expect(throws: JobRejection.invalidJSON("exceeded max depth")) { try job(depth: 512) }
    }
}
