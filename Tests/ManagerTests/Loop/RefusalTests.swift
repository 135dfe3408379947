import ClusterLink
import Election
import JobCore
import JobStorage
import Logging
import Testing

@testable import Manager

@Suite("A store that refuses")
struct RefusalTests {
    private static let session = SessionID(high: 7, low: 1)
    private static let lane = LaneKey(session: Self.session, lane: 0)
    private static let refusal = LinkReply.error("ERR the store refused: MISCONF No space left on device")
    private static let attach = MessageToLeader.attach(
        FrontIntroduction(session: Self.session, name: "", software: "test", isNew: true)
    )

    private let data = InMemoryJobData()
    private let store: InMemoryJobStore

    init() {
        self.store = InMemoryJobStore(over: self.data)
    }

    private static func batch(_ number: UInt64, _ bodies: LinkCommand.Body...) -> MessageToLeader {
        let commands = bodies.enumerated().map { LinkCommand(request: number * 10 + UInt64($0.offset), $0.element) }
        return .batch(CommandBatch(lane: Self.lane, number: number, settled: 0, commands: commands))
    }

    private func fill() {
        self.store.fault = .refusing("MISCONF No space left on device")
    }

    private func makeRoom() {
        self.store.fault = nil
    }

    /// Leads until the script is over.
    private func lead(
        election: any Election = SoleElection(),
        until stop: StopSignal = StopSignal(),
        _ steps: ScriptedLeaderLink.Step...
    ) throws -> [(batch: UInt64, replies: [LinkReply])] {
        let link = ScriptedLeaderLink(stop: stop, steps)
        try self.lead(over: link, election: election, until: stop)
        return link.replies
    }

    private func lead(
        over link: ScriptedLeaderLink,
        election: any Election = SoleElection(),
        until stop: StopSignal,
        extend: @escaping (JobManager) -> Void = { _ in }
    ) throws {
        let loop = LeaderLoop(
            link: link,
            store: self.store,
            election: election,
            settings: ManagerSettings(),
            extend: extend,
            clocks: .system,
            stop: stop,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        )
        try loop.run()
    }

    private var jobIDs: [String] { self.data.jobIDs.map(\.text).sorted() }

    @Test(
        "answers commands with its words for as long as that lasts, and they are carried out when there is room again"
    )
    func clearWords() throws {
        let replies = try self.lead(
            { [Self.attach] },
            {
                self.fill()
                return [Self.batch(1, .push("order-000001"), .push("order-000002"))]
            },
            // From here on it cannot even begin to lead.
            { [Self.batch(2, .push("order-000001"), .fetch("default"), .acknowledge("order-000009"))] },
            {
                self.makeRoom()
                return [Self.batch(3, .joined("worker-1"), .push("order-000001"))]
            },
            { [Self.attach] },
            { [Self.batch(4, .push("order-000001"))] }
        )
        #expect(replies.map(\.batch) == [1, 2, 3, 4])
        #expect(replies[0].replies == [Self.refusal, Self.refusal])
        #expect(replies[1].replies == [Self.refusal, Self.refusal, Self.refusal])
        #expect(replies[2].replies == [Self.refusal, Self.refusal])
        #expect(replies[3].replies == [.ok])
        #expect(self.jobIDs == ["order-000001"])
    }

    @Test("never has a batch carried out whose clients were told that it refused, however late a copy comes")
    func copies() throws {
        let first = Self.batch(1, .push("order-000001"))
        let second = Self.batch(2, .push("order-000002"))
        let replies = try self.lead(
            { [Self.attach] },
            {
                self.fill()
                return [first]
            },
            {
                self.makeRoom()
                return [first, second]
            },
            { [Self.attach, first, second] },
            { [Self.batch(3, .push("order-000003"))] },
            { [second] }
        )
        #expect(replies.map(\.batch) == [1, 1, 2, 2, 3])
        #expect(replies.dropLast().allSatisfy { $0.replies == [Self.refusal] })
        #expect(replies.last?.replies == [.ok])
        #expect(self.jobIDs == ["order-000003"])
    }

