import FaktoryWire
import JobCore
import Testing

@Suite("Commands")
struct CommandsParsingTests {
    private static func parse(_ line: String) -> Command {
        .parse(line: Array(line.utf8)[...])
    }

    @Test("a command is what its verb says, its argument taken literally")
    func commands() {
        let table: [(String, Command)] = [
            ("PUSH {}", .push(Array("{}".utf8)[...])),
            ("PUSH  {} ", .push(Array(" {} ".utf8)[...])),
            ("PUSH ", .push([])),
            ("PUSHB []", .pushBulk(Array("[]".utf8)[...])),
            ("FETCH default", .fetch(["default"])),
            ("FETCH a b/c  d ", .fetch(["a", "b/c", "d"])),
            (#"ACK {"jid":"x"}"#, .acknowledge(JobID("x"))),
            (#"ACK {"n":null,"JID":"x\u0041"} "#, .acknowledge(JobID("xA"))),
            (#"ACK {"jid":""}"#, .acknowledge(JobID(""))),
            (#"ACK {"jid":"a","jid":"b"}"#, .acknowledge(JobID("b"))),
            (
                #"FAIL {"jid":"x","errType":"E","message":" m ","backtrace":["l"]}"#,
                .fail(FailPayload(jobID: JobID("x"), errorType: "E", message: "m", backtrace: ["l"]))
            ),
            (
                #"BEAT {"wid":"w","current_state":"quiet","rss_kb":54176}"#,
                .beat(WorkerBeat(worker: WorkerID("w"), currentState: "quiet", residentKilobytes: 54_176))
            ),
            (#"BEAT {"wid":"w","rss_kb":null}"#, .beat(WorkerBeat(worker: WorkerID("w")))),
            ("BEAT {}", .beat(WorkerBeat(worker: WorkerID("")))),
            ("INFO", .info), ("INFO now", .info), ("FLUSH", .flush), ("FLUSH ", .flush), ("END", .end), ("END ", .end),
            ("QUEUE PAUSE a b", .queue(.pause(.names(["a", "b"])))),
            ("QUEUE pause *", .queue(.pause(.all))),
            ("QUEUE Resume * a", .queue(.resume(.all))),
            ("QUEUE REMOVE a *", .queue(.remove(.names(["a", "*"])))),
            ("QUEUE LATENCY a b", .queue(.latency(["a", "b"]))),
            ("QUEUE LATENCY", .queue(.latency([]))),
        ]
        for (line, command) in table {
            #expect(Self.parse(line) == command, "\(line)")
        }
    }

    @Test(
        "a command that cannot be understood is answered in upstream's words",
        arguments: [
            ("", "unknown command "),
            ("push {}", "unknown command push"),
            ("HELLO {}", "unknown command HELLO"),
            (" PUSH {}", "unknown command "),
            ("PUSHBB []", "unknown command PUSHBB"),
            ("a\rb\u{0} x", "unknown command a?b?"),
            ("PUSH", "missing argument for PUSH"),
            ("PUSHB", "missing argument for PUSHB"),
            ("ACK", "missing argument for ACK"),
            ("FAIL", "missing argument for FAIL"),
            ("BEAT", "missing argument for BEAT"),
            ("QUEUE", "missing argument for QUEUE"),
            ("QUEUE PAUSE", "missing queue name for QUEUE PAUSE"),
            ("QUEUE RESUME ", "missing queue name for QUEUE RESUME"),
            ("QUEUE REMOVE  ", "missing queue name for QUEUE REMOVE"),
            ("FETCH", "must call fetch with at least one queue"),
            ("FETCH ", "must call fetch with at least one queue"),
            ("FETCH   ", "must call fetch with at least one queue"),
            ("ACK {", "invalid ACK {"),
            ("ACK x\ry", "invalid ACK x?y"),
            ("ACK null", "invalid ACK null"),
            ("ACK {}", "invalid ACK {}"),
            (#"ACK ["jid"]"#, #"invalid ACK ["jid"]"#),
            (#"ACK {"jid":5}"#, #"invalid ACK {"jid":5}"#),
            (#"ACK {"jid":null}"#, #"invalid ACK {"jid":null}"#),
            (#"ACK {"jid":"x","n":1}"#, #"invalid ACK {"jid":"x","n":1}"#),
            ("FAIL {}", "missing JID"),
            ("FAIL {", "invalid FAIL {"),
            (#"FAIL {"jid":7}"#, #"invalid FAIL {"jid":7}"#),
            ("BEAT {", "invalid BEAT {"),
            ("BEAT []", "invalid BEAT []"),
            (#"BEAT {"wid":1}"#, #"invalid BEAT {"wid":1}"#),
            (#"BEAT {"rss_kb":1.5}"#, #"invalid BEAT {"rss_kb":1.5}"#),
            ("QUEUE foo a", "no such QUEUE subcommand: FOO"),
            ("QUEUE ", "no such QUEUE subcommand: "),
            ("QUEUE LATENCY *", "QUEUE LATENCY does not support wildcards"),
            ("TRACK GET x", "tracking subsystem is only available in Faktory Enterprise"),
            ("BATCH NEW {}", "batch subsystem is only available in Faktory Enterprise"),
            ("MUTATE", "invalid format"),
            ("MUTATE ", "unexpected end of JSON input"),
            ("MUTATE {", "unexpected end of JSON input"),
            ("MUTATE []", "json: cannot unmarshal array into Go value of type client.Operation"),
            ("MUTATE {}", "unknown mutate operation"),
            (#"MUTATE {"cmd":"explode","target":"x"}"#, "unknown mutate operation"),
            (#"MUTATE {"cmd":"kill"}"#, "invalid target for mutation command"),
            (#"MUTATE {"cmd":"kill","target":""}"#, "invalid target for mutation command"),
            (#"MUTATE {"cmd":"kill","target":"working"}"#, "invalid target for mutation command"),
            (#"MUTATE {"cmd":7}"#, "json: cannot unmarshal number into Go struct field Operation.cmd of type string"),
            (
                #"MUTATE {"filter":{"jids":"x"}}"#,
                "json: cannot unmarshal string into Go struct field JobFilter.filter.jids of type []string"
            ),
        ]
    )
    func rejections(line: String, message: String) {
        #expect(Self.parse(line) == .rejected(message))
    }

    @Test("MUTATE takes all operations, targets and filters, spaces among them")
    func mutations() throws {
        let all = Mutation(operation: .clear, target: .scheduled)
        #expect(Self.parse(#"MUTATE {"cmd":"clear","target":"scheduled"}"#) == .mutate(all))
        let unfiltered = Mutation(operation: .discard, target: .dead, filter: MutationFilter())
        #expect(Self.parse(#"MUTATE {"cmd":"discard","target":"dead","filter":{}}"#) == .mutate(unfiltered))
        let filter = MutationFilter(ids: ["a", "b"], pattern: Glob("*x y*"), type: "T")
        let line =
            #"MUTATE { "CMD": "requeue", "target": "retries", "#
            + #""filter": {"jids": ["a","b"], "regexp": "*x y*", "jobtype": "T"} }"#
        #expect(Self.parse(line) == .mutate(Mutation(operation: .requeue, target: .retries, filter: filter)))
        let killed = Mutation(operation: .kill, target: .retries)
        #expect(Self.parse(#"MUTATE {"cmd":"kill","target":"retries","filter":null}"#) == .mutate(killed))
    }

    @Test("MUTATE takes jids in whatever place and form they stand, and of several lists the last")
    func namedJobs() throws {
        func names(_ filter: String) -> [String]? {
            let line = #"MUTATE {"x":{"jids":["no"]},"target":"dead","cmd":"kill",\#(filter)}"#
            guard case .mutate(let mutation) = Self.parse(line) else { return nil }
            return mutation.filter?.ids.jobIDs.map(\.text)
        }
        #expect(names(#""filter":{"jids":[ "a" , "a","\u00e9\n", null,""]}"#) == ["a", "a", "é\n", "", ""])
        #expect(names(#""FILTER" : {"JIDS":[],"other":[1,{"jids":["no"]}]}"#) == [])
        #expect(names(#""filter":{"jids":["a"],"jids":["b"]}"#) == ["b"])
        #expect(names(#""filter":{"jids":["a"],"jids":null}"#) == [])
        #expect(names(#""filter":{"jids":["a"]},"filter":{"jobtype":"T"}"#) == [])
        #expect(names(#""filter":{"jids":["a"]},"filter":{"jids":["b","c"]}"#) == ["b", "c"])
        #expect(names(#""jids":["a"],"filter":{}"#) == [])
        #expect(names(#""filter":null"#) == nil)
        for wrong in [#"["a",1]"#, #"[1,"a",2]"#, #"[["a"]]"#, #"[{}]"#, "[true]", #""a""#, "{}"] {
            #expect(names(#""filter":{"jids":\#(wrong)}"#) == nil, "\(wrong)")
        }
    }

    @Test("MUTATE takes half a million jids in one line")
    func manyNamedJobs() throws {
        let names = (0..<500_000).map { "jid\($0)" }
        let line = #"MUTATE {"cmd":"kill","target":"dead","filter":{"jids":["\#(names.joined(separator: #"",""#))"]}}"#
        guard case .mutate(let mutation) = Self.parse(line) else {
            Issue.record("it was refused")
            return
        }
        #expect(mutation.filter?.ids == JobIDList(names))
    }

    @Test("a document of more values than are read where others wait is refused")
    func tooManyValues() {
        let values = Array(repeating: "0", count: JSONValue.maximumCount).joined(separator: ",")
        #expect(Self.parse(#"MUTATE {"cmd":"kill","target":"dead","x":[\#(values)]}"#) == .rejected("too many values"))
        let line = #"FAIL {"jid":"order-000001","x":[\#(values)]}"#
        guard case .rejected = Self.parse(line) else {
            Issue.record("it was taken")
            return
        }
    }

    @Test("a pattern as long as the bound is taken, and a longer one is not")
    func patternBound() {
        func line(_ byteCount: Int) -> String {
            let pattern = String(repeating: "a", count: byteCount)
            return #"MUTATE {"cmd":"kill","target":"dead","filter":{"regexp":"\#(pattern)"}}"#
        }
        #expect(Self.parse(line(1025)) == .rejected("regexp is longer than 1024 bytes"))
        let pattern = Glob(String(repeating: "a", count: 1024))
        let mutation = Mutation(operation: .kill, target: .dead, filter: MutationFilter(pattern: pattern))
        #expect(Self.parse(line(1024)) == .mutate(mutation))
    }

    @Test("a thousand queues may be named, and one more may not")
    func queueBound() {
        let names = (0..<Command.maximumQueueCount).map { "q\($0)" }
        let list = names.joined(separator: " ")
        #expect(Self.parse("FETCH " + list) == .fetch(names))
        #expect(Self.parse("FETCH \(list) x") == .rejected("cannot fetch from more than 1000 queues"))
        #expect(Self.parse("QUEUE LATENCY " + list) == .queue(.latency(names)))
        #expect(Self.parse("QUEUE LATENCY \(list) x") == .rejected("cannot name more than 1000 queues"))
    }

    @Test(
        "no error text is longer than its bound, or breaks the line",
        arguments: ["", "ACK ", "FAIL ", "BEAT ", "QUEUE "]
    )
    func echoBound(prefix: String) {
        for byte in UInt8.min...UInt8.max where byte != 0x20 {
            let line = Array(prefix.utf8) + [UInt8](repeating: byte, count: 5_000)
            guard case .rejected(let text) = Command.parse(line: line[...]) else {
                Issue.record("\(prefix) with byte \(byte) was not rejected")
                continue
            }
            #expect(text.utf8.count <= 1_100)
            #expect(!text.unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) })
        }
    }

    @Test("no damage to a line stops the parser, or gets through it into a reply")
    func survivesDamage() {
        let lines = [
            #"ACK {"jid":"order-000017"}"#, #"BEAT {"wid":"w","rss_kb":1}"#, "QUEUE PAUSE a b", "FETCH a b",
            #"FAIL {"jid":"order-000017","message":"\u00e9","backtrace":["a"]}"#,
            #"MUTATE {"cmd":"kill","target":"dead","filter":{"regexp":"[a-","jids":[]}}"#,
        ]
        var rejectionCount = 0
        for line in lines.map({ Array($0.utf8) }) {
            for index in line.indices {
                for byte in UInt8.min...UInt8.max {
                    var damaged = line
                    damaged[index] = byte
                    guard case .rejected(let text) = Command.parse(line: damaged[...]) else { continue }
                    rejectionCount += 1
                    if text.utf8.contains(where: { $0 < 0x20 }) { Issue.record("\(damaged) was answered with \(text)") }
                }
                guard case .rejected(let text) = Command.parse(line: line[index...]) else { continue }
                if text.utf8.contains(where: { $0 < 0x20 }) {
                    Issue.record("\(line[index...]) was answered with \(text)")
                }
            }
        }
        #expect(rejectionCount > 10_000)
    }
}
