import ClusterLink
import Front
import Testing

@Suite("A front with several managers", .timeLimit(.minutes(10)))
struct ManagersTests {
    private static let refusing: FakeLeader.Script = { $0.isPush ? .error("ERR refused") : FakeLeader.standard($0) }

    @Test("sends batches to the one that leads, and to no other")
    func onlyTheLeader() async throws {
        let (leader, follower) = (FakeLeader(), FakeLeader(isSilent: true))
        try await FrontFixture.run(leader: leader, followers: [follower]) { front in
            try await front.connect { client in
                #expect(await client.hello())
                #expect(await client.exchange("PUSH {}\r\n", for: "+OK\r\n"))
            }
        }
        #expect(leader.commands.contains { $0.isPush })
        #expect(follower.messages.contains { if case .attach = $0 { true } else { false } })
        #expect(follower.commands.isEmpty)
    }

    @Test("finds the next leader when the connection to the last is gone, and sends it what was not answered")
    func failOver() async throws {
        let (first, second) = (FakeLeader(), FakeLeader(isSilent: true, epoch: 2))
        try await FrontFixture.run(leader: first, followers: [second]) { front in
            try await front.connect { client in
                #expect(await client.hello())
                #expect(await client.exchange("PUSH {}\r\n", for: "+OK\r\n"))
                first.setSilent(true)
                try await client.send("PUSH {}\r\n")
                await first.waitUntil { FakeLeader.commands(of: $0).filter(\.isPush).count == 2 }
                first.setConnected(false)
                second.setSilent(false)
                #expect(await client.read(5) == "+OK\r\n")
            }
        }
        #expect(
            second.commands.filter(\.isPush).map(\.request) == first.commands.filter(\.isPush).suffix(1).map(\.request)
        )
    }

    @Test("finds the next leader when the last only falls silent")
    func silence() async throws {
        let (first, second) = (FakeLeader(), FakeLeader(isSilent: true, epoch: 2))
        try await FrontFixture.run(leader: first, followers: [second]) { front in
            try await front.connect { client in
                #expect(await client.hello())
                first.setSilent(true)
                second.setSilent(false)
                #expect(await client.exchange("PUSH {}\r\n", for: "+OK\r\n"))
            }
        }
        #expect(second.commands.contains { $0.isPush })
    }

    @Test("finds the next leader though the last, cut off from the others, still answers heartbeats")
    func cutOff() async throws {
        let (first, second) = (FakeLeader(answersBatches: false), FakeLeader(isSilent: true, epoch: 2))
        try await FrontFixture.run(leader: first, followers: [second]) { front in
            try await front.connect { client in
                #expect(await client.hello())
                try await client.send("PUSH {}\r\n")
                await first.waitUntil { FakeLeader.commands(of: $0).contains { $0.isPush } }
                second.setSilent(false)
                #expect(await client.read(5) == "+OK\r\n")
            }
        }
    }

    @Test("believes the last leader for as long as nobody else was sent the batch")
    func lateAnswer() async throws {
        let (first, second) = (FakeLeader(answersBatches: false), FakeLeader(isSilent: true, epoch: 2))
        try await FrontFixture.run(leader: first, followers: [second]) { front in
            try await front.connect { client in
                #expect(await client.hello())
                try await client.send("PUSH {}\r\n")
                await first.waitUntil { FakeLeader.commands(of: $0).contains(where: \.isPush) }
                first.setSilent(true)
                first.setConnected(false)
                first.answer(try #require(first.lastBatch))
                #expect(await client.read(5) == "+OK\r\n")
            }
        }
    }

    @Test("drops what a deposed leader says of a batch that the next one was sent")
    func deposedLeader() async throws {
        let first = FakeLeader(isSilent: false, answersBatches: false, script: Self.refusing)
        let second = FakeLeader(isSilent: true, epoch: 2, answersBatches: false)
        try await FrontFixture.run(leader: first, followers: [second]) { front in
            try await front.connect { client in
                #expect(await client.hello())
                try await client.send("PUSH {}\r\n")
                await first.waitUntil { FakeLeader.commands(of: $0).contains(where: \.isPush) }
                first.setSilent(true)
                second.setSilent(false)
                first.setConnected(false)
                await second.waitUntil { FakeLeader.commands(of: $0).contains(where: \.isPush) }
                first.answer(try #require(first.lastBatch))
                second.answer(try #require(second.lastBatch))
                #expect(await client.read(5) == "+OK\r\n")
            }
        }
    }
}
