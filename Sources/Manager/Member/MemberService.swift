package import Election
import Foundation
import JobCore
package import Logging
import ServiceLifecycle

/// A member of a replicated cluster: drives its machine with etcd, its Redis and its peers.
///
/// One loop takes in one stream of events and does what the machine answers, in order. Whatever takes time is done
/// elsewhere, and its outcome comes back as an event, so that the loop is always free to step down.
package struct MemberService: Service {
    /// The shortest time between two alarms.
    private static let shortestAlarm = Duration.milliseconds(1)

    private let desk: MemberDesk
    private let register: any LeaderRegister
    private let store: any MemberStore
    private let network: any PeerNetwork
    private let clocks: Clocks
    private let logger: Logger

    package init(
        desk: MemberDesk,
        register: any LeaderRegister,
        store: any MemberStore,
        network: any PeerNetwork,
        clocks: Clocks = .system,
        logger: Logger
    ) {
        self.desk = desk
        self.register = register
        self.store = store
        self.network = network
        self.clocks = clocks
        self.logger = logger
    }

    /// Takes part until it is told to stop; a leader then lets another member lead at once.
    package func run() async throws {
        let inbox = MemberInbox()
        self.desk.tell { inbox.put($0) }
        try self.network.start { inbox.put($0) }
        defer { self.network.close() }
        self.store.start { inbox.put($0) }
        defer { self.store.stop() }
        try await withTaskCancellationOrGracefulShutdownHandler {
            try await withThrowingDiscardingTaskGroup { group in
                group.addTask {
                    try await self.register.watch { inbox.put(.etcd(.state($0))) }
                }
                var loop = MemberLoop(service: self, inbox: inbox)
                await loop.run(in: &group)
                group.cancelAll()
            }
        } onCancelOrGracefulShutdown: {
            inbox.put(.command(.stop))
        }
    }
}

extension MemberService {
    /// What the loop of a service remembers.
    private struct MemberLoop {
        let service: MemberService
        let inbox: MemberInbox
        /// When the next alarm comes; nil if none was set.
        var alarmAt: Uptime?
        var findings: [MemberStatus.Finding] = []
        var isStopping = false
        var hasStopped = false

        private var desk: MemberDesk { self.service.desk }
        private var logger: Logger { self.service.logger }

        init(service: MemberService, inbox: MemberInbox) {
            self.service = service
            self.inbox = inbox
        }

        mutating func run(in group: inout ThrowingDiscardingTaskGroup<any Error>) async {
            self.setAlarm(in: &group)
            for await entry in self.inbox.entries {
                switch entry {
                case .takeOver(let event): await self.take(event, in: &group)
                case .alarm:
                    self.alarmAt = nil
                    await self.take(.tick, in: &group)
                case .peer(let event):
                    self.inbox.notePeerTaken()
                    await self.receive(event, in: &group)
                case .report(let report, let asker): self.answer(asker, with: report)
                }
                if self.hasStopped { return }
                self.setAlarm(in: &group)
            }
        }

        private mutating func take(
            _ event: TakeOverEvent,
            in group: inout ThrowingDiscardingTaskGroup<any Error>
        ) async {
            if event == .command(.stop) { self.isStopping = true }
            self.log(event)
            for action in self.desk.receive(event, at: self.service.clocks.uptime()) {
                await self.perform(action, in: &group)
            }
        }

        private mutating func receive(
            _ event: PeerNetworkEvent,
            in group: inout ThrowingDiscardingTaskGroup<any Error>
        ) async {
            switch event {
            case .message(let message, let member): await self.take(.message(message, from: member), in: &group)
            case .connected(let member): await self.take(.connected(member), in: &group)
            case .disconnected(let member): await self.take(.disconnected(member), in: &group)
            case .question(let bytes, let asker):
                switch MemberRequest(decoding: bytes) {
                case .status: break
                case .handOver(let successor): await self.take(.command(.handOver(to: successor)), in: &group)
                case .recover(let acceptLoss):
                    self.findings = []
                    await self.take(.command(.recover(acceptLoss: acceptLoss)), in: &group)
                case nil: return
                }
                let inbox = self.inbox
                self.service.store.report { inbox.put($0, for: asker) }
            }
        }

