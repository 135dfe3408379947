import ClusterLink
import Front
import JobCore
import Testing

@Suite("Connections and what becomes of them")
struct ConnectionTests {
    @Test("a FETCH whose client has gone is withdrawn", arguments: [true, false])
    func withdrawal(isAbrupt: Bool) async throws {
        let leader = FakeLeader()
        try await FrontFixture.run(leader: leader) { front in
            try await front.connect { client in
                #expect(await client.hello())
                try await client.send("FETCH q\r\n")
                let request = await leader.request(where: \.isFetch)
                if isAbrupt { try await client.disconnect() } else { try await client.finish() }
                #expect(await leader.request(where: \.isWithdrawal) == request)
                #expect(await client.readToEnd() == (isAbrupt ? "" : "$-1\r\n"))
            }
        }
    }

    @Test("a written job is confirmed without any further command")
    func settling() async throws {
        let leader = FakeLeader()
        try await FrontFixture.run(leader: leader) { front in
            try await front.connect { client in
                #expect(await client.hello())
                try await client.send("FETCH q\r\n")
                leader.tellLate(await leader.request(where: \.isFetch), .job(offer: 1, payload: Array("J".utf8)))
                #expect(await client.read(7) == "$1\r\nJ\r\n")
                await leader.waitUntil {
                    $0.contains { if case .batch(let batch) = $0 { batch.settled == 1 } else { false } }
                }
            }
        }
        #expect(!leader.commands.contains { $0.isWithdrawal })
    }

