import Foundation
import Testing

/// Limits under attack: what one client can make the server keep or do, while another one is served.
struct LimitTests {
    /// Works a job through the server, as a client that minds its own business.
    private static func work(_ client: ClientSocket, _ number: Int) throws {
        let jid = "bystander-\(number)"
        #expect(try client.ask(#"PUSH {"jid":"\#(jid)","jobtype":"A","args":[],"queue":"bystander"}"#) == "+OK\r\n")
        // On a busy machine a FETCH may be over before the leader comes to it.
        var job = try client.fetch("bystander")
        for _ in 0..<30 where job == nil { job = try client.fetch("bystander") }
        #expect(try job?.jid == jid)
        #expect(try client.ask(#"ACK {"jid":"\#(jid)"}"#) == "+OK\r\n")
    }

    @Test("commands that never end are kept up to a bound for all clients together, and others are served")
    func unfinishedCommands() async throws {
        try await withMillrace(settings: ["front.max_buffer_bytes": "8MiB"]) { server in
            let bystander = try server.connect()
            let before = try server.peakKilobytes(of: .front)
            let half = [UInt8](repeating: UInt8(ascii: "x"), count: 2 << 20)
            var attackers: [ClientSocket] = []
            for number in 0..<40 {
                let attacker = try server.connect()
                try attacker.send("PUSH ")
                // It may be the one that has to go while it sends.
                try? attacker.send(half)
                attackers.append(attacker)
                try Self.work(bystander, number)
            }
            // 80 MiB were sent. Of 8 MiB, buffers that double as they grow may reserve three times as much for a moment.
            #expect(try server.peakKilobytes(of: .front) - before < 48 << 10)
            let closedCount = attackers.count { $0.waitForReset(within: .zero) }
            #expect(closedCount >= attackers.count - 5, "\(closedCount)")
        }
    }