        private mutating func perform(
            _ action: TakeOverAction,
            in group: inout ThrowingDiscardingTaskGroup<any Error>
        ) async {
            switch action {
            case .send(let message, let member): self.service.network.send(message, to: member)
            case .store(let record): self.service.store.store(record)
            case .redis(let action): self.service.store.perform(action)
            case .etcd(let action): await self.ask(action, in: &group)
            case .startServing(let ticket):
                self.logger.notice("this member leads", metadata: ["epoch": "\(ticket.epoch.number)"])
                self.desk.startServing(ticket)
            case .pauseServing(let epoch):
                self.logger.info("finishing what was begun", metadata: ["epoch": "\(epoch.number)"])
                self.desk.pauseServing(epoch)
            case .stopServing(let epoch):
                self.desk.stopServing()
                self.logger.notice("this member leads no more", metadata: ["epoch": "\(epoch.number)"])
            case .reportPosition(let member, let position, let isVoter):
                self.note(MemberStatus.Finding(member: member, position: position, isVoter: isVoter))
            case .stopped: self.hasStopped = true
            }
        }

        private func ask(_ action: EtcdAction, in group: inout ThrowingDiscardingTaskGroup<any Error>) async {
            let (register, inbox) = (self.service.register, self.inbox)
            if case .resign = action, self.isStopping {
                // The last thing that this process does; nobody leads until it is done, or the lease is over.
                _ = await register.perform(action)
                return
            }
            group.addTask {
                if let event = await register.perform(action) { inbox.put(.etcd(event)) }
            }
        }

        /// Makes sure that the machine hears a tick when it wants to.
        private mutating func setAlarm(in group: inout ThrowingDiscardingTaskGroup<any Error>) {
            let now = self.service.clocks.uptime()
            let deadline = max(self.desk.nextDeadline, now + MemberService.shortestAlarm)
            if let alarmAt, alarmAt <= deadline { return }
            self.alarmAt = deadline
            let (wait, inbox) = (now.duration(to: deadline), self.inbox)
            group.addTask {
                // An alarm that was set for later, or was cancelled, is a tick too many.
                try? await Task.sleep(for: wait)
                inbox.putAlarm()
            }
        }

        private mutating func note(_ finding: MemberStatus.Finding) {
            self.findings.removeAll { $0.member == finding.member }
            self.findings.append(finding)
            self.logger.notice(
                "found a copy of the data",
                metadata: [
                    "member": "\(finding.member)", "epoch": "\(finding.position.epoch)",
                    "sequence": "\(finding.position.sequence)", "votes": "\(finding.isVoter)",
                ]
            )
        }

        private func answer(_ asker: PeerAsker, with report: RedisReport?) {
            var status = self.desk.status(findings: self.findings)
            status.store = report.map { MemberStatus.Store($0, of: self.desk.membership) }
            guard let bytes = try? JSONEncoder().encode(status) else { return }
            self.service.network.answer(Array(bytes), to: asker)
        }

        private func log(_ event: TakeOverEvent) {
            switch event {
            case .redis(.started(let isIntact)):
                self.logger.info("Redis is there", metadata: ["intact": "\(isIntact)"])
            case .redis(.stopped): self.logger.error("Redis is gone")
            case .disconnected(let member):
                self.logger.info("a member is gone", metadata: ["member": "\(member.number)"])
            case .connected(let member):
                self.logger.info("a member is there", metadata: ["member": "\(member.number)"])
            default:
                self.logger.trace("event", metadata: ["event": "\(event)"])
            }
        }
    }
}