    @Test("a worker's connection is announced before its commands, and said goodbye when it closes")
    func worker() async throws {
        let leader = FakeLeader()
        try await FrontFixture.run(leader: leader) { front in
            try await front.connect { client in
                #expect(await client.hello(#"{"wid":"w1","hostname":"h","pid":7,"labels":["a"],"v":2}"#))
                #expect(await client.exchange("BEAT {\"wid\":\"w1\"}\r\n", for: "+OK\r\n"))
                try await client.send("END\r\n")
                #expect(await client.readToEnd() == "")
            }
            _ = await leader.request { $0.leaves("w1") }
        }
        let commands = leader.commands
        let first = try #require(commands.first)
        guard case .workerJoined(let introduction) = first.body else {
            Issue.record("the first command is \(first)")
            return
        }
        #expect(
            introduction
                == WorkerIntroduction(worker: "w1", hostname: "h", processID: 7, labels: ["a"], residentKilobytes: 0)
        )
    }

    @Test("a FETCH carries the wid of its connection and the configured wait")
    func fetchedFor() async throws {
        let leader = FakeLeader { command in command.isFetch ? .null : .ok }
        try await FrontFixture.run(leader: leader) { front in
            try await front.connect { client in
                #expect(await client.hello(#"{"wid":"w1","v":2}"#))
                #expect(await client.exchange("FETCH a b\r\n", for: "$-1\r\n"))
            }
        }
        let fetch = try #require(leader.commands.first { $0.isFetch })
        guard case .fetch("w1", ["a", "b"], 1_900) = fetch.body else {
            Issue.record("the fetch is \(fetch)")
            return
        }
    }

    @Test("commands of a client that leaves are carried out all the same")
    func carriedOut() async throws {
        let leader = FakeLeader(isSilent: true)
        try await FrontFixture.run(leader: leader) { front in
            try await front.connect { client in
                #expect(await client.hello())
                try await client.send("PUSH {}\r\n")
                try await client.disconnect()
            }
            leader.setSilent(false)
            _ = await leader.request(where: \.isPush)
        }
        #expect(leader.commands.filter(\.isPush).count == 1)
    }

    @Test("a client that only stops sending gets its answers before the connection closes")
    func halfClose() async throws {
        try await FrontFixture.run { front in
            try await front.connect { client in
                try await client.send("HELLO {}\nPUSH {}\nINFO\nPUSH {}")
                try await client.finish()
                #expect(await client.readToEnd() == TestClient.greeting + "+OK\r\n+OK\r\n$2\r\n{}\r\n")
            }
        }
    }

    @Test("a client that pipelines PUSH and FETCH and stops sending gets the answers in order, and the job")
    func halfCloseBehindFetch() async throws {
        let leader = FakeLeader { command in
            command.isFetch ? .job(offer: 1, payload: Array("J".utf8)) : FakeLeader.standard(command)
        }
        try await FrontFixture.run(leader: leader) { front in
            try await front.connect { client in
                #expect(await client.hello())
                leader.setSilent(true)
                try await client.send("PUSH {}\r\nFETCH q\r\n")
                try await client.finish()
                leader.setSilent(false)
                #expect(await client.readToEnd() == "+OK\r\n$1\r\nJ\r\n")
            }
            await leader.waitUntil {
                $0.contains { if case .batch(let batch) = $0 { batch.settled == 1 } else { false } }
            }
        }
        #expect(!leader.commands.contains { $0.isWithdrawal })
    }

    @Test("a job for a client that sent a FETCH and is gone is taken back as soon as its host says so")
    func goneBehindFetch() async throws {
        let leader = FakeLeader { command in
            command.isFetch ? .job(offer: 1, payload: Array("J".utf8)) : FakeLeader.standard(command)
        }
        try await FrontFixture.run(leader: leader) { front in
            try await front.connect { client in
                #expect(await client.hello())
                leader.setSilent(true)
                try await client.send("PUSH {}\r\nFETCH q\r\n")
                _ = await leader.request(where: \.isFetch)
                try await client.disconnect()
            }
            leader.setSilent(false)
            let request = await leader.request(where: \.isWithdrawal)
            #expect(request == leader.commands.first { $0.isFetch }?.request)
        }
    }

    @Test("a client that does not read its replies is closed")
    func slowReader() async throws {
        let leader = FakeLeader { _ in .bulk([UInt8](repeating: 0x78, count: 32 << 20)) }
        try await FrontFixture.run(leader: leader) {
            $0.writeTimeout = .milliseconds(200)
        } _: { front in
            try await front.connect(reads: false) { client in
                try await client.send("HELLO {\"wid\":\"slow\"}\nPUSHB []\n")
                _ = await leader.request { $0.leaves("slow") }
            }
        }
        #expect(leader.commands.contains { $0.leaves("slow") })
    }

    @Test("a job that a slow reader did not take is taken back")
    func slowReaderOfJob() async throws {
        let leader = FakeLeader { command in
            command.isFetch ? .job(offer: 1, payload: [UInt8](repeating: 0x78, count: 32 << 20)) : .nothing
        }
        try await FrontFixture.run(leader: leader) {
            $0.writeTimeout = .milliseconds(200)
        } _: { front in
            try await front.connect(reads: false) { client in
                try await client.send("HELLO {}\nFETCH q\n")
                let request = await leader.request(where: \.isWithdrawal)
                #expect(request == leader.commands.first { $0.isFetch }?.request)
            }
        }
    }

    @Test("commands are held while nobody leads, and their clients wait")
    func held() async throws {
        let leader = FakeLeader(isSilent: true)
        try await FrontFixture.run(leader: leader) { front in
            try await front.connect { client in
                #expect(await client.hello())
                try await client.send("PUSH {}\r\n")
                leader.setSilent(false)
                #expect(await client.read(5) == "+OK\r\n")
            }
        }
    }

    @Test("a client whose command is held for too long is closed without a word")
    func heldForTooLong() async throws {
        try await FrontFixture.run(leader: FakeLeader(isSilent: true)) {
            $0.lane.holdTimeout = .milliseconds(50)
            $0.drainTimeout = .milliseconds(50)
        } _: { front in
            try await front.connect { client in
                #expect(await client.hello())
                try await client.send("PUSH {}\r\n")
                #expect(await client.readToEnd() == "")
            }
        }
    }

    @Test("beyond the bound of held commands clients wait instead of being refused")
    func heldBound() async throws {
        let leader = FakeLeader(isSilent: true)
        try await FrontFixture.run(leader: leader) {
            $0.lane.heldCommandCount = 2
        } _: { front in
            try await front.connect { client in
                #expect(await client.hello())
                try await client.send(String(repeating: "PUSH {}\r\n", count: 20))
                leader.setSilent(false)
                #expect(await client.read(100) == String(repeating: "+OK\r\n", count: 20))
            }
        }
        #expect(leader.commands.filter(\.isPush).count == 20)
        let sizes = leader.messages.map { if case .batch(let batch) = $0 { batch.commands.count } else { 0 } }
        #expect(sizes.allSatisfy { $0 <= 2 })
    }

    @Test("a lost batch is sent again under its number and answered")
    func lostBatch() async throws {
        let leader = FakeLeader()
        try await FrontFixture.run(leader: leader) {
            $0.lane.resendInterval = .milliseconds(50)
        } _: { front in
            try await front.connect { client in
                #expect(await client.hello())
                leader.setSilent(true)
                try await client.send("PUSH {}\r\n")
                _ = await leader.request(where: \.isPush)
                leader.setSilent(false)
                #expect(await client.read(5) == "+OK\r\n")
            }
        }
        let requests = Set(leader.commands.filter(\.isPush).map(\.request))
        #expect(requests.count == 1)
    }

    @Test("workers that the leader drops are closed, others are not")
    func dropWorkers() async throws {
        let leader = FakeLeader()
        try await FrontFixture.run(leader: leader) { front in
            let session = try #require(leader.session)
            try await front.connect { silent in
                #expect(await silent.hello(#"{"wid":"silent"}"#))
                try await front.connect { other in
                    #expect(await other.hello(#"{"wid":"other"}"#))
                    leader.tell(.dropWorkers(session, ["silent"]))
                    #expect(await silent.readToEnd() == "")
                    #expect(await other.exchange("INFO\r\n", for: "$2\r\n{}\r\n"))
                }
            }
        }
    }

    @Test("when the session has expired all clients are closed and a new session begins")
    func expired() async throws {
        let leader = FakeLeader()
        try await FrontFixture.run(leader: leader) { front in
            let session = try #require(leader.session)
            try await front.connect { client in
                #expect(await client.hello())
                leader.tell(.expired(session))
                #expect(await client.readToEnd() == "")
            }
            try await front.connect { client in
                #expect(await client.hello())
                #expect(await client.exchange("INFO\r\n", for: "$2\r\n{}\r\n"))
            }
            #expect(leader.session != session)
        }
    }

    @Test("after a fail-over workers and parked FETCHes are announced again under their numbers")
    func failOver() async throws {
        let leader = FakeLeader()
        try await FrontFixture.run(leader: leader) { front in
            try await front.connect { client in
                #expect(await client.hello(#"{"wid":"w"}"#))
                try await client.send("FETCH q\r\n")
                let request = await leader.request(where: \.isFetch)
                leader.tell(.attachFirst(try #require(leader.session)))
                await leader.waitUntil { FakeLeader.commands(of: $0).filter(\.isFetch).count == 2 }
                let commands = leader.commands
                #expect(commands.filter { $0.joins("w") }.count == 2)
                #expect(commands.filter(\.isFetch).allSatisfy { $0.request == request })
                leader.tellLate(request, .null)
                #expect(await client.read(5) == "$-1\r\n")
            }
        }
        let introductions = leader.messages.compactMap { if case .attach(let front) = $0 { front.isNew } else { nil } }
        #expect(introductions == [true, false])
    }
}
