import Testing

/// The exact bytes that a client gets, row by row.
struct WireContractTests {
    /// What is sent on a connection of its own after HELLO, and what exactly comes back.
    struct Exchange: Sendable {
        let line: String
        let reply: String

        init(_ line: String, _ reply: String) {
            self.line = line
            self.reply = reply
        }

        static func error(_ line: String, _ text: String) -> Exchange { Exchange(line, "-ERR \(text)\r\n") }
    }

    static let push: [Exchange] = [
        Exchange(#"PUSH {"jid":"contract-01","jobtype":"A","args":[]}"#, "+OK\r\n"),
        Exchange(#"PUSH {"jid":"contract-01","jobtype":"A","args":[]}"#, "+OK\r\n"),
        Exchange(#"PUSH {"jid":"contract-02","jobtype":"A","args":[],"retry":null,"queue":""}"#, "+OK\r\n"),
        Exchange(#"PUSH {"jid":"contract-03","jobType":"A","ARGS":[],"priority":5}"#, "+OK\r\n"),
        Exchange(#"PUSH {"jid":"contract-04","jobtype":"A","args":[],"at":""}"#, "+OK\r\n"),
        Exchange(#"PUSH {"jid":"eight-88","jobtype":"A","args":[],"reserve_for":86400}"#, "+OK\r\n"),
        .error("PUSH", "missing argument for PUSH"),
        .error("PUSH ", "invalid JSON: unexpected end of JSON input"),
        .error(#"PUSH {"jid":"seven77","jobtype":"A","args":[]}"#, "jobs must have a reasonable jid parameter"),
        .error(#"PUSH {"jobtype":"A","args":[]}"#, "jobs must have a reasonable jid parameter"),
        .error(#"PUSH {"jid":"contract-05","args":[]}"#, "jobs must have a jobtype parameter"),
        .error(#"PUSH {"jid":"contract-05","jobtype":"","args":[]}"#, "jobs must have a jobtype parameter"),
        .error(#"PUSH {"jid":"contract-05","jobtype":"A"}"#, "jobs must have an args parameter"),
        .error(#"PUSH {"jid":"contract-05","jobtype":"A","args":null}"#, "jobs must have an args parameter"),
        .error(
            #"PUSH {"jid":"contract-05","jobtype":"A","args":[],"reserve_for":86401}"#,
            "jobs cannot be reserved for more than one day"
        ),
        .error(
            #"PUSH {"jid":"contract-05","jobtype":"A","args":[],"queue":"a b/c"}"#,
            #"cannot get "a b/c" queue: queue names must match \A[a-zA-Z0-9._-]+\z"#
        ),
        Exchange("PUSHB []", "$2\r\n{}\r\n"),
        Exchange("PUSHB null", "$2\r\n{}\r\n"),
        Exchange(
            #"PUSHB [{"jid":"contract-06","jobtype":"A","args":[]},{"jid":"contract-07","jobtype":"A"}]"#,
            "$50\r\n" + #"{"contract-07":"jobs must have an args parameter"}"# + "\r\n"
        ),
        // Sorted by their ids, each id once, and under none what has none.
        Exchange(
            #"PUSHB [{"jid":"rejected-2","jobtype":"A"},null,{"jid":"rejected-1","args":[]},{"jid":"rejected-2"}]"#,
            "$148\r\n" + #"{"":"jobs must have a reasonable jid parameter","#
                + #""rejected-1":"jobs must have a jobtype parameter","#
                + #""rejected-2":"jobs must have a jobtype parameter"}"# + "\r\n"
        ),
        .error("PUSHB", "missing argument for PUSHB"),
        .error(
            #"PUSH {"jid":5}"#,
            "invalid JSON: json: cannot unmarshal number into Go struct field Job.jid of type string"
        ),
        .error(
            #"PUSH {"jid":"contract-05","jobtype":"A","args":[],"at":"soon"}"#,
            #"invalid timestamp for 'at': "soon": not a timestamp of RFC 3339"#
        ),
        .error("PUSHB {}", "invalid JSON: json: cannot unmarshal object into Go value of type []*client.Job"),
    ]

    static let settle: [Exchange] = [
        .error("FETCH", "must call fetch with at least one queue"),
        .error("FETCH ", "must call fetch with at least one queue"),
        Exchange(#"ACK {"jid":"nobody-knows"}"#, "+OK\r\n"),
        Exchange(#"ACK {"JID":"nobody-knows"}"#, "+OK\r\n"),
        .error("ACK", "missing argument for ACK"),
        .error("ACK {}", "invalid ACK {}"),
        .error("ACK nonsense", "invalid ACK nonsense"),
        .error(#"ACK {"jid":1}"#, #"invalid ACK {"jid":1}"#),
        .error(#"ACK {"jid":"x","n":1}"#, #"invalid ACK {"jid":"x","n":1}"#),
        .error(#"FAIL {"jid":"nobody-knows"}"#, "Job not found nobody-knows"),
        .error("FAIL {}", "missing JID"),
        .error("FAIL", "missing argument for FAIL"),
        .error("FAIL nonsense", "invalid FAIL nonsense"),
        .error(#"BEAT {"wid":"nobody"}"#, "unknown worker nobody"),
        .error("BEAT nonsense", "invalid BEAT nonsense"),
        .error("BEAT", "missing argument for BEAT"),
    ]

    static let administration: [Exchange] = [
        .error("push {}", "unknown command push"),
        .error("HELLO {}", "unknown command HELLO"),
        .error("", "unknown command "),
        .error("QUEUE", "missing argument for QUEUE"),
        .error("QUEUE PAUSE", "missing queue name for QUEUE PAUSE"),
        .error("QUEUE RESUME ", "missing queue name for QUEUE RESUME"),
        .error("QUEUE REMOVE", "missing queue name for QUEUE REMOVE"),
        .error("QUEUE ", "no such QUEUE subcommand: "),
        Exchange("QUEUE PAUSE *", "+OK\r\n"),
        Exchange("QUEUE RESUME *", "+OK\r\n"),
        .error("QUEUE foo a", "no such QUEUE subcommand: FOO"),
        .error("QUEUE LATENCY *", "QUEUE LATENCY does not support wildcards"),
        Exchange("QUEUE LATENCY", "$2\r\n{}\r\n"),
        Exchange("queue pause a", "-ERR unknown command queue\r\n"),
        Exchange("QUEUE pause a", "+OK\r\n"),
        Exchange("QUEUE Resume a *", "+OK\r\n"),
        Exchange("QUEUE LATENCY z y", "$13\r\n" + #"{"y":0,"z":0}"# + "\r\n"),
        Exchange("QUEUE REMOVE *", "+OK\r\n"),
        Exchange(#"MUTATE {"cmd":"clear","target":"dead"}"#, "+OK\r\n"),
        Exchange(#"MUTATE {"cmd": "kill", "target": "retries", "filter": {"regexp": "*"}}"#, "+OK\r\n"),
        Exchange(#"MUTATE {"cmd":"discard","target":"scheduled","filter":{}}"#, "+OK\r\n"),
        .error(#"MUTATE {"cmd":"eat","target":"dead"}"#, "unknown mutate operation"),
        .error(#"MUTATE {"cmd":"kill","target":""}"#, "invalid target for mutation command"),
        .error(#"MUTATE {"cmd":"kill"}"#, "invalid target for mutation command"),
        .error("MUTATE {", "unexpected end of JSON input"),
        .error("MUTATE", "invalid format"),
        .error("TRACK GET contract-01", "tracking subsystem is only available in Faktory Enterprise"),
        .error("TRACK SET {}", "tracking subsystem is only available in Faktory Enterprise"),
        .error("BATCH NEW {}", "batch subsystem is only available in Faktory Enterprise"),
        .error("BATCH OPEN b-1", "batch subsystem is only available in Faktory Enterprise"),
        .error("BATCH COMMIT b-1", "batch subsystem is only available in Faktory Enterprise"),
        .error("BATCH STATUS b-1", "batch subsystem is only available in Faktory Enterprise"),
        Exchange("FLUSH", "+OK\r\n"),
        Exchange("FLUSH now", "+OK\r\n"),
    ]

    @Test("every command is answered byte for byte as the contract says, with CRLF and with LF")
    func contract() async throws {
        try await withMillrace { server in
            for end in ["\r\n", "\n"] {
                let client = try server.connect()
                for exchange in Self.push + Self.settle + Self.administration {
                    let reply = try client.ask(exchange.line, end: end)
                    #expect(reply == exchange.reply, "to \(exchange.line)")
                }
            }
        }
    }

    @Test("the greeting is exact, and HELLO is taken in every shape that clients give it")
    func handshake() async throws {
        try await withMillrace { server in
            let hellos = [
                #"{"v":2}"#, #"{"v":3}"#, "{}", #"{"wid":"2"}"#, #"{"hostname":"h","pid":7,"labels":["a"],"v":2}"#,
                #"{"v":2,"wid":null,"pwdhash":null,"labels":null,"pid":null,"hostname":null}"#,
                #"{"v":2,"username":"u","wid":"","unknown":[1,{"a":2}]}"#,
            ]
            for hello in hellos {
                for end in ["\r\n", "\n"] {
                    let client = try server.open()
                    #expect(try client.readOnce() == Array("+HI {\"v\":2}\r\n".utf8))
                    #expect(try client.ask("HELLO \(hello)", end: end) == "+OK\r\n", "to \(hello)")
                }
            }
            for wrong in [
                "hello {}", "HELLO", #"HELLO{"v":2}"#, "HELLO {", "INFO", #"HELLO {"v":"2"}"#, #"HELLO {"v":256}"#,
            ] {
                let client = try server.open()
                _ = try client.readLine()
                try client.send(wrong + "\r\n")
                #expect(try client.isClosedSilently(), "after \(wrong)")
            }
        }
    }

    @Test("an unpunctual HELLO closes the connection without a word, and not before two seconds")
    func lateHandshake() async throws {
        try await withMillrace { server in
            let began = ContinuousClock.now
            let client = try server.open()
            _ = try client.readLine()
            try client.send("HELLO {")
            #expect(try client.isClosedSilently())
            #expect(ContinuousClock.now - began >= .seconds(2))
        }
    }

    @Test("a worker's states and jobs are told in the exact bytes")
    func working() async throws {
        try await withMillrace { server in
            let worker = try server.connect(#"{"v":2,"wid":"wire-worker"}"#)
            #expect(try worker.ask(#"BEAT {"wid":"wire-worker"}"#) == "+OK\r\n")
            #expect(try worker.ask(#"PUSH {"jid":"wire-job-1","jobtype":"A","args":[1],"queue":"wire"}"#) == "+OK\r\n")
            let job = try #require(try worker.fetch("nowhere wire"))
            #expect(job.text.contains(#""jid":"wire-job-1""#) && job.text.contains(#""args":[1]"#))
            #expect(try worker.ask(#"FAIL {"jid":"wire-job-1","errType":"Oops","message":"m"}"#) == "+OK\r\n")
            #expect(try worker.ask(#"FAIL {"jid":"wire-job-1"}"#) == "-ERR Job not found wire-job-1\r\n")
            #expect(try worker.ask(#"ACK {"jid":"wire-job-1"}"#) == "+OK\r\n")
            let beat = #"BEAT {"wid":"wire-worker","current_state":"#
            #expect(try worker.ask(beat + #""running"}"#) == "+OK\r\n")
            #expect(try worker.ask(beat + #""quiet"}"#) == "$17\r\n{\"state\":\"quiet\"}\r\n")
            #expect(try worker.ask(beat + #""terminate"}"#) == "$21\r\n{\"state\":\"terminate\"}\r\n")
            #expect(try worker.ask(beat + #""quiet"}"#) == "$21\r\n{\"state\":\"terminate\"}\r\n")
            try worker.send("END \r\n")
            #expect(try worker.isClosedSilently())
        }
    }

    @Test("with a password the greeting and the refusal are exact")
    func password() async throws {
        try await withMillrace(variables: ["FAKTORY_PASSWORD": "open-sesame"]) { server in
            for hello in [#"{"v":2}"#, #"{"v":2,"pwdhash":"00"}"#, #"{"pwdhash":null}"#] {
                let client = try server.open()
                let greeting = try client.readLine()
                let challenge = #/\+HI {"v":2,"i":([0-9]{4}),"s":"[0-9a-f]{1,16}"}\r\n/#
                let match = try #require(try challenge.wholeMatch(in: greeting), "\(greeting)")
                #expect((4_000...8_095).contains(try #require(Int(match.1))))
                #expect(try client.ask("HELLO \(hello)") == "-ERR Invalid password\r\n")
                #expect(try client.isClosedSilently())
            }
        }
    }

    @Test("a client beyond the limit is told so behind the OK to its HELLO and closed, and the others are served")
    func connectionLimit() async throws {
        try await withMillrace(settings: ["front.max_connections": "2"]) { server in
            let first = try server.connect()
            // The start itself was a client, whose connection may end a little later.
            while try first.info().server.connections > 1 { try await Task.sleep(for: .milliseconds(10)) }
            let clients = [first, try server.connect()]
            let another = try server.open()
            _ = try another.readLine()
            try another.send("HELLO {\"v\":2}\r\n")
            let told = "+OK\r\n-ERR too many connections: 3\r\n"
            #expect(String(decoding: try another.read(exactly: told.utf8.count), as: UTF8.self) == told)
            #expect(try another.isClosedSilently())
            for client in clients { #expect(try client.ask("FLUSH") == "+OK\r\n") }
        }
    }

    @Test("a job comes as it was pushed, with what the server knows about it behind, and its failure behind that")
    func fetched() async throws {
        try await withMillrace { server in
            let client = try server.connect()
            let pushed = #"{"queue":"wire","args":[1.0, "é"],"jobtype":"A","jid":"wire-job-1","unknown":{"x":1e2}"#
            #expect(try client.ask("PUSH \(pushed)}") == "+OK\r\n")
            let time = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,9})?Z"
            func expect(_ members: [String]) throws {
                let reply = try client.ask("FETCH wire")
                let line = try #require(reply.split(separator: "\r\n").last)
                #expect(reply == "$\(line.utf8.count)\r\n\(line)\r\n")
                let rest = try #require(line.hasPrefix(pushed) ? line.dropFirst(pushed.count) : nil, "\(line)")
                let shape = try Regex("," + members.joined(separator: ",") + "}")
                #expect(try shape.wholeMatch(in: rest) != nil, "\(rest)")
            }
            let stored = [#""retry":25"#, #""created_at":"\#(time)""#, #""enqueued_at":"\#(time)""#]
            try expect(stored)
            let reason = #""errtype":" Oops ","message":"m","backtrace":["a","b"]"#
            #expect(try client.ask(#"FAIL {"jid":"wire-job-1",\#(reason)}"#) == "+OK\r\n")
            #expect(try client.ask(#"MUTATE {"cmd":"requeue","target":"retries"}"#) == "+OK\r\n")
            try expect(
                stored + [
                    #""failure":{"failed_at":"\#(time)","next_at":"\#(time)""#, #""message":"m","errtype":"Oops""#,
                    #""backtrace":\["a","b"\]"#, #""retry_count":0"#, #""remaining":25}"#,
                ]
            )
        }
    }

    @Test("a job that is not unique is refused in the exact bytes, until the first one is done")
    func unique() async throws {
        try await withMillrace { server in
            let client = try server.connect()
            func push(_ jobID: String) throws -> String {
                try client.ask(
                    #"PUSH {"jid":"\#(jobID)","jobtype":"A","args":[1],"queue":"wire","custom":{"unique_for":600}}"#
                )
            }
            #expect(try push("wire-job-1") == "+OK\r\n")
            #expect(try push("wire-job-1") == "+OK\r\n")
            #expect(try push("wire-job-2") == "-NOTUNIQUE Job not unique\r\n")
            #expect(try client.fetch("wire")?.jid == "wire-job-1")
            try server.kill([.manager])
            #expect(try push("wire-job-2") == "-NOTUNIQUE Job not unique\r\n")
            #expect(try client.ask(#"ACK {"jid":"wire-job-1"}"#) == "+OK\r\n")
            #expect(try push("wire-job-2") == "+OK\r\n")
            let wrong = #"PUSH {"jid":"wire-job-3","jobtype":"A","args":[],"custom":{"unique_for":"600"}}"#
            #expect(try client.ask(wrong) == "-ERR custom.unique_for must be a number of seconds\r\n")
        }
    }

    @Test("a job that has expired is not given to a worker, and the next one is")
    func expired() async throws {
        try await withMillrace { server in
            let client = try server.connect()
            let custom = #""custom":{"expires_at":"2001-02-03T04:05:06Z"}"#
            let late = #"{"jid":"wire-job-1","jobtype":"A","args":[],"queue":"wire",\#(custom)}"#
            #expect(try client.ask("PUSH \(late)") == "+OK\r\n")
            #expect(try client.info().faktory.queues["wire"] == 1)
            #expect(try client.ask(#"PUSH {"jid":"wire-job-2","jobtype":"A","args":[],"queue":"wire"}"#) == "+OK\r\n")
            #expect(try client.fetch("wire")?.jid == "wire-job-2")
            #expect(try client.info().faktory.total_enqueued == 0)
        }
    }

    @Test("the first queue that has a job gives it, and one that gets a job while all are empty gives it at once")
    func order() async throws {
        // Longer than the test is patient: only the job itself can be the answer.
        try await withMillrace(settings: ["front.fetch_wait": "60s"]) { server in
            let client = try server.connect()
            for queue in ["low", "high"] {
                _ = try client.ask(#"PUSH {"jid":"wire-\#(queue)","jobtype":"A","args":[],"queue":"\#(queue)"}"#)
            }
            for queue in ["high", "low"] { #expect(try client.fetch("a/b high low")?.jid == "wire-\(queue)") }
            try client.send("FETCH high low\r\n")
            let other = try server.connect()
            #expect(try other.ask(#"PUSH {"jid":"wire-later","jobtype":"A","args":[],"queue":"low"}"#) == "+OK\r\n")
            #expect(try client.readReply().contains(#""jid":"wire-later""#))
        }
    }

    @Test("nothing comes out of a paused queue, whether a FETCH was there before or after the pause, until RESUME")
    func paused() async throws {
        try await withMillrace { server in
            let client = try server.connect()
            func push(_ jid: String, _ queue: String) throws {
                let job = #"{"jid":"\#(jid)","jobtype":"A","args":[],"queue":"\#(queue)"}"#
                #expect(try client.ask("PUSH \(job)") == "+OK\r\n")
            }
            try push("wire-held-1", "held")
            let early = try server.connect()
            try early.send("FETCH empty\r\n")
            #expect(try client.ask("QUEUE PAUSE held empty") == "+OK\r\n")
            try push("wire-held-2", "empty")
            let began = ContinuousClock.now
            #expect(try client.ask("FETCH held empty") == "$-1\r\n")
            #expect(ContinuousClock.now - began >= .milliseconds(1_500))
            #expect(try early.readReply() == "$-1\r\n")

            try push("wire-open", "open")
            #expect(try client.fetch("held open")?.jid == "wire-open")
            try early.send("FETCH held\r\n")
            #expect(try client.ask("QUEUE RESUME held") == "+OK\r\n")
            #expect(try early.readReply().contains(#""jid":"wire-held-1""#))
            #expect(try client.ask("FETCH empty") == "$-1\r\n")
            #expect(try client.ask("QUEUE RESUME *") == "+OK\r\n")
            #expect(try client.fetch("empty")?.jid == "wire-held-2")
        }
    }

    @Test("QUEUE LATENCY tells the seconds of the oldest job, and INFO all figures in one line and in upstream's order")
    func figures() async throws {
        try await withMillrace { server in
            let client = try server.connect()
            _ = try client.ask(#"PUSH {"jid":"wire-job-1","jobtype":"A","args":[],"queue":"b"}"#)
            let latency = #/\$[0-9]+\r\n{"a":0,"b":[0-9]+(\.[0-9]+)?}\r\n/#
            let reply = try client.ask("QUEUE LATENCY b a")
            #expect(reply.wholeMatch(of: latency) != nil, "\(reply)")

            let information = try client.ask("INFO if you please")
            let document = information.split(separator: "\r\n").last ?? ""
            #expect(information == "$\(document.utf8.count)\r\n\(document)\r\n")
            let shape = document.replacing(#/[0-9]+/#, with: "0").replacing("0.0", with: "0")
            #expect(shape == Self.informationShape)
        }
    }

    /// What INFO answers when one queue has a job, each number as 0.
    private static let informationShape = #"""
        {"now":"0-0-0T0:0:0Z","server_utc_time":"0:0:0 UTC","faktory":{"queues":{"b":0},\#
        "sets":{"dead":0,"retries":0,"scheduled":0,"working":0},\#
        "tasks":{"Busy":{"reaped":0,"size":0},\#
        "Dead":{"cycles":0,"enqueued":0,"size":0,"wall_time_sec":0},\#
        "Retries":{"cycles":0,"enqueued":0,"size":0,"wall_time_sec":0},\#
        "Scheduled":{"cycles":0,"enqueued":0,"size":0,"wall_time_sec":0},\#
        "Workers":{"reaped":0,"size":0}},\#
        "total_failures":0,"total_processed":0,"total_enqueued":0,"total_queues":0},\#
        "server":{"description":"Millrace","faktory_version":"0.0","uptime":0,"connections":0,\#
        "command_count":0,"used_memory_mb":0}}
        """#

    @Test("a line whose end never comes is not carried out, and those before it are answered")
    func unfinishedLine() async throws {
        try await withMillrace { server in
            let client = try server.connect()
            let job = #"PUSH {"jid":"wire-whole-1","jobtype":"A","args":[]}"#
            try client.send(job + "\r\n" + job.replacing("whole", with: "partial"))
            client.endSending()
            #expect(try client.readReply() == "+OK\r\n")
            #expect(try client.isClosedSilently())
            #expect(try server.connect().info().faktory.total_enqueued == 1)
        }
    }
}
