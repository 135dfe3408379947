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
        .error("PUSHB", "missing argument for PUSHB"),
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
        .error("MUTATE", "invalid format"),
        .error("TRACK GET contract-01", "tracking subsystem is only available in Faktory Enterprise"),
        .error("BATCH NEW {}", "batch subsystem is only available in Faktory Enterprise"),
        Exchange("FLUSH", "+OK\r\n"),
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

    @Test("an unpunctual HELLO closes the connection without a word after two seconds")
    func lateHandshake() async throws {
        try await withMillrace { server in
            let client = try server.open()
            let began = ContinuousClock.now
            _ = try client.readLine()
            try client.send("HELLO {")
            #expect(try client.isClosedSilently())
            let took = ContinuousClock.now - began
            #expect(took > .milliseconds(1_800) && took < .seconds(4), "it took \(took)")
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
            #expect(try worker.ask(beat + #""quiet"}"#) == "$17\r\n{\"state\":\"quiet\"}\r\n")
            #expect(try worker.ask(beat + #""terminate"}"#) == "$21\r\n{\"state\":\"terminate\"}\r\n")
            #expect(try worker.ask(beat + #""quiet"}"#) == "$21\r\n{\"state\":\"terminate\"}\r\n")
            try worker.send("END \r\n")
            #expect(try worker.isClosedSilently())
        }
    }
}
