import Foundation
import Testing

/// What the libraries of other languages do with their sockets, repeated byte by byte.
struct ClientTranscriptTests {
    private static func push(_ jid: String, queue: String = "default") -> String {
        #"PUSH {"jid":"\#(jid)","jobtype":"A","args":["x"],"queue":"\#(queue)"}"#
    }

    @Test("a reply comes in one segment, so that one read of 4096 bytes takes it whole")
    func singleRead() async throws {
        try await withMillrace { server in
            let client = try server.connect()
            try client.send(Self.push("one-read-1") + "\r\n")
            #expect(try client.readOnce() == Array("+OK\r\n".utf8))
            try client.send("FETCH default\r\n")
            let reply = String(decoding: try client.readOnce(), as: UTF8.self)
            #expect(reply.hasPrefix("$") && reply.hasSuffix("}\r\n"))
            try client.send("INFO\r\n")
            let information = String(decoding: try client.readOnce(), as: UTF8.self)
            #expect(information.hasPrefix("$") && information.hasSuffix("}\r\n"))
        }
    }

    @Test("an answer of JSON is one line, so that reading a second line takes it whole")
    func twoLines() async throws {
        try await withMillrace { server in
            let client = try server.connect()
            _ = try client.ask(#"PUSH {"jid":"two-lines-1","jobtype":"A","args":["a\nb"],"custom":{"k":1}}"#)
            for command in ["FETCH default", "INFO", "QUEUE LATENCY default"] {
                try client.send(command + "\n")
                let size = try client.readLine()
                let document = try client.readLine()
                #expect(size == "$\(document.utf8.count - 2)\r\n")
            }
        }
    }

    @Test("a FETCH with nothing to give waits for a job, and is answered with nothing in the end")
    func fetchWaits() async throws {
        try await withMillrace { server in
            let client = try server.connect()
            // Once on each of several empty queues, as a client in a loop would.
            for _ in 0..<2 {
                let began = ContinuousClock.now
                #expect(try client.ask("FETCH nothing here ") == "$-1\r\n")
                let took = ContinuousClock.now - began
                // That it is less than two seconds where there is room is in the settings of the front.
                #expect(took > .milliseconds(1_500), "it took \(took)")
            }
        }
    }

    @Test("a client may open a connection for each command and never say END")
    func connectionPerCommand() async throws {
        try await withMillrace { server in
            let hello = #"{"wid":"2"}"#
            func once(_ line: String) throws -> String { try server.connect(hello).ask(line) }
            #expect(try once(Self.push("per-command-1")) == "+OK\r\n")
            #expect(try once("FETCH default").contains("per-command-1"))
            #expect(try once(#"BEAT {"wid":"2"}"#) == "+OK\r\n")
            #expect(try once(#"ACK {"jid":"per-command-1"}"#) == "+OK\r\n")
            let figures = try server.connect().info()
            #expect(figures.liveCount == 0)
            #expect(figures.faktory.total_processed == 1)
        }
    }

    @Test("a PUSH that is sent again after its reply was lost is one job")
    func resentPush() async throws {
        try await withMillrace { server in
            let first = try server.connect()
            try first.send(Self.push("resent-job-1") + "\r\n")
            first.vanish()
            let second = try server.connect()
            #expect(try second.ask(Self.push("resent-job-1")) == "+OK\r\n")
            #expect(try second.info().faktory.total_enqueued == 1)
            #expect(try second.fetch("default")?.jid == "resent-job-1")
            #expect(try second.ask(Self.push("resent-job-1")) == "+OK\r\n")
            #expect(try second.info().faktory.total_enqueued == 0)
        }
    }

    @Test("commands end with a trailing space if a client likes, and END is never answered")
    func trailingSpaces() async throws {
        try await withMillrace { server in
            let client = try server.connect()
            #expect(try client.ask("FLUSH ") == "+OK\r\n")
            #expect(try client.ask("INFO ").hasPrefix("$"))
            try client.send("END \r\n" + Self.push("after-the-end") + "\r\n")
            #expect(try client.isClosedSilently())
            #expect(try server.connect().info().faktory.total_enqueued == 0)
        }
    }

    @Test("ten thousand commands in a row are answered in their order")
    func pipelining() async throws {
        try await withMillrace { server in
            let client = try server.connect()
            let count = 10_000
            // Replies are read on this thread while another one sends, so that neither side has to hold everything.
            let lines = (0..<count).map { $0 % 100 == 0 ? Self.push("pipelined-\($0)") : "nonsense-\($0)" }
            Thread.detachNewThread { try? client.send(lines.joined(separator: "\n") + "\n") }
            for index in 0..<count {
                let expected = index % 100 == 0 ? "+OK\r\n" : "-ERR unknown command nonsense-\(index)\r\n"
                try #require(try client.readReply() == expected)
            }
            #expect(try client.info().faktory.total_enqueued == count / 100)
        }
    }

    @Test(
        "what is in args comes out as it went in, byte for byte",
        arguments: [
            #"[9007199254740993,12345678901234567890,-0,1.0,1e3,1.10,1E400,0.1e-7]"#,
            #"["<b>&amp;</b>","\u2028\u2029","\u003c","\/","tab\there","\"quoted\\\"","😀","é","\ud83d\ude00"]"#,
            #"[{"b":1,"a":{"z":[[],{},[null,true,false]]},"a":2}]"#,
            #"[ 1 , { "spaced" : [ ] } ]"#, "[]",
        ]
    )
    func fidelity(arguments: String) async throws {
        try await withMillrace { server in
            let client = try server.connect()
            let extra = #""custom":{"n":1.0,"u":" "},"unknown_key":{"x":1e3}"#
            _ = try client.ask(#"PUSH {"jid":"faithful-1","jobtype":"A","args":\#(arguments),\#(extra)}"#)
            let job = try #require(try client.fetch("default"))
            #expect(job.text.contains(#""args":\#(arguments)"#))
            #expect(job.text.contains(extra))
            // The same after a failure has been written into it.
            _ = try client.ask(#"FAIL {"jid":"faithful-1"}"#)
            _ = try client.ask(#"MUTATE {"cmd":"requeue","target":"retries"}"#)
            let again = try #require(try client.fetch("default"))
            #expect(again.text.contains(#""args":\#(arguments)"#) && again.text.contains(extra))
            #expect(try again.failure?.errtype == "unknown")
        }
    }
}
