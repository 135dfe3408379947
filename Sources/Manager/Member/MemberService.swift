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
    ///
    /// - Throws: when this member's record cannot be written, or etcd or the network will never do as they are asked.
    package func run() async throws {
        let inbox = MemberInbox()
        self.desk.tell { inbox.put($0) }
        try self.network.start { inbox.put($0) }
        defer { self.network.close() }
        self.store.start({ inbox.put($0) }, failing: { inbox.putFailure($0) })
        defer { self.store.stop() }
        try await withTaskCancellationOrGracefulShutdownHandler {
            try await withThrowingDiscardingTaskGroup { group in
                group.addTask {
                    do {
                        try await self.register.watch { inbox.put(.etcd(.state($0))) }
                    } catch  where !Task.isCancelled {
                        // Thrown here, it would end the group's tasks and not the loop, which is none of them.
                        inbox.putFailure(error)
                    } catch {
                        // It was told to end.
                    }
                }
                // What was asked of etcd is waited for: nobody else leads before a leader's key is given back.
                try await withThrowingDiscardingTaskGroup { questions in
                    var loop = MemberLoop(service: self, inbox: inbox)
                    try await loop.run(asking: &questions, waiting: &group)
                }
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
        typealias Tasks = ThrowingDiscardingTaskGroup<any Error>

        let service: MemberService
        let inbox: MemberInbox
        /// When the next alarm comes; nil if none is set.
        var alarmAt: Uptime?
        var findings: [MemberStatus.Finding] = []
        var hasStopped = false

        private var desk: MemberDesk { self.service.desk }
        private var logger: Logger { self.service.logger }

        init(service: MemberService, inbox: MemberInbox) {
            self.service = service
            self.inbox = inbox
        }

        /// Takes in events until the member has stopped.
        ///
        /// - Parameters:
        ///   - questions: where etcd is asked.
        ///   - waits: where alarms are waited for.
        mutating func run(asking questions: inout Tasks, waiting waits: inout Tasks) async throws {
            self.setAlarm(in: &waits)
            for await entry in self.inbox.entries {
                switch entry {
                case .takeOver(let event): self.take(event, asking: &questions)
                case .alarm(let moment):
                    // One that an earlier one took the place of is a tick too many, and must not have a successor.
                    if self.alarmAt == moment { self.alarmAt = nil }
                    self.take(.tick, asking: &questions)
                case .peer(let event):
                    self.inbox.notePeerTaken()
                    self.receive(event, asking: &questions)
                case .report(let report, let asker): self.answer(asker, with: report)
                case .failure(let error): throw error
                }
                if self.hasStopped { return }
                self.setAlarm(in: &waits)
            }
        }

        private mutating func take(_ event: TakeOverEvent, asking questions: inout Tasks) {
            self.log(event)
            for action in self.desk.receive(event, at: self.service.clocks.uptime()) {
                self.perform(action, asking: &questions)
            }
        }

        private mutating func receive(_ event: PeerNetworkEvent, asking questions: inout Tasks) {
            switch event {
            case .message(let message, let member): self.take(.message(message, from: member), asking: &questions)
            case .connected(let member): self.take(.connected(member), asking: &questions)
            case .disconnected(let member): self.take(.disconnected(member), asking: &questions)
            case .question(let bytes, let asker):
                switch MemberRequest(decoding: bytes) {
                case .status: break
                case .handOver(let successor): self.take(.command(.handOver(to: successor)), asking: &questions)
                case .recover(let acceptLoss):
                    self.findings = []
                    self.take(.command(.recover(acceptLoss: acceptLoss)), asking: &questions)
                case nil: return
                }
                let inbox = self.inbox
                self.service.store.report { inbox.put($0, for: asker) }
            }
        }

        private mutating func perform(_ action: TakeOverAction, asking questions: inout Tasks) {
            switch action {
            case .send(let message, let member): self.service.network.send(message, to: member)
            case .store(let record): self.service.store.store(record)
            case .redis(let action): self.service.store.perform(action)
            case .admit(let name, let member): self.service.store.admit(name, of: member)
            case .etcd(let action):
                let (register, inbox) = (self.service.register, self.inbox)
                questions.addTask {
                    if let event = await register.perform(action) { inbox.put(.etcd(event)) }
                }
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

        /// Makes sure that the machine hears a tick when it wants to.
        private mutating func setAlarm(in waits: inout Tasks) {
            let now = self.service.clocks.uptime()
            let deadline = max(self.desk.nextDeadline, now + MemberService.shortestAlarm)
            if let alarmAt, alarmAt <= deadline { return }
            self.alarmAt = deadline
            let (wait, inbox) = (now.duration(to: deadline), self.inbox)
            waits.addTask {
                // Cancelled, it comes early, when nobody takes it in any more.
                try? await Task.sleep(for: wait)
                inbox.putAlarm(setFor: deadline)
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
            status.etcd = self.service.register.troubles
            guard let bytes = try? JSONEncoder().encode(status) else { return }
            self.service.network.answer(Array(bytes), to: asker)
        }

        private func log(_ event: TakeOverEvent) {
            switch event {
            case .redis(.started(let isIntact, let run)):
                let name = run?.name ?? "any"
                self.logger.info("Redis is there", metadata: ["intact": "\(isIntact)", "run": "\(name)"])
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
