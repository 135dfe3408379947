import ClusterLink
import JobCore
import Logging
import NIOCore

/// Keeps the session of a front with the leader, and hands each message of the leader to whom it concerns.
///
/// It lives on the first event loop.
final class FrontSession {
    private let environment: FrontEnvironment
    private let link: any PolledPeerLink
    private let lanes: [NIOLoopBound<Lane>]
    private let eventLoop: any EventLoop
    private var machine: SessionMachine
    private var ticker: RepeatedTask?

    init(
        session: SessionID,
        environment: FrontEnvironment,
        link: any PolledPeerLink,
        lanes: [NIOLoopBound<Lane>],
        eventLoop: any EventLoop
    ) {
        self.environment = environment
        self.link = link
        self.lanes = lanes
        self.eventLoop = eventLoop
        self.machine = SessionMachine(session: session)
    }

    func start() {
        let holder = NIOLoopBound(self, eventLoop: self.eventLoop)
        self.ticker = self.eventLoop.scheduleRepeatedTask(
            initialDelay: .zero,
            delay: TimeAmount(FrontIntroduction.heartbeatInterval)
        ) { _ in holder.value.tick() }
    }

    private func tick() {
        self.perform(self.machine.tick())
    }

    func receive(_ message: MessageFromLeader) {
        var generator = SystemRandomNumberGenerator()
        self.perform(self.machine.receive(message, replacement: SessionID(using: &generator)))
    }

    /// Ends the session, in good order when everything that was offered has reached its end.
    func end(inGoodOrder: Bool) {
        self.ticker?.cancel()
        self.ticker = nil
        if inGoodOrder { self.link.send(MessageToLeader.detach(self.machine.session).encoded()) }
        self.machine.end()
    }

    private func perform(_ actions: [SessionMachine.Action]) {
        for action in actions {
            switch action {
            case .attach(let session, let isNew):
                let introduction = FrontIntroduction(
                    session: session,
                    name: self.environment.configuration.name,
                    software: self.environment.configuration.software,
                    isNew: isNew
                )
                self.link.send(MessageToLeader.attach(introduction).encoded())
            case .heartbeat(let session):
                let message = MessageToLeader.heartbeat(session, self.environment.statistics)
                self.link.send(message.encoded())
            case .attached(let epoch):
                self.environment.logger.info("Attached to a leader", metadata: ["epoch": "\(epoch.number)"])
                self.onEachLane { $0.attached() }
            case .detached:
                self.environment.logger.info("The leader must be attached to again")
                self.onEachLane { $0.detached() }
            case .reset(let session):
                self.environment.logger.warning(
                    "The session has expired; all clients are closed",
                    metadata: ["session": "\(session)"]
                )
                self.onEachLane { $0.reset(to: session) }
            case .drop(let workers):
                let workers = Set(workers)
                self.onEachLane { $0.drop(workers) }
            }
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