    @Test("clients that send a byte now and then are closed when their time is over, before HELLO and after it")
    func drops() async throws {
        let settings = ["front.handshake_timeout": "1s", "front.line_timeout": "1s"]
        try await withMillrace(settings: settings) { server in
            let bystander = try server.connect()
            let early = try (0..<100).map { _ in try server.open() }
            let late = try (0..<100).map { _ in try server.connect() }
            let began = ContinuousClock.now
            var round = 0
            // Each round is a byte from everybody.
            while ContinuousClock.now - began < .milliseconds(900) {
                for client in early + late { try? client.send("H") }
                try Self.work(bystander, round)
                round += 1
            }
            for client in early + late { #expect(client.waitForReset(within: ClientSocket.patience)) }
            #expect(try bystander.info().server.connections <= 1 + 100)
            try Self.work(bystander, round)
        }
    }

    @Test(
        "connections beyond the bound are closed, silent ones when their time is over, and those that are there go on"
    )
    func connections() async throws {
        let settings = ["front.max_connections": "20", "front.handshake_timeout": "2s"]
        try await withMillrace(settings: settings) { server in
            let bystander = try server.connect()
            let before = try server.peakKilobytes(of: .front)
            var silent: [ClientSocket] = []
            for number in 0..<400 {
                silent.append(try server.open())
                if number % 20 == 0 { try Self.work(bystander, number) }
            }
            for client in silent { #expect(client.waitForReset(within: ClientSocket.patience)) }
            try Self.work(bystander, 400)
            #expect(try server.peakKilobytes(of: .front) - before < 32 << 10)
            // There is room again.
            try Self.work(try server.connect(), 401)
        }
    }

    @Test("JSON that is deep, huge or strange is refused or kept as it is, and the connection goes on")
    func strangeJSON() async throws {
        @Sendable func job(_ members: String, _ args: String = "[]") -> String {
            #"{"jid":"strange-job-1","jobtype":"A","args":\#(args),"queue":"q"\#(members)}"#
        }
        @Sendable func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        let refused = [
            job("", nested(512)), job("", nested(5_000)), job("", nested(1_000_000)),
            job("", String(repeating: "[", count: 1_000_000)), job("", String(repeating: #"{"a":"#, count: 100_000)),
            job(#","custom":"# + String(repeating: #"{"a":"#, count: 600) + "1" + String(repeating: "}", count: 600)),
            job("", "[1e]"), job("", "[NaN]"), job("", "[01]"), job("", #"["\ud8"]"#), job("", #"["\x"]"#),
            job(#","retry":1e400"#), job(#","retry":18446744073709551616"#), job(#","reserve_for":1e99"#),
            job(#","at":"300000-01-01T00:00:00Z""#), job(#","at":17"#), job(#","retry":"many""#), "", "[", "[]", "null",
            "\u{0}", "{\"jid\":\"strange\u{0}\"}",
        ]
        let kept = [
            "[1e400,-0,18446744073709551616,0.1e-999]", #"["\ud800","\u0000"]"#, nested(511), #"[{"a":1,"a":2}]"#,
        ]
        // One jid stands for many jobs here, so that what was done is not remembered.
        let settings = ["front.max_line_bytes": "4MiB", "manager.outcome_memory": "0s"]
        try await withMillrace(settings: settings) { server in
            let bystander = try server.connect()
            let before = try [Role.front, .manager].map { try server.peakKilobytes(of: $0) }
            let client = try server.connect()
            for (number, text) in refused.enumerated() {
                let reply = try client.ask("PUSH \(text)")
                #expect(reply.hasPrefix("-ERR ") && reply.count < 1_200, "\(text.prefix(80)): \(reply)")
                let bulk = try client.ask("PUSHB [\(text)]")
                #expect(bulk.hasPrefix("-ERR ") || bulk.hasPrefix("$"), "\(text.prefix(80)): \(bulk)")
                try Self.work(bystander, number)
            }
            #expect(try client.info().faktory.total_enqueued == 0)
            for text in kept {
                #expect(try client.ask("PUSH \(job("", text))") == "+OK\r\n")
                #expect(try client.fetch("q")?.text.contains(#""args":\#(text)"#) == true, "\(text.prefix(80))")
                #expect(try client.ask(#"ACK {"jid":"strange-job-1"}"#) == "+OK\r\n")
            }
            for (role, peak) in zip([Role.front, .manager], before) {
                #expect(try server.peakKilobytes(of: role) - peak < 64 << 10, "\(role)")
            }
        }
    }

    @Test("a HELLO that is deep, huge or strange is closed, and the server goes on")
    func strangeHello() async throws {
        let hellos = [
            "HELLO " + String(repeating: "x", count: 10 << 20),
            "HELLO {\"v\":2,\"a\":" + String(repeating: "[", count: 60_000),
            #"HELLO {"v":1e400}"#, #"HELLO {"v":-1}"#, #"HELLO {"v":NaN}"#, "HELLO {\"wid\":\"a\u{0}\u{1}",
            #"HELLO {"v":2,"wid":""# + String(repeating: "w", count: 2_000) + #""}"#, "HELLO \u{0}", "\u{0}\r\r\r",
        ]
        try await withMillrace { server in
            let bystander = try server.connect()
            for (number, hello) in hellos.enumerated() {
                let client = try server.open()
                _ = try client.readLine()
                try? client.send(hello + "\r\n")
                #expect(client.waitForReset(within: ClientSocket.patience), "\(hello.prefix(40))")
                try Self.work(bystander, number)
            }
        }
    }

    @Test("a hundred thousand jobs in one command are taken, one more is not, and others are served meanwhile")
    func hugeBulk() async throws {
        @Sendable func bulk(_ count: Int) -> String {
            "PUSHB ["
                + (0..<count).map { #"{"jid":"bulk-\#(1_000_000 + $0)","jobtype":"A","args":[]}"# }.joined(
                    separator: ","
                )
                + "]"
        }
        // A build for tests takes its time over so much.
        try await withMillrace(settings: ["front.hold_timeout": "60s"]) { server in
            let bystander = try server.connect()
            let client = try server.connect()
            #expect(try client.ask(bulk(100_001)).hasPrefix("-ERR "))
            #expect(try client.info().faktory.total_enqueued == 0)
            try client.send(bulk(100_000) + "\n")
            try Self.work(bystander, 0)
            #expect(try client.readReply() == "$2\r\n{}\r\n")
            #expect(try client.info().faktory.total_enqueued == 100_000)
        }
    }

    @Test("no name of a queue reaches anything but a queue")
    func namesOfQueues() async throws {
        let legal = [
            "..", ".", "-", "session", "sess", "kv", "meta", "quarantine", "reservation", "workers", "processed",
            "cluster",
            "__proto__", "0", "queue", "queues.", "mr-jobs", String(repeating: "q", count: 255),
        ]
        let illegal = [
            "../jobs", "/etc/passwd", "mr:jobs", "session:1", "kv:x", "queue:q", "a b", "a\\nb", "a\\u0000", "*", "q?",
            "[q]",
            "{q}", "$", "é", String(repeating: "q", count: 256), String(repeating: "q", count: 1_000_000),
        ]
        try await withMillrace { server in
            let client = try server.connect()
            for name in legal {
                let job = #"{"jid":"legal-name-\#(name.prefix(12))","jobtype":"A","args":[],"queue":"\#(name)"}"#
                #expect(try client.ask("PUSH \(job)") == "+OK\r\n", "\(name)")
            }
            for name in illegal {
                let job = #"{"jid":"illegal-name-1","jobtype":"A","args":[],"queue":"\#(name)"}"#
                #expect(try client.ask("PUSH \(job)").hasPrefix("-ERR "), "\(name.prefix(40))")
            }
            // As words of other commands they mean nothing, or at the worst a queue that is not there.
            for name in illegal where !name.contains(" ") && name != "*" {
                let replies = try ["QUEUE PAUSE", "QUEUE RESUME", "QUEUE REMOVE", "QUEUE LATENCY"].map {
                    try client.ask("\($0) \(name)")
                }
                #expect(
                    replies.allSatisfy { $0 == "+OK\r\n" || $0.hasPrefix("-ERR ") || $0.hasPrefix("$") },
                    "\(replies)"
                )
                #expect(try client.ask(#"MUTATE {"cmd":"clear","target":"\#(name)"}"#).hasPrefix("-ERR "))
            }
            #expect(try client.info().faktory.total_enqueued == legal.count)
            // Every key is one of those that are documented, and of queues there are the legal ones.
            let keys = try server.redis("--raw", "keys", "*").split(separator: "\n").map(String.init)
            #expect(keys.count { $0.hasPrefix("mr:queue:") } == legal.count)
            #expect(keys.allSatisfy { $0.hasPrefix("mr:") })
            for name in legal { #expect(try client.fetch(name) != nil, "\(name)") }
        }
    }

    @Test("patterns that are made to be slow hold up nobody")
    func slowPatterns() async throws {
        let text = String(repeating: "a", count: 100_000)
        let patterns = [
            String(repeating: "*a", count: 511) + "b", "*" + String(repeating: "a", count: 1_022) + "b",
            String(repeating: "*?", count: 511) + "b", "*" + String(repeating: "[^b-z]", count: 170) + "b",
        ]
        try await withMillrace(settings: ["front.hold_timeout": "60s"]) { server in
            let client = try server.connect()
            for number in 0..<20 {
                let job = #"{"jid":"pattern-\#(number)","jobtype":"A","args":["\#(text)"],"at":"2100-01-01T00:00:00Z"}"#
                #expect(try client.ask("PUSH \(job)") == "+OK\r\n")
            }
            let bystander = try server.connect()
            var number = 0
            for pattern in patterns {
                try client.send(
                    #"MUTATE {"cmd":"discard","target":"scheduled","filter":{"regexp":"\#(pattern)"}}"# + "\n"
                )
                // Others are served while it is under way.
                try Self.work(bystander, number)
                number += 1
                #expect(try client.readReply() == "+OK\r\n")
            }
            #expect(try client.info().faktory.sets["scheduled"] == 20)
            let match = #"MUTATE {"cmd":"discard","target":"scheduled","filter":{"regexp":"*aaaa*"}}"#
            #expect(try client.ask(match) == "+OK\r\n")
            #expect(try client.info().faktory.sets["scheduled"] == 0)
        }
    }

    @Test("replies that nobody takes are kept up to a bound for all clients together, and others are served")
    func untakenReplies() async throws {
        let settings = ["front.max_buffer_bytes": "8MiB", "front.write_timeout": "300s"]
        try await withMillrace(settings: settings) { server in
            let count = 8
            let bystander = try server.connect()
            let text = String(repeating: "x", count: 7 << 20)
            for number in 0..<count {
                let job = #"{"jid":"untaken-\#(number)","jobtype":"A","args":["\#(text)"],"queue":"q"}"#
                #expect(try bystander.ask("PUSH \(job)") == "+OK\r\n")
            }
            let before = try server.peakKilobytes(of: .front)
            var deaf: [ClientSocket] = []
            for _ in 0..<count {
                let client = try server.connect()
                // Seven mebibytes come, and nobody reads them.
                try client.send("FETCH q\n")
                deaf.append(client)
                _ = try bystander.info()
            }
            let deadline = ContinuousClock.now + ClientSocket.patience
            while try bystander.info().server.connections > 1 + count / 2, ContinuousClock.now < deadline {}
            #expect(try bystander.info().server.connections <= 1 + count / 2)
            // 56 MiB were asked for. What a kernel takes for each of them does not count.
            #expect(try server.peakKilobytes(of: .front) - before < 48 << 10)
            // Jobs of those that were closed are there for others again.
            #expect(try bystander.info().faktory.total_enqueued > 0)
        }
    }

    @Test("at the bound of a queue's length, or of memory, a producer is told so and workers go on")
    func fullStore() async throws {
        @Sendable func push(_ number: Int, _ argument: String = "") -> String {
            #"PUSH {"jid":"full-store-\#(number)","jobtype":"A","args":["\#(argument)"],"queue":"q"}"#
        }
        try await withMillrace(settings: ["manager.max_queue_length": "10"]) { server in
            let client = try server.connect()
            for number in 0..<10 { #expect(try client.ask(push(number)) == "+OK\r\n") }
            #expect(try client.ask(push(10)) == "-ERR queue q is full: it may hold 10 jobs\r\n")
            #expect(try client.fetch("q")?.jid == "full-store-0")
            #expect(try client.ask(push(10)) == "+OK\r\n")
        }
        try await withMillrace(settings: ["manager.max_memory": "16MiB"]) { server in
            let client = try server.connect()
            let argument = String(repeating: "x", count: 100_000)
            var number = 0
            var reply = "+OK\r\n"
            while reply == "+OK\r\n", number < 1_000 {
                reply = try client.ask(push(number, argument))
                number += 1
            }
            #expect(reply == "-ERR the store is full: it may hold 16777216 bytes\r\n")
            #expect((50..<170).contains(number), "\(number)")
            let jid = try #require(try client.fetch("q")?.jid)
            #expect(try client.ask(#"ACK {"jid":"\#(jid)"}"#) == "+OK\r\n")
        }
    }
}
