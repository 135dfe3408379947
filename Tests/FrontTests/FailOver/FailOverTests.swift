import ClusterLink
import ClusterLinkZeroMQ
import Front
import JobCore
import Testing

/// Real managers and a real front between them; who leads is the test's to say.
@Suite("A fail-over", .timeLimit(.minutes(10)))
struct FailOverTests {
    @Test("answers what was under way from the record: nothing twice, nothing stranded, and no client notices")
    func underWay() async throws {
        let cluster = try TestManagers(count: 2)
        let (first, second) = (cluster.managers[0], cluster.managers[1])
        first.elect(in: 1)
        let tally = Tally(expecting: Tally.producerCount * Tally.jobsPerProducer)
        try await FrontFixture.run(links: cluster.makeLinks()) { front in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<Tally.producerCount {
                    group.addTask { try await front.connect { try await tally.produce(number, through: $0) } }
                }
                for number in 0..<4 {
                    group.addTask { try await front.connect { try await tally.work(number, through: $0) } }
                }
                await tally.wait(forDone: 100)
                // What is done from now on nobody hears of.
                first.mute.turnOn()
                await first.mute.waitForLoss(of: 3)
                #expect(await first.end() == nil)
                second.elect(in: 2)
                try await group.waitForAll()
            }
            #expect(tally.executions.count == tally.expected)
            let repeated = tally.executions.filter { $0.value != 1 }
            #expect(repeated.isEmpty)
            try await front.connect { client in
                #expect(await client.hello())
                let figures = try await client.information()
                #expect(figures.contains(#""total_processed":\#(tally.expected),"#), "\(figures)")
                #expect(figures.contains(#""total_enqueued":0,"#), "\(figures)")
            }
        }
    }

    @Test("announces a FETCH that waits to the next leader, which gives it the next job")
    func waitingFetch() async throws {
        let cluster = try TestManagers(count: 2)
        let (first, second) = (cluster.managers[0], cluster.managers[1])
        first.elect(in: 1)
        try await FrontFixture.run(links: cluster.makeLinks()) {
            $0.fetchWait = .seconds(60)
        } _: { front in
            try await front.connect { worker in
                try await front.connect { producer in
                    #expect(await worker.hello(#"{"wid":"w","v":2}"#))
                    #expect(await producer.hello())
                    // The FETCH leaves no later than what is said to be answered after it.
                    try await worker.send("FETCH q\r\n")
                    #expect(
                        await producer.exchange(
                            #"PUSH {"jid":"other-job","jobtype":"A","args":[]}"# + "\r\n",
                            for: "+OK\r\n"
                        )
                    )
                    #expect(await first.end() == nil)
                    second.elect(in: 2)
                    let job = #"{"jid":"awaited-job","jobtype":"A","args":[],"queue":"q"}"#
                    #expect(await producer.exchange("PUSH \(job)\r\n", for: "+OK\r\n"))
                    #expect(try await worker.job() == "awaited-job")
                }
            }
        }
    }

    @Test("can follow another, until the last manager is left")
    func oneAfterAnother() async throws {
        let cluster = try TestManagers(count: 3)
        try await FrontFixture.run(links: cluster.makeLinks()) { front in
            try await front.connect { client in
                #expect(await client.hello())
                for (number, manager) in cluster.managers.enumerated() {
                    manager.elect(in: UInt64(number + 1))
                    let job = #"{"jid":"round-job-\#(number)","jobtype":"A","args":[]}"#
                    #expect(await client.exchange("PUSH \(job)\r\n", for: "+OK\r\n"))
                    let figures = try await client.information()
                    #expect(figures.contains(#""total_enqueued":\#(number + 1),"#), "\(figures)")
                    #expect(await manager.end() == nil)
                }
            }
        }
    }

    @Test("holds commands while nobody leads, and closes their clients without a word when the time is over")
    func nobodyLeads() async throws {
        let cluster = try TestManagers(count: 2)
        try await FrontFixture.run(links: cluster.makeLinks()) {
            $0.lane.holdTimeout = .milliseconds(300)
            $0.drainTimeout = .milliseconds(50)
        } _: { front in
            try await front.connect { client in
                #expect(await client.hello())
                try await client.send("PUSH {}\r\n")
                #expect(await client.readToEnd() == "")
            }
        }
    }

    @Test("a manager that does not lead answers nothing, and does not handle later what it was sent before")
    func follower() throws {
        let cluster = try TestManagers(count: 1)
        let peer = try TestPeer(at: cluster.managers[0].endpoint)
        let session = SessionID(high: 1, low: 1)
        let attach = MessageToLeader.attach(
            FrontIntroduction(session: session, name: "", software: "", isNew: true)
        )
        for _ in 0..<1_000 { try peer.send(attach) }
        #expect(try peer.receive(within: .milliseconds(200)) == nil)
        cluster.managers[0].elect(in: 1)
        // It leads when it asks for an introduction: what came before has made it know nobody.
        var answer: MessageFromLeader?
        let end = ContinuousClock.now + .seconds(120)
        while answer == nil, ContinuousClock.now < end {
            try peer.send(.heartbeat(session, FrontStatistics()))
            answer = try peer.receive(within: .milliseconds(50))
        }
        #expect(answer == .attachFirst(session))
    }
}
