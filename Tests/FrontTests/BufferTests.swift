import ClusterLink
import Testing

@testable import Front

@Suite("What a front keeps for clients")
struct BufferTests {
    @Test("a command that is begun and not ended costs its client the connection when its time is over")
    func lineTimeout() async throws {
        try await FrontFixture.run {
            $0.lineTimeout = .milliseconds(200)
        } _: { front in
            try await front.connect { client in
                #expect(await client.hello())
                try await client.send("PUSH {")
                #expect(await client.readToEnd() == "-ERR a command did not end within 0.2 seconds\r\n")
            }
        }
    }

    @Test("the time of a command does not begin anew with each of its bytes")
    func drops() async throws {
        try await FrontFixture.run {
            $0.lineTimeout = .milliseconds(200)
        } _: { front in
            try await front.connect { client in
                #expect(await client.hello())
                try await front.connect { other in
                    #expect(await other.hello())
                    // The other's exchanges make time pass between the drops, and each ends a command of its own.
                    var dropCount = 0
                    while (try? await client.send("x")) != nil {
                        #expect(await other.exchange("INFO\r\n", for: "$2\r\n{}\r\n"))
                        dropCount += 1
                    }
                    #expect(dropCount > 0)
                }
                #expect(await client.readToEnd().hasPrefix("-ERR a command did not end"))
            }
        }
    }

    @Test("a client whose command is late is closed without a word while an earlier one has no answer")
    func lateBehindAnother() async throws {
        let leader = FakeLeader()
        try await FrontFixture.run(leader: leader) {
            $0.lineTimeout = .milliseconds(200)
            $0.drainTimeout = .milliseconds(50)
        } _: { front in
            try await front.connect { client in
                #expect(await client.hello())
                leader.setSilent(true)
                try await client.send("PUSH {}\r\nPUSH {")
                #expect(await client.readToEnd() == "")
            }
        }
    }

    @Test("when too much is kept, the client for which most is kept is closed, and the others go on")
    func greediest() async throws {
        try await FrontFixture.run {
            $0.bufferByteCount = 1 << 20
        } _: { front in
            try await front.connect { modest in
                #expect(await modest.hello())
                try await modest.send("PUSH " + String(repeating: "x", count: 400_000))
                try await front.connect { greedy in
                    #expect(await greedy.hello())
                    try? await greedy.send("PUSH " + String(repeating: "x", count: 1_200_000))
                    #expect(await greedy.readToEnd().hasPrefix("-ERR no room for "))
                }
                #expect(await modest.exchange("\r\n", for: "+OK\r\n"))
            }
        }
    }

    @Test("64 KiB of each client do not count, and neither does what has gone")
    func freeBytes() async throws {
        try await FrontFixture.run {
            $0.bufferByteCount = 100_000
        } _: { front in
            try await front.connect { first in
                #expect(await first.hello())
                try await front.connect { second in
                    #expect(await second.hello())
                    for round in 0..<5 {
                        // One of the two goes up to what is allowed to all together, the other up to what is free.
                        let (big, small) = round % 2 == 0 ? (first, second) : (second, first)
                        try await small.send("PUSH " + String(repeating: "x", count: 60_000))
                        try await big.send("PUSH " + String(repeating: "x", count: 160_000))
                        #expect(await small.exchange("\r\n", for: "+OK\r\n"))
                        #expect(await big.exchange("\r\n", for: "+OK\r\n"))
                    }
                }
            }
        }
    }

    @Test("replies that are not taken count as well, long before their client is late")
    func untakenReplies() async throws {
        let leader = FakeLeader { command in
            command.isPush ? .bulk([UInt8](repeating: 0x78, count: 32 << 20)) : .nothing
        }
        try await FrontFixture.run(leader: leader) {
            $0.bufferByteCount = 8 << 20
            $0.writeTimeout = .seconds(3_600)
        } _: { front in
            try await front.connect(reads: false) { client in
                try await client.send("HELLO {\"wid\":\"slow\"}\nPUSH {}\n")
                _ = await leader.request { $0.leaves("slow") }
            }
        }
        #expect(leader.commands.contains { $0.leaves("slow") })
    }

    @Test("a budget is within its bound up to the last byte, and a share that shrinks never breaks it")
    func bounds() {
        let budget = BufferBudget(bound: 10)
        let free = BufferBudget.freeByteCount
        var shares = [BufferShare(of: budget), BufferShare(of: budget)]
        let steps: [(share: Int, bytes: Int, isWithin: Bool, used: Int)] = [
            (0, free, true, 0), (0, free + 10, true, 10), (1, free + 1, false, 11), (0, free + 9, true, 10),
            (1, free + 1, true, 10), (1, free + 100, false, 109), (1, free + 50, true, 59), (0, 0, true, 50),
            (1, 0, true, 0),
        ]
        for step in steps {
            let isWithin = shares[step.share].change(to: step.bytes)
            #expect(isWithin == step.isWithin && budget.usedByteCount == step.used, "\(step)")
        }
    }
}
