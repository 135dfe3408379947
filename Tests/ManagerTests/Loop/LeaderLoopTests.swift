import ClusterLink
import Election
import JobCore
import JobStorage
import Logging
import ServiceLifecycle
import TestSupport
import Testing

@testable import Manager

@Suite("The leader's loop", .timeLimit(.minutes(10)))
struct LeaderLoopTests {
    private static let epoch = Epoch(9)

    private let link = FakeLink()
    private let election = FakeElection(epoch: LeaderLoopTests.epoch)
    private let data = InMemoryJobData()
    private let session = SessionID(high: 1, low: 2)

    private var introduction: MessageToLeader {
        .attach(FrontIntroduction(session: self.session, name: "front", software: "test", isNew: true))
    }

    private var lane: LaneKey { LaneKey(session: self.session, lane: 0) }

    private func batch(_ number: UInt64, _ bodies: LinkCommand.Body...) -> MessageToLeader {
        let commands = bodies.enumerated().map { LinkCommand(request: number * 10 + UInt64($0.offset), $0.element) }
        return .batch(CommandBatch(lane: self.lane, number: number, settled: 0, commands: commands))
    }

    /// How far the data is.
    private var position: Position {
        get throws { try InMemoryJobStore(over: self.data).load().position }
    }

    /// Runs the loop while `body` does, and stops it.
    private func run(_ body: @escaping @Sendable () async throws -> Void) async throws {
        let (link, data) = (self.link, self.data)
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let service = ManagerService(
            settings: ManagerSettings(),
            election: self.election,
            logger: logger,
            makeLink: { link },
            makeStore: { InMemoryJobStore(over: data) },
            extend: { _ in }
        )
        let group = ServiceGroup(services: [service], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            try await body()
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    /// Lets it lead, and returns once the front is attached.
    private func lead() async {
        self.election.order(.lead)
        // What comes before it leads is dropped, and so the front says it again, as fronts do.
        let attached = MessageFromLeader.attached(self.session, epoch: Self.epoch)
        while !self.link.sent.elements.contains(attached) {
            let before = self.link.received.elements.count
            self.link.say(self.introduction)
            await self.link.received.next(skipping: before) { _ in () }
            await Task.yield()
        }
    }

    private func replies(to batch: UInt64) async -> [LinkReply] {
        await self.link.sent.next { message in
            if case .replies(self.lane, batch, let replies) = message { replies } else { nil }
        }
    }

    @Test("stands by without a word until it may lead, and then writes its epoch before it serves")
    func standingBy() async throws {
        try await self.run {
            self.link.say(self.introduction)
            await self.link.received.next { _ in () }
            #expect(self.link.sent.elements.isEmpty)
            let before = try self.position
            #expect(before == Position(epoch: Epoch(0), sequence: 0))
            await self.lead()
            let after = try self.position
            #expect(after.epoch == Self.epoch)
        }
        #expect(self.election.resigned.elements == [Self.epoch])
    }

    @Test("a job that is there already is confirmed by a transaction, for somebody else may have taken it")
    func proof() async throws {
        try await self.run {
            await self.lead()
            self.link.say(self.batch(1, .push("pushed-twice-1")))
            #expect(await self.replies(to: 1) == [.ok])
            let before = try self.position.sequence
            self.link.say(self.batch(2, .push("pushed-twice-1")))
            #expect(await self.replies(to: 2) == [.ok])
            let after = try self.position.sequence
            #expect(after == before + 1)
        }
    }

    @Test(
        "whatever a client may act on is confirmed by a transaction",
        arguments: [
            LinkCommand.Body.pushBulk(jobs: Array("[".utf8) + payload("pushed-twice-1") + Array("]".utf8)),
            .fail("never-pushed-1"), .beat("a-quiet-worker", ""), .push(job: Array("{}".utf8)),
            .mutate("clear", "dead"),
        ]
    )
    func proofOfEachAnswer(body: LinkCommand.Body) async throws {
        try await self.run {
            await self.lead()
            let quiet = LinkCommand.Body.beat("a-quiet-worker", "quiet")
            self.link.say(self.batch(1, .push("pushed-twice-1"), .joined("a-quiet-worker"), quiet))
            _ = await self.replies(to: 1)
            let before = try self.position.sequence
            self.link.say(self.batch(2, body))
            if await self.replies(to: 2) == [.deferred] {
                _ = await self.link.sent.next { if case .late = $0 { true } else { nil } }
            }
            let after = try self.position.sequence
            #expect(after > before)
        }
    }

    @Test("what is only read, and that nothing came for a FETCH, is told without a transaction")
    func noProof() async throws {
        try await self.run {
            await self.lead()
            let before = try self.position.sequence
            self.link.say(self.batch(1, .info, .latency(queues: ["default"]), .fetch("default", wait: 0)))
            #expect(await self.replies(to: 1) == [.deferred, .deferred, .parked])
            for request in UInt64(10)...12 {
                _ = await self.link.sent.next { message -> LinkReply? in
                    guard case .late(_, let late) = message else { return nil }
                    return late.first { $0.request == request }?.reply
                }
            }
            let after = try self.position.sequence
            #expect(after == before)
        }
    }

    @Test(
        "told to finish, it says when it has; told to leave, it answers nothing more",
        arguments: [
            LeaderDuty.finish, .leave,
        ]
    )
    func ending(duty: LeaderDuty) async throws {
        try await self.run {
            await self.lead()
            self.election.order(duty)
            #expect(await self.election.resigned.next { $0 } == Self.epoch)
            let before = (self.link.sent.elements.count, self.link.received.elements.count)
            let position = try self.position
            self.link.say(self.batch(1, .push("pushed-late-1")))
            await self.link.received.next(skipping: before.1) { _ in () }
            #expect(self.link.sent.elements.count == before.0)
            let after = try self.position
            #expect(after == position)
        }
    }

    @Test(
        "ceasing to lead, it lets its fronts look for the next leader",
        arguments: [
            LeaderDuty.finish, .leave,
        ]
    )
    func dismissal(duty: LeaderDuty) async throws {
        try await self.run {
            await self.lead()
            let before = self.link.sent.elements.filter { $0 == .attachFirst(self.session) }.count
            self.election.order(duty)
            #expect(await self.election.resigned.next { $0 } == Self.epoch)
            // The front may have said more than once that it is there, and be answered as often.
            #expect(self.link.sent.elements.last == .attachFirst(self.session))
            #expect(self.link.sent.elements.filter { $0 == .attachFirst(self.session) }.count == before + 1)
        }
    }

    @Test("beginning to lead, it calls the fronts that were looking for a leader, once")
    func seekers() async throws {
        try await self.run {
            let other = SessionID(high: 3, low: 4)
            self.link.say(self.introduction)
            self.link.say(.heartbeat(other, FrontStatistics()))
            await self.link.received.next { _ in () }
            await self.lead()
            let called: Set<MessageFromLeader> = [.attachFirst(self.session), .attachFirst(other)]
            #expect(Set(self.link.sent.elements.prefix(2)) == called)
            #expect(self.link.sent.elements.count(where: { called.contains($0) }) == 2)
        }
    }

    @Test("when a later leader has written, no command is answered, least of all with an error")
    func overtaken() async throws {
        try await self.run {
            await self.lead()
            let later = InMemoryJobStore(over: self.data)
            let sequence = try later.load().position.sequence
            let position = Position(epoch: Epoch(Self.epoch.number + 1), sequence: sequence + 1)
            _ = try later.commit(StorageTransaction(position: position, lastToken: 0, day: "2026-03-01"))
            let before = self.link.sent.elements.count
            self.link.say(self.batch(1, .push("pushed-late-1")))
            #expect(await self.election.resigned.next { $0 } == Self.epoch)
            // The front may have said more than once that it is there.
            let attached = MessageFromLeader.attached(self.session, epoch: Self.epoch)
            let sent = self.link.sent.elements.dropFirst(before).filter { $0 != attached }
            #expect(sent == [.attachFirst(self.session)])
            self.election.order(.leave)
        }
    }
}
