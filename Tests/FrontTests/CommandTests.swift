import ClusterLink
import Front
import JobCore
import Testing

@Suite("Commands and their answers")
struct CommandTests {
    /// Answers the kinds of reply that a leader gives.
    private static let script: FakeLeader.Script = { command in
        switch command.body {
        case .push(let job) where job == Array("bad".utf8): .error("ERR jobs must have an args parameter")
        case .push(let job) where job == Array("twice".utf8): .error("NOTUNIQUE Job not unique")
        case .pushBulk: .bulk(Array("{}".utf8))
        case .fail(let jobID, _, _, _): .error("ERR Job not found \(jobID)")
        case .beat(_, "quiet", _): .bulk(Array(#"{"state":"quiet"}"#.utf8))
        case .fetch(_, ["none"], _): .null
        case .fetch: .job(offer: command.request, payload: Array(#"{"jid":"12345678"}"#.utf8))
        case .latency: .bulk(Array(#"{"q":0}"#.utf8))
        default: FakeLeader.standard(command)
        }
    }

    @Test(
        "every line is answered byte for byte as clients expect it",
        arguments: [
            ("PUSH {}", "+OK\r\n"),
            ("PUSH bad", "-ERR jobs must have an args parameter\r\n"),
            ("PUSH twice", "-NOTUNIQUE Job not unique\r\n"),
            ("PUSH", "-ERR missing argument for PUSH\r\n"),
            ("PUSHB []", "$2\r\n{}\r\n"),
            ("FETCH none", "$-1\r\n"),
            ("FETCH q ", "$18\r\n{\"jid\":\"12345678\"}\r\n"),
            ("FETCH", "-ERR must call fetch with at least one queue\r\n"),
            ("FETCH ", "-ERR must call fetch with at least one queue\r\n"),
            ("ACK {\"jid\":\"12345678\"}", "+OK\r\n"),
            ("ACK {\"jid\":1}", "-ERR invalid ACK {\"jid\":1}\r\n"),
            ("ACK {}", "-ERR invalid ACK {}\r\n"),
            ("ACK", "-ERR missing argument for ACK\r\n"),
            ("FAIL {\"jid\":\"12345678\"}", "-ERR Job not found 12345678\r\n"),
            ("FAIL {}", "-ERR missing JID\r\n"),
            ("BEAT {\"wid\":\"w\"}", "+OK\r\n"),
            ("BEAT {\"wid\":\"w\",\"current_state\":\"quiet\"}", "$17\r\n{\"state\":\"quiet\"}\r\n"),
            ("BEAT 1", "-ERR invalid BEAT 1\r\n"),
            ("INFO", "$2\r\n{}\r\n"),
            ("INFO more", "$2\r\n{}\r\n"),
            ("FLUSH", "+OK\r\n"),
            ("FLUSH ", "+OK\r\n"),
            ("QUEUE pause *", "+OK\r\n"),
            ("QUEUE LATENCY q", "$7\r\n{\"q\":0}\r\n"),
            ("QUEUE LATENCY *", "-ERR QUEUE LATENCY does not support wildcards\r\n"),
            ("QUEUE FOO q", "-ERR no such QUEUE subcommand: FOO\r\n"),
            ("MUTATE {\"cmd\":\"clear\",\"target\":\"dead\"}", "+OK\r\n"),
            ("MUTATE {\"cmd\":\"no\",\"target\":\"dead\"}", "-ERR unknown mutate operation\r\n"),
            ("TRACK GET x", "-ERR tracking subsystem is only available in Faktory Enterprise\r\n"),
            ("BATCH NEW {}", "-ERR batch subsystem is only available in Faktory Enterprise\r\n"),
            ("push {}", "-ERR unknown command push\r\n"),
            ("HELLO {}", "-ERR unknown command HELLO\r\n"),
            ("", "-ERR unknown command \r\n"),
        ]
    )
    func answers(line: String, answer: String) async throws {
        try await FrontFixture.run(leader: FakeLeader(script: Self.script)) { front in
            try await front.connect { client in
                #expect(await client.hello())
                #expect(await client.exchange("\(line)\r\n", for: answer))
                #expect(await client.exchange("\(line)\n", for: answer), "and again with LF alone")
            }
        }
    }

    @Test("pipelined commands are answered in order, local refusals included")
    func pipelining() async throws {
        try await FrontFixture.run(leader: FakeLeader(script: Self.script)) { front in
            try await front.connect { client in
                #expect(await client.hello())
                let lines = "PUSH {}\r\nnope\r\nPUSH bad\r\nFETCH none\r\nPUSH {}\r\nINFO\r\nACK {\"jid\":\"a\"}\r\n"
                let answers =
                    "+OK\r\n-ERR unknown command nope\r\n-ERR jobs must have an args parameter\r\n$-1\r\n+OK\r\n"
                    + "$2\r\n{}\r\n+OK\r\n"
                #expect(await client.exchange(lines, for: answers))
            }
        }
    }

    @Test("a long line that is understood on another thread keeps its place among those of its connection")
    func longLines() async throws {
        let names = (0..<20_000).map { "\"jid-\($0)\"" }.joined(separator: ",")
        let mutation = #"MUTATE {"cmd":"kill","target":"dead","filter":{"jids":[\#(names)]}}"#
        let wrong = #"MUTATE {"cmd":"no","target":"dead","filter":{"jids":[\#(names)]}}"#
        let leader = FakeLeader(script: Self.script)
        try await FrontFixture.run(leader: leader) { front in
            try await front.connect { client in
                #expect(await client.hello())
                let lines = ["PUSH bad", mutation, "FETCH none", wrong, "PUSH {}", mutation, "INFO", "END", ""]
                try await client.send(lines.joined(separator: "\r\n"))
                #expect(
                    await client.readToEnd()
                        == "-ERR jobs must have an args parameter\r\n+OK\r\n$-1\r\n-ERR unknown mutate operation\r\n"
                        + "+OK\r\n+OK\r\n$2\r\n{}\r\n"
                )
            }
            // One that goes while its line is looked at is missed by nobody.
            try await front.connect { client in
                #expect(await client.hello())
                try await client.send(mutation + "\r\n")
            }
            try await front.connect { client in
                #expect(await client.hello())
                #expect(await client.exchange("PUSH {}\r\n", for: "+OK\r\n"))
            }
        }
        let counts = leader.commands.compactMap { command -> Int? in
            guard case .mutate(let mutation) = command.body else { return nil }
            return mutation.filter?.jobIDs.count
        }
        #expect(counts.prefix(2) == [20_000, 20_000])
    }

    @Test("commands behind a HELLO in the same packet are carried out")
    func pipelinedHello() async throws {
        try await FrontFixture.run { front in
            try await front.connect { client in
                try await client.send("HELLO {}\nPUSH {}\nEND\n")
                #expect(await client.readToEnd() == TestClient.greeting + "+OK\r\n+OK\r\n")
            }
        }
    }

    @Test("what one client pipelines leaves as one message")
    func oneMessage() async throws {
        let leader = FakeLeader()
        try await FrontFixture.run(leader: leader) { front in
            try await front.connect { client in
                #expect(await client.hello())
                let lines = String(repeating: "PUSH {}\r\n", count: 100)
                #expect(await client.exchange(lines, for: String(repeating: "+OK\r\n", count: 100)))
            }
        }
        let batches = leader.messages.filter {
            if case .batch(let batch) = $0 { !batch.commands.isEmpty } else { false }
        }
        #expect(leader.commands.filter(\.isPush).count == 100)
        #expect(batches.count < 10, "\(batches.count) messages")
    }

    @Test("nothing of a connection follows a FETCH before that is answered")
    func fetchIsAlone() async throws {
        let leader = FakeLeader()
        try await FrontFixture.run(leader: leader) { front in
            try await front.connect { client in
                #expect(await client.hello())
                try await client.send("FETCH q\r\nPUSH {}\r\n")
                let request = await leader.request(where: \.isFetch)
                try await front.connect { other in
                    #expect(await other.hello())
                    #expect(await other.exchange("INFO\r\n", for: "$2\r\n{}\r\n"))
                }
                #expect(!leader.commands.contains { $0.isPush })
                leader.tellLate(request, .job(offer: 1, payload: Array("J".utf8)))
                #expect(await client.read(12) == "$1\r\nJ\r\n+OK\r\n")
            }
        }
    }

    @Test("replies behind a deferred one wait for it")
    func deferred() async throws {
        let leader = FakeLeader { command in
            if case .push(let job) = command.body, job == Array("slow".utf8) { .deferred } else { .ok }
        }
        try await FrontFixture.run(leader: leader) { front in
            try await front.connect { client in
                #expect(await client.hello())
                try await client.send("PUSH slow\r\nACK {\"jid\":\"a\"}\r\n")
                let request = await leader.request(where: \.isPush)
                leader.tellLate(request, .error("ERR slow"))
                #expect(await client.read(16) == "-ERR slow\r\n+OK\r\n")
            }
        }
    }

    @Test("END closes after the replies before it, and what follows it is not carried out")
    func end() async throws {
        let leader = FakeLeader()
        try await FrontFixture.run(leader: leader) { front in
            try await front.connect { client in
                #expect(await client.hello())
                try await client.send("PUSH {}\r\nEND\r\nPUSH {}\r\n")
                #expect(await client.readToEnd() == "+OK\r\n")
            }
        }
        #expect(leader.commands.filter(\.isPush).count == 1)
    }

    @Test("a line of the greatest length is carried out, and a longer one is refused and closed", arguments: [0, 1])
    func lineBound(excess: Int) async throws {
        let leader = FakeLeader()
        try await FrontFixture.run(leader: leader) {
            $0.maximumLineByteCount = 1_024
        } _: { front in
            try await front.connect { client in
                #expect(await client.hello())
                let line = "PUSH " + String(repeating: "x", count: 1_024 - 5 + excess)
                try await client.send("\(line)\r\nEND\r\n")
                let answer = excess == 0 ? "+OK\r\n" : "-ERR line is longer than 1024 bytes\r\n"
                #expect(await client.readToEnd() == answer)
            }
        }
        #expect(leader.commands.filter(\.isPush).count == 1 - excess)
    }

    @Test("a client may have as many commands waiting as the depth allows, and the others after them")
    func depth() async throws {
        let leader = FakeLeader()
        try await FrontFixture.run(leader: leader) {
            $0.pipelineDepth = 2
        } _: { front in
            try await front.connect { client in
                #expect(await client.hello())
                leader.setSilent(true)
                try await client.send(String(repeating: "PUSH {}\r\n", count: 5))
                _ = await leader.request(where: \.isPush)
                #expect(leader.commands.filter(\.isPush).count == 2)
                leader.setSilent(false)
                #expect(await client.read(25) == String(repeating: "+OK\r\n", count: 5))
            }
        }
    }

    @Test("commands and clients are counted, unknown verbs are not")
    func counting() async throws {
        try await FrontFixture.run { front in
            try await front.connect { client in
                #expect(await client.hello())
                #expect(front.server.counters.identifiedCount == 1)
                #expect(
                    await client.exchange(
                        "PUSH {}\nnope\nINFO\n",
                        for: "+OK\r\n-ERR unknown command nope\r\n$2\r\n{}\r\n"
                    )
                )
                #expect(front.server.counters.commandCount == 2)
            }
        }
    }
}
