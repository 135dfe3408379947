import Election
import Foundation
import JobCore
import Logging
import ServiceLifecycle
import TestSupport
import Testing

@testable import Manager

/// A member that is alone in its cluster, so that it leads as soon as it may.
@Suite("The service of a member", .timeLimit(.minutes(10)))
struct MemberServiceTests {
    private static let id = MemberID(1)

    private let desk: MemberDesk
    private let register = FakeRegister(member: MemberServiceTests.id)
    private let store = FakeStore()
    private let network = FakeNetwork()
    private let changes = Told<Bool>()

    init() {
        let machine = MemberMachine(
            id: Self.id,
            membership: Membership([Self.id]),
            record: .missing,
            at: Clocks.system.uptime()
        )
        let (desk, changes) = (MemberDesk(machine: machine), self.changes)
        self.desk = desk
        desk.onChange { [weak desk] in if let desk { changes.put(desk.mayLoad) } }
    }

    private static let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    private var service: MemberService {
        MemberService(
            desk: self.desk,
            register: self.register,
            store: self.store,
            network: self.network,
            logger: Self.logger
        )
    }

    /// Runs the service while `body` does, and stops it in good order; `meanwhile` runs beside the stop.
    private func run(
        _ body: @escaping @Sendable () async throws -> Void,
        whileStopping meanwhile: @escaping @Sendable () async throws -> Void = {}
    ) async throws {
        let group = ServiceGroup(services: [self.service], logger: Self.logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            try await body()
            tasks.addTask { try await meanwhile() }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    private func lead() async throws -> Leadership {
        await self.changes.next { $0 ? () : nil }
        let leadership = self.desk.leadership(after: Epoch(0), at: Clocks.system.uptime())
        return try #require(leadership)
    }

    @Test("leads once its Redis has the marker, and gives the key back when it is told to stop")
    func leading() async throws {
        try await self.run {
            let leadership = try await self.lead()
            #expect(self.desk.duty(in: leadership.epoch, at: Clocks.system.uptime()) == .lead)
            let ticket = try #require(self.desk.ticket)
            #expect(ticket.epoch == leadership.epoch)
            #expect(self.desk.acknowledges(ticket, confirmedBy: MemberSet()))
            #expect(self.store.actions.elements.contains { if case .awaitMarker = $0 { true } else { false } })
            self.desk.resign(leadership)
        }
        let last = self.register.actions.elements.last
        #expect(last.map { if case .resign = $0 { true } else { false } } == true)
        #expect(!self.desk.mayLoad)
        #expect(self.desk.ticket == nil)
    }

    @Test("when it is told to stop, a loop that serves is let finish before the key is given back")
    func finishing() async throws {
        let leaderships = Told<Leadership>()
        try await self.run {
            leaderships.put(try await self.lead())
        } whileStopping: {
            let leadership = try #require(leaderships.elements.first)
            await self.changes.next(skipping: 1) { $0 ? nil : () }
            #expect(self.desk.duty(in: leadership.epoch, at: Clocks.system.uptime()) == .finish)
            #expect(self.desk.leadership(after: Epoch(0), at: Clocks.system.uptime()) == nil)
            self.desk.resign(leadership)
        }
        let epoch = try #require(leaderships.elements.first).epoch
        #expect(self.desk.duty(in: epoch, at: Clocks.system.uptime()) == .leave)
    }

    @Test("without its Redis it leads no more, from that moment on")
    func redisGone() async throws {
        try await self.run {
            let leadership = try await self.lead()
            let ticket = try #require(self.desk.ticket)
            let before = self.changes.elements.count
            self.store.die()
            await self.changes.next(skipping: before) { $0 ? nil : () }
            #expect(self.desk.duty(in: leadership.epoch, at: Clocks.system.uptime()) == .leave)
            #expect(!self.desk.acknowledges(ticket, confirmedBy: MemberSet()))
            self.desk.resign(leadership)
        }
    }

    @Test("a leadership is trusted no longer than its lease, and none is given for data of a later epoch")
    func bounds() async throws {
        try await self.run {
            let leadership = try await self.lead()
            let end = try #require(leadership.trustedUntil)
            #expect(self.desk.duty(in: leadership.epoch, at: end) == .leave)
            #expect(self.desk.leadership(after: leadership.epoch, at: end) == nil)
            let later = Epoch(leadership.epoch.number + 1)
            #expect(self.desk.leadership(after: later, at: Clocks.system.uptime()) == nil)
            #expect(self.desk.duty(in: later, at: Clocks.system.uptime()) == .leave)
            self.desk.resign(leadership)
        }
    }

    @Test("it ends when its record cannot be written, without waiting for anybody")
    func brokenDisk() async throws {
        struct DiskFull: Error {}
        let error = await #expect(throws: DiskFull.self) {
            try await self.run {
                _ = try await self.lead()
                self.store.breakDisk(DiskFull())
            }
        }
        #expect(error != nil)
    }

    @Test("it ends when etcd refuses it, as when it is a member no more, without waiting for anybody")
    func refused() async throws {
        struct Refused: Error {}
        let service = self.service
        let running = Task { try await service.run() }
        _ = try await self.lead()
        self.register.refuse(Refused())
        // Not stopped by anybody.
        await #expect(throws: Refused.self) { try await running.value }
    }

    @Test("an operator who asks is told what it is, and one who asks nothing known is told nothing")
    func status() async throws {
        try await self.run {
            let leadership = try await self.lead()
            self.network.ask([1, 2, 3])
            self.network.ask(MemberRequest.status.encoded())
            let bytes = await self.network.answers.next { $0 }
            let status = try JSONDecoder().decode(MemberStatus.self, from: Data(bytes))
            #expect(status.member == 1)
            #expect(status.isServing)
            #expect(status.isVoter)
            #expect(status.leader?.epoch == leadership.epoch.number)
            #expect(status.store?.position.epoch == leadership.epoch.number)
            #expect(self.network.answers.elements.count == 1)
            self.desk.resign(leadership)
        }
    }
}
