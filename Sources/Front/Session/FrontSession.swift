import ClusterLink
import JobCore
import Logging
import NIOCore
import Synchronization

/// Keeps the session of a front with whichever manager leads.
///
/// It lives on the first event loop.
final class FrontSession {
    private let environment: FrontEnvironment
    private let links: [any PolledPeerLink]
    private let lanes: [NIOLoopBound<Lane>]
    private let eventLoop: any EventLoop
    private var machine: SessionMachine
    private var hasEnded = false
    /// The manager that reads version 2 of the envelope and is attached to.
    private var fluentLeader: Int?
    private var timer: (due: Uptime, task: Scheduled<Void>)?
    private var generator = SystemRandomNumberGenerator()

    init(
        session: SessionID,
        environment: FrontEnvironment,
        links: [any PolledPeerLink],
        lanes: [NIOLoopBound<Lane>],
        eventLoop: any EventLoop
    ) {
        self.environment = environment
        self.links = links
        self.lanes = lanes
        self.eventLoop = eventLoop
        self.machine = SessionMachine(session: session)
    }

    /// The loop's clock.
    private var now: Uptime { Uptime(nanoseconds: Int64(clamping: self.eventLoop.now.uptimeNanoseconds)) }

    func start() {
        self.tick()
    }

    private func tick() {
        self.timer = nil
        self.perform(self.machine.tick(at: self.now, using: &self.generator))
        self.setTimer()
    }

    func receive(_ message: MessageFromLeader, from manager: Int) {
        let replacement = SessionID(using: &self.generator)
        self.perform(self.machine.receive(message, from: manager, at: self.now, replacement: replacement))
        self.setTimer()
    }

    /// A manager's process has come, or gone.
    func connectionChanged(of manager: Int, isConnected: Bool) {
        self.environment.logger.debug(
            isConnected ? "A manager is there" : "A manager is gone",
            metadata: ["manager": "\(manager)"]
        )
        self.perform(self.machine.connectionChanged(of: manager, isConnected: isConnected, at: self.now))
        self.setTimer()
    }

    /// Lets the machine tick when it wants to, which a message may have changed.
    private func setTimer() {
        let due = self.machine.due
        guard self.timer?.due != due, !self.hasEnded else { return }
        self.timer?.task.cancel()
        let wait = TimeAmount(max(.zero, self.now.duration(to: due)))
        let task = self.eventLoop.assumeIsolated().scheduleTask(in: wait) { self.tick() }
        self.timer = (due, task)
    }

    /// Ends the session, in good order when everything that was offered has reached its end.
    func end(inGoodOrder: Bool) {
        self.timer?.task.cancel()
        self.timer = nil
        self.hasEnded = true
        if inGoodOrder { self.send(.detach(self.machine.session), to: .all) }
        self.machine.end()
    }

    private func perform(_ actions: [SessionMachine.Action]) {
        self.environment.hasLeader.store(self.machine.hasLeader(at: self.now), ordering: .relaxed)
        for action in actions {
            switch action {
            case .attach(let session, let isNew, let recipients):
                let introduction = FrontIntroduction(
                    session: session,
                    name: self.environment.configuration.name,
                    software: self.environment.configuration.software,
                    isNew: isNew
                )
                self.send(.attach(introduction), to: recipients)
            case .heartbeat(let session, let recipients):
                self.sendHeartbeat(of: session, to: recipients)
            case .attached(let epoch, let manager):
                self.environment.logger.info(
                    "Attached to a leader",
                    metadata: ["epoch": "\(epoch.number)", "manager": "\(manager)"]
                )
                self.fluentLeader = nil
                self.onEachLane { $0.attached(to: manager) }
                // A leader of an earlier version cannot read it, and says nothing.
                self.links[manager].send(
                    MessageToLeader.heartbeat(self.machine.session, self.environment.statistics).encoded()
                )
            case .speaks(let version, let manager):
                guard version >= 2, self.fluentLeader != manager else { continue }
                self.fluentLeader = manager
                self.onEachLane { $0.leaderSpeaks(version) }
            case .returned:
                self.environment.logger.info("The leader is back; what was not answered is sent again")
                self.onEachLane { $0.leaderReturned() }
            case .alive:
                self.onEachLane { $0.leaderIsAlive() }
            case .detached:
                self.environment.logger.info("The leader must be attached to again")
                self.onEachLane { $0.detached() }
            case .reset(let session):
                self.environment.logger.warning(
                    "The session has expired; all clients are closed",
                    metadata: ["session": "\(session.shortened)"]
                )
                self.onEachLane { $0.reset(to: session) }
            case .drop(let workers):
                let workers = Set(workers)
                self.onEachLane { $0.drop(workers) }
            }
        }
    }

    /// Says that the front lives: in version 1 of the envelope to whoever may not read more.
    private func sendHeartbeat(of session: SessionID, to recipients: SessionMachine.Recipients) {
        let full = self.environment.statistics
        var plain = full
        plain.uptimeSeconds = nil
        let (short, long) = (
            MessageToLeader.heartbeat(session, plain).encoded(), MessageToLeader.heartbeat(session, full).encoded()
        )
        for (manager, link) in self.links.enumerated() where recipients == .all || recipients == .one(manager) {
            link.send(manager == self.fluentLeader ? long : short)
        }
    }

    private func send(_ message: MessageToLeader, to recipients: SessionMachine.Recipients) {
        let bytes = message.encoded()
        switch recipients {
        case .all: for link in self.links { link.send(bytes) }
        case .one(let manager): self.links[manager].send(bytes)
        }
    }

    private func onEachLane(_ body: @escaping @Sendable (Lane) -> Void) {
        for lane in self.lanes {
            if lane.eventLoop.inEventLoop {
                body(lane.value)
            } else {
                lane.eventLoop.execute { body(lane.value) }
            }
        }
    }
}