    @Test("goes on when an answer is larger than a message may be, and says so in its place")
    func tooLarge() throws {
        let stop = StopSignal()
        let filling = String(repeating: "x", count: 5_000)
        let pushes = Self.batch(2, .push("order-000001", #""custom":{"x":"\#(filling)"}"#))
        let link = ScriptedLeaderLink(
            stop: stop,
            [
                { [Self.attach] }, { [pushes] },
                { [Self.batch(3, .fetch("default"))] },
                { [Self.batch(4, .push("order-000002"))] },
            ]
        )
        link.byteBound = 4_000
        try self.lead(over: link, until: stop) { _ in }
        #expect(link.replies.map(\.batch) == [2, 4])
        #expect(link.replies.last?.replies == [.ok])
    }

    @Test("answers a long command of which it refuses a part, and names what of a PUSHB was not taken")
    func longCommands() throws {
        let jobs = (0..<1_200).map { payload(QueueMirrorTests.name($0)) }
        let stop = StopSignal()
        let link = ScriptedLeaderLink(
            stop: stop,
            [
                { [Self.attach] },
                { [Self.batch(1, LongCommandTests.bulk(jobs))] },
                {
                    self.makeRoom()
                    return []
                },
            ]
        )
        // The store is full when 500 jobs are there.
        try self.lead(over: link, until: stop) { manager in
            manager.addMiddleware(.push) { context, next in
                if context.job.id.text == QueueMirrorTests.name(700) { self.fill() }
                try next()
            }
        }
        let late = link.sent.compactMap { message -> LateReply? in
            guard case .late(_, let late) = message else { return nil }
            return late.first
        }
        let answer = try #require(late.first(where: { $0.request == 10 }))
        let text = try #require(answer.reply.text)
        #expect(text.hasPrefix(#"{"order-1000500":"the store refused: MISCONF"#))
        #expect(text.count(where: { $0 == "," }) == 699)
        #expect(self.jobIDs.count == 500)
    }

    @Test("says nothing of a batch that an earlier leader has carried out")
    func unknown() throws {
        let done = Self.batch(1, .push("order-000001"))
        #expect(try self.lead({ [Self.attach] }, { [done] }).map(\.replies) == [[.ok]])
        self.fill()
        let replies = try self.lead(
            { [done] },
            {
                self.makeRoom()
                return []
            },
            { [Self.attach] },
            { [done] }
        )
        #expect(replies.map(\.batch) == [1])
        #expect(replies.first?.replies == [.ok])
        #expect(self.jobIDs == ["order-000001"])
    }

    @Test("lets a front know that a withdrawal was not carried out, whether it leads then or cannot begin to")
    func withdrawals() throws {
        let fetch = MessageToLeader.batch(
            CommandBatch(
                lane: Self.lane,
                number: 1,
                settled: 0,
                commands: [LinkCommand(request: 1, .push("order-000001")), LinkCommand(request: 2, .fetch("default"))]
            )
        )
        func withdrawal(in batch: UInt64) -> MessageToLeader {
            let commands = [LinkCommand(request: 2, .withdraw)]
            return .batch(CommandBatch(lane: Self.lane, number: batch, settled: 1, commands: commands))
        }
        let replies = try self.lead(
            { [Self.attach] },
            { [fetch] },
            {
                self.fill()
                return [withdrawal(in: 2)]
            },
            { [withdrawal(in: 3)] },
            {
                self.makeRoom()
                return []
            },
            { [Self.attach] },
            { [withdrawal(in: 4)] }
        )
        #expect(replies.map(\.batch) == [1, 2, 3, 4])
        #expect(replies.dropFirst().map(\.replies) == [[Self.refusal], [Self.refusal], [.nothing]])
        #expect(try self.store.load().reservations.isEmpty)
        let entries = try self.store.entries(of: QueueName(parsing: "default"), from: 0, count: 10)
        #expect(entries.map(\.jobID.text) == ["order-000001"])
    }

    @Test("is no reason for an answer where others may lead, who may have carried the batch out")
    func others() throws {
        self.fill()
        let stop = StopSignal()
        let election = LimitedElection(stop: stop)
        let replies = try self.lead(election: election, until: stop, { [Self.batch(1, .push("order-000001"))] })
        #expect(replies.isEmpty)
    }

    @Test("is remembered for as many lanes as the bound says")
    func laneBound() {
        var refused = RefusedBatches()
        let peer = LinkPeer(identity: [1])
        func key(_ number: Int) -> LaneKey { LaneKey(session: SessionID(high: 1, low: UInt64(number)), lane: 0) }
        func isKnown(_ number: Int) -> Bool {
            let batch = CommandBatch(lane: key(number), number: 1, settled: 0, commands: [])
            return refused.replies(to: batch, from: peer) != nil
        }
        for number in 0..<RefusedBatches.laneBound { refused.note([Self.refusal], to: 1, of: key(number), from: peer) }
        #expect(isKnown(0) && isKnown(RefusedBatches.laneBound - 1))
        refused.note([Self.refusal], to: 1, of: key(RefusedBatches.laneBound), from: peer)
        #expect(!isKnown(0) && isKnown(RefusedBatches.laneBound))
    }
}

/// An election that somebody else may win, and whose first leadership is the last of the test.
private struct LimitedElection: Election {
    let stop: StopSignal
    let mayLoad = true
    let needsProof = false

    func leadership(after latest: Epoch, at now: Uptime) -> Leadership? {
        self.stop.request()
        return Leadership(epoch: Epoch(latest.number + 1), trustedUntil: now + .seconds(60))
    }

    func duty(in epoch: Epoch, at now: Uptime) -> LeaderDuty { .lead }

    func resign(_ leadership: Leadership) {}

    func onChange(_ notify: @escaping @Sendable () -> Void) {}
}
