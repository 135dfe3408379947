import JobCore
import Testing

@Suite("Changes of a job")
struct JobChangesTests {
    static let time = WallTime(nanosecondsSinceEpoch: 1_772_352_930_500_041_000)
    static let stamp = "2026-03-01T08:15:30.500041Z"

    @Test("the server's time stamps are appended, and replaced where they stand")
    func stamps() throws {
        var job = try Job(payload(#""retry":1,"queue":"q""#))
        job.setCreatedAtIfMissing(Self.time)
        job.markEnqueued(at: Self.time)
        #expect(
            job.text == payload(#""retry":1,"queue":"q","created_at":"\#(Self.stamp)","enqueued_at":"\#(Self.stamp)""#)
        )
        job.setCreatedAtIfMissing(WallTime(nanosecondsSinceEpoch: 0))
        job.markEnqueued(at: WallTime(nanosecondsSinceEpoch: 0))
        #expect(job.createdAt == Self.time)
        #expect(job.enqueuedAt == WallTime(nanosecondsSinceEpoch: 0))
        job.removeEnqueuedAt()
        #expect(job.text == payload(#""retry":1,"queue":"q","created_at":"\#(Self.stamp)""#))
        job.removeEnqueuedAt()
        #expect(job.text == payload(#""retry":1,"queue":"q","created_at":"\#(Self.stamp)""#))
    }

    @Test("an empty or null created_at is filled in, and any other is kept", arguments: ["\"\"", "null"])
    func fillsIn(value: String) throws {
        var job = try Job(#"{"created_at":\#(value) ,"jid":"12345678","jobtype":"A","args":[],"retry":1,"queue":"q"}"#)
        job.setCreatedAtIfMissing(Self.time)
        #expect(
            job.text
                == #"{"created_at":"\#(Self.stamp)" ,"jid":"12345678","jobtype":"A","args":[],"retry":1,"queue":"q"}"#
        )
        var other = try Job(payload(#""created_at":"long ago","retry":1,"queue":"q""#))
        other.setCreatedAtIfMissing(Self.time)
        #expect(other.text == payload(#""created_at":"long ago","retry":1,"queue":"q""#))
    }

    @Test("enqueued_at goes with exactly one comma, wherever it stands")
    func removal() throws {
        let stamp = #""enqueued_at":"2026-03-01T08:15:30Z""#
        let rest = #""jid":"12345678","jobtype":"A","args":[],"retry":1"#
        for (text, expected) in [
            (#"{\#(stamp) , \#(rest),"queue":"q"}"#, #"{\#(rest),"queue":"q"}"#),
            (#"{\#(rest) , \#(stamp) , "queue":"q"}"#, #"{\#(rest) , "queue":"q"}"#),
            (#"{\#(rest),"queue":"q",\#(stamp) }"#, #"{\#(rest),"queue":"q" }"#),
            (#"{\#(rest),"enqueued_at":null,"queue":"q"}"#, #"{\#(rest),"queue":"q"}"#),
        ] {
            var job = try Job(text)
            job.removeEnqueuedAt()
            #expect(job.text == expected)
            #expect(job.queue.text == "q")
            #expect(job.enqueuedAt == nil)
        }
    }

    @Test("a job nested as deep as allowed can be changed like any other")
    func deepest() throws {
        let brackets = String(repeating: "[", count: 511) + String(repeating: "]", count: 511)
        let text = #"{"jid":"12345678","jobtype":"A","args":\#(brackets),"retry":1,"queue":"q"}"#
        var job = try Job(text)
        job.markEnqueued(at: Self.time)
        job.removeEnqueuedAt()
        #expect(job.text == text)
    }

    @Test("a failure is written in upstream's order without what is empty, and read back the same")
    func failures() throws {
        var job = try Job(payload(#""retry":1,"queue":"q""#))
        let first = Failure(failedAt: Self.time, remaining: 25)
        job.record(first)
        #expect(
            job.text
                == payload(
                    #""retry":1,"queue":"q","failure":{"failed_at":"\#(Self.stamp)","retry_count":0,"remaining":25}"#
                )
        )
        #expect(job.failure == first)

        let second = Failure(
            failedAt: Self.time,
            nextAt: Self.time + .seconds(15),
            message: "no \"ink\"\n",
            errorType: "E",
            backtrace: ["a:1", "b"],
            retryCount: 1,
            remaining: 24
        )
        job.record(second)
        #expect(job.failure == second)
        #expect(
            job.text.contains(
                #""next_at":"2026-03-01T08:15:45.500041Z","message":"no \"ink\"\n","errtype":"E","backtrace":["a:1","b"],"retry_count":1"#
            )
        )
    }

    @Test("a failure that a client sends is honoured, in any case of its keys")
    func clientFailure() throws {
        let job = try Job(payload(#""failure":{"Retry_Count":3,"errType":"X","failed_at":"?","next_at":null}"#))
        #expect(job.failure == Failure(failedAt: nil, errorType: "X", retryCount: 3))
    }

    @Test("finds custom values by their keys, however these are written, the last under each, and none that are null")
    func customValues() throws {
        let custom = #"{"a":1,"\u0061b":[2],"other":{"a":9},"a":"é","c":null,"d":3,"d":null}"#
        let job = try Job(parsing: Array(#"{"jid":"12345678","jobtype":"A","args":[],"custom":\#(custom)}"#.utf8))
        let found = job.customValues(under: ["a", "ab", "c", "d", "e"])
        #expect(found.mapValues { String(decoding: $0, as: UTF8.self) } == ["a": "\"é\"", "ab": "[2]"])
        let bare = try Job(parsing: Array(#"{"jid":"12345678","jobtype":"A","args":[],"custom":null}"#.utf8))
        #expect(bare.customValues(under: ["a"]).isEmpty)
    }

    @Test("a custom value is appended, replaced where it stands, or starts the object")
    func custom() throws {
        var job = try Job(payload(#""retry":1,"queue":"q""#))
        try job.setCustom("a", to: Array(" [1.10,\n2] ".utf8))
        #expect(job.custom.text == #"{"a":[1.10, 2]}"#)
        try job.setCustom("b\"", to: Array("null".utf8))
        try job.setCustom("a", to: Array("7".utf8))
        #expect(job.custom.text == #"{"a":7,"b\"":null}"#)
        #expect(job.customValue("a").text == "7")
        #expect(job.customValue("b\"").text == "null")
        #expect(job.customValue("A") == nil)

        var empty = try Job(payload(#""custom":{ },"retry":1,"queue":"q""#))
        #expect(empty.customValues(under: ["track"]).isEmpty)
        try empty.setCustom("track", to: Array("1".utf8))
        #expect(empty.text == payload(#""custom":{ "track":1},"retry":1,"queue":"q""#))
        #expect(empty.queue.text == "q")

        var null = try Job(payload(#""custom":null,"retry":1,"queue":"q""#))
        try null.setCustom("track", to: Array("1".utf8))
        #expect(null.text == payload(#""custom":{"track":1},"retry":1,"queue":"q""#))
    }

    @Test("a custom value is kept under exactly its key, beside one that Unicode says is the same")
    func customUnderEquivalentKey() throws {
        var job = try Job(payload(#""custom":{"e\u0301":1},"retry":1,"queue":"q""#))
        #expect(job.customValue("\u{E9}") == nil)
        try job.setCustom("\u{E9}", to: Array("2".utf8))
        #expect(job.customValue("e\u{301}").text == "1")
        #expect(job.customValue("\u{E9}").text == "2")
    }

    @Test("a custom value that is no JSON, or nested too deep, is refused and changes nothing")
    func refusesCustom() throws {
        var job = try Job(payload(#""retry":1,"queue":"q""#))
        for text in ["", "{", "1 2", "x"] {
            #expect(throws: JobRejection.self) { try job.setCustom("a", to: Array(text.utf8)) }
        }
        func brackets(_ depth: Int) -> [UInt8] {
            Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        #expect(throws: JobRejection.self) { try job.setCustom("a", to: brackets(511)) }
        #expect(job.text == payload(#""retry":1,"queue":"q""#))
        try job.setCustom("a", to: brackets(510))
        #expect(try Job(job.text).text == job.text)
    }

    @Test("after any changes the payload says what the properties say", arguments: UInt64(1)...60)
    func property(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for round in 0..<20 {
            let text = OddJob.payload(using: &generator)
            var job = try Job(text)
            for _ in 0..<6 {
                try Self.change(&job, using: &generator)
                try Self.expectConsistent(job, "seed \(seed), round \(round): \(text)")
            }
        }
    }

    private static func change(_ job: inout Job, using generator: inout SeededGenerator) throws {
        let time = WallTime(nanosecondsSinceEpoch: Int64.random(in: 0 ... .max, using: &generator))
        switch Int.random(in: 0..<5, using: &generator) {
        case 0: job.setCreatedAtIfMissing(time)
        case 1: job.markEnqueued(at: time)
        case 2: job.removeEnqueuedAt()
        case 3: job.record(Failure(failedAt: time, message: OddJob.text(using: &generator), remaining: 3))
        default:
            let key = ["a", "b", "x y", "é\"", ""].randomElement(using: &generator) ?? "a"
            let value = OddJob.value(depth: 3, using: &generator)
            try job.setCustom(key, to: Array(value.utf8))
            let kept = try JSONValue(parsing: job.customValue(key) ?? [])
            #expect(try kept == JSONValue(parsing: value))
        }
    }

    private static func expectConsistent(_ job: Job, _ comment: String) throws {
        let again = try Job(parsing: job.payload)
        try #require(again.payload == job.payload, "\(comment)")
        try #require(
            again.id == job.id && again.type == job.type && again.queue == job.queue && again.retry == job.retry
                && again.reserveFor == job.reserveFor && again.at == job.at && again.createdAt == job.createdAt
                && again.enqueuedAt == job.enqueuedAt && again.failure == job.failure && again.custom == job.custom
                && again.arguments == job.arguments && again.backtraceLines == job.backtraceLines,
            "\(comment)"
        )
        try #require(!job.payload.contains { $0 == 0x0A || $0 == 0x0D }, "\(comment)")

        // The tree is read by other code than the places in the payload are kept by.
        let document = try JSONValue(parsing: job.payload)
        try #require(document.field("jid")?.string == job.id.text, "\(comment)")
        try #require(document.field("queue")?.string == job.queue.text, "\(comment)")
        try #require(document.field("retry")?.integer == job.retry, "\(comment)")
        let arguments = try JSONValue(parsing: job.arguments)
        try #require(document.field("args") == arguments, "\(comment)")
        let stamp = document.field("enqueued_at")?.string.flatMap { WallTime(rfc3339: $0) }
        try #require(stamp == job.enqueuedAt, "\(comment)")
    }
}

/// Makes payloads that are acceptable but odd: spaces, escapes, unknown and repeated members, any order and case.
enum OddJob {
    static func payload(using generator: inout SeededGenerator) -> String {
        var members = [
            (self.spelling("jid", &generator), #""order-\u0030\#(Int.random(in: 100...999, using: &generator))""#),
            (self.spelling("jobtype", &generator), "\"T" + self.characters(using: &generator) + "\""),
            (self.spelling("args", &generator), "[" + self.value(depth: 3, using: &generator) + "]"),
        ]
        let optional: [(String, [String])] = [
            ("queue", ["null", "\"\"", "\"mail\"", "\"a.b-c_\""]),
            ("retry", ["null", "0", "-1", "12"]),
            ("reserve_for", ["0", "-7", "86400", "null"]),
            ("at", ["null", "\"\"", "\"2026-03-01T08:15:30.123456789123+05:30\""]),
            ("created_at", ["null", "\"\"", "\"never\"", "\"2026-03-01T08:15:30Z\""]),
            ("enqueued_at", ["null", "\"\"", "\"never\"", "\"2026-03-01T08:15:30Z\""]),
            ("custom", ["null", "{}", "{ }", #"{"a":1,"b" : [ 2 ],"a":{"c":3}}"#, #"{"\u0061":"x"}"#]),
            ("failure", ["null", "{}", #"{"retry_count":2,"remaining":1,"message":"é"}"#]),
            ("backtrace", ["null", "0", "20"]),
        ]
        for (key, values) in optional {
            for _ in 0..<([0, 0, 1, 1, 1, 2].randomElement(using: &generator) ?? 0) {
                members.append((self.spelling(key, &generator), values.randomElement(using: &generator) ?? "null"))
            }
        }
        for _ in 0..<Int.random(in: 0...3, using: &generator) {
            members.append(("u" + self.characters(using: &generator), self.value(depth: 2, using: &generator)))
        }
        members.shuffle(using: &generator)
        var text = self.space(&generator) + "{" + self.space(&generator)
        for (index, member) in members.enumerated() {
            if index > 0 { text += "," + self.space(&generator) }
            text += "\"\(member.0)\"" + self.space(&generator) + ":" + self.space(&generator) + member.1
            text += self.space(&generator)
        }
        return text + "}" + self.space(&generator)
    }

    static func value(depth: Int, using generator: inout SeededGenerator) -> String {
        let space = self.space(&generator)
        switch Int.random(in: 0..<(depth > 0 ? 8 : 6), using: &generator) {
        case 0: return ["null", "true", "false"].randomElement(using: &generator) ?? "null"
        case 1: return ["0", "-0", "1.10", "1e400", "12345678901234567890"].randomElement(using: &generator) ?? "0"
        case 2, 3, 4, 5: return "\"" + self.characters(using: &generator) + "\""
        case 6:
            let elements = (0..<3).map { _ in self.value(depth: depth - 1, using: &generator) }
            return "[" + space + elements.joined(separator: space + ",") + "]"
        default:
            let members = (0..<3).map { _ in
                "\"\(self.characters(using: &generator))\"" + space + ":"
                    + self.value(depth: depth - 1, using: &generator)
            }
            return "{" + members.joined(separator: "," + space) + space + "}"
        }
    }

    static func text(using generator: inout SeededGenerator) -> String {
        ["", "plain", "\"quoted\"", "a\\b\n\u{1}", "€😀\u{2028}"].randomElement(using: &generator) ?? ""
    }

    /// Characters inside of quotes, some of them looking like JSON.
    private static func characters(using generator: inout SeededGenerator) -> String {
        let pieces = [
            "a", "jid", #"\""#, #"\\"#, #"\u00e9"#, #"\ud800"#, "é", "😀", "{", "}", ",", ":", "[", "]", " ", "<",
        ]
        return (0..<Int.random(in: 0...12, using: &generator))
            .map { _ in pieces.randomElement(using: &generator) ?? "" }
            .joined()
    }

    private static func space(_ generator: inout SeededGenerator) -> String {
        ["", "", "", " ", "\t", "\n", "\r\n  "].randomElement(using: &generator) ?? ""
    }

    private static func spelling(_ key: String, _ generator: inout SeededGenerator) -> String {
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: key.uppercased()
        case 1: key.prefix(1).uppercased() + key.dropFirst()
        default: key
        }
    }
}
