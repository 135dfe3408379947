import ClusterLink
import JobCore
import Logging
import NIOCore

/// One event loop's share of a front: its clients and its lane.
///
/// Everything here belongs to the loop. It carries out what the machine decides and decides nothing itself.
final class Lane {
    /// How often the machine looks at its deadlines.
    private static let tickInterval = TimeAmount.milliseconds(100)

    let environment: FrontEnvironment
    let eventLoop: any EventLoop
    private let links: [any PolledPeerLink]
    /// The manager that the session is attached to, or was last.
    private var leader = 0
    private var session: SessionID
    private var machine: LaneMachine
    private var clients: [ConnectionID: ClientHandler] = [:]
    /// Those that have to get on: with taking what was written to them, or with their command.
    private var watched: [ClientHandler] = []
    private var lastConnection: UInt64 = 0
    private var flushIsScheduled = false
    private var ticker: RepeatedTask?
    private(set) var isDraining = false
    private var drained: EventLoopPromise<Void>?

    init(
        number: UInt16,
        session: SessionID,
        environment: FrontEnvironment,
        links: [any PolledPeerLink],
        eventLoop: any EventLoop
    ) {
        self.environment = environment
        self.eventLoop = eventLoop
        self.links = links
        self.session = session
        self.machine = LaneMachine(
            lane: LaneKey(session: session, lane: number),
            limits: environment.configuration.lane
        )
    }

    /// The loop's clock.
    var now: Uptime { Uptime(nanoseconds: Int64(clamping: self.eventLoop.now.uptimeNanoseconds)) }

    func start() {
        let holder = NIOLoopBound(self, eventLoop: self.eventLoop)
        self.ticker = self.eventLoop.scheduleRepeatedTask(
            initialDelay: Self.tickInterval,
            delay: Self.tickInterval
        ) { _ in holder.value.tick() }
    }

    private func tick() {
        let now = self.now
        self.perform(self.machine.tick(at: now))
        let watched = self.watched
        self.watched = []
        for client in watched { client.checkProgress(at: now) }
        self.checkDrained()
    }
}

// MARK: - For clients

extension Lane {
    /// Whether clients must wait, because too much is held.
    var isFull: Bool { self.machine.isFull }

    func register(_ client: ClientHandler) -> ConnectionID {
        self.lastConnection += 1
        let id = ConnectionID(self.lastConnection)
        self.clients[id] = client
        return id
    }

    func unregister(_ id: ConnectionID) {
        self.clients[id] = nil
        self.checkDrained()
    }

    /// Lets the next tick look at how a client gets on.
    func watch(_ client: ClientHandler) {
        self.watched.append(client)
    }

    /// Closes the client for which most is kept for longest, if anything that counts is kept for any.
    func closeGreediest() {
        let now = self.now
        var greediest: (client: ClientHandler, greed: Int)?
        for client in self.clients.values {
            let greed = client.greed(at: now)
            if greed > greediest?.greed ?? 0 { greediest = (client, greed) }
        }
        greediest?.client.closeForRoom()
    }

    func append(_ body: LinkCommand.Body, for connection: ConnectionID) -> UInt64 {
        let request = self.machine.append(body, for: connection, at: self.now)
        self.scheduleFlush()
        return request
    }

    func join(_ introduction: WorkerIntroduction) -> UInt64 {
        let join = self.machine.join(introduction, at: self.now)
        self.scheduleFlush()
        return join
    }

    /// A worker has beaten through the connection of this announcement.
    func noteBeat(_ join: UInt64, residentKilobytes: UInt64) {
        self.machine.noteBeat(join, residentKilobytes: residentKilobytes)
    }

    /// A worker has asked for a job through the connection of this announcement.
    func noteFetch(_ join: UInt64) {
        self.machine.noteFetch(join)
    }

    func leave(_ join: UInt64) {
        self.machine.leave(join, at: self.now)
        self.scheduleFlush()
    }

    func abandon(_ request: UInt64) {
        self.machine.abandon(request, at: self.now)
        self.scheduleFlush()
    }

    /// The client of a FETCH takes what is there and waits for nothing; whether nothing is there for it.
    func stopWaiting(_ request: UInt64) -> Bool {
        defer { self.scheduleFlush() }
        return self.machine.stopWaiting(request, at: self.now)
    }

    func wrote(offer: UInt64) {
        self.machine.wrote(offer: offer)
        self.scheduleFlush()
    }

    func takeBack(offer: UInt64, of request: UInt64) {
        self.machine.takeBack(offer: offer, of: request, at: self.now)
        self.scheduleFlush()
    }

    /// Calls `body` on the loop when what runs now is over, and a wait behind it.
    func later(in wait: TimeAmount = .zero, _ body: @escaping () -> Void) {
        if wait == .zero {
            self.eventLoop.assumeIsolated().execute(body)
        } else {
            self.eventLoop.assumeIsolated().scheduleTask(in: wait, body)
        }
    }

    /// Lets everything that is read in this tick leave as one message.
    private func scheduleFlush() {
        guard !self.flushIsScheduled, self.machine.wantsFlush else { return }
        self.flushIsScheduled = true
        self.eventLoop.assumeIsolated().execute {
            self.flushIsScheduled = false
            self.perform(self.machine.flush(at: self.now))
        }
    }
}

// MARK: - For the session

extension Lane {
    // What a manager says counts while the session is attached to it, and until it is attached to another: all that
    // time nobody else has been sent the batch. An answer that comes then is true, even if its sender does not lead any
    // more, because answers leave when a majority has confirmed what they say. Once another has been sent the batch,
    // an older answer may say that nothing was done while the other does it, and is dropped; the other answers what was
    // done from the record. What one manager sends arrives in order, so that nothing of an older leadership of its own
    // comes behind its `attached`.

    /// Takes the answers to a batch; those of an earlier session or an earlier leader are dropped.
    func receive(_ replies: [LinkReply], toBatch number: UInt64, of session: SessionID, from manager: Int) {
        guard session == self.session, manager == self.leader else { return }
        self.perform(self.machine.receive(replies, toBatch: number, at: self.now))
        self.checkDrained()
    }

    /// Takes answers to parked and deferred commands; those of an earlier session or an earlier leader are dropped.
    func receive(late replies: [LateReply], of session: SessionID, from manager: Int) {
        guard session == self.session, manager == self.leader else { return }
        self.perform(self.machine.receive(late: replies, at: self.now))
    }

    /// The manager leads; from now on everything goes to it.
    func attached(to manager: Int) {
        self.leader = manager
        self.perform(self.machine.attached(at: self.now))
    }

    /// The manager that the session is attached to says that it is there.
    func leaderIsAlive() {
        self.perform(self.machine.leaderIsAlive(at: self.now))
    }

    /// That manager answers again after its connection was lost.
    func leaderReturned() {
        self.perform(self.machine.leaderReturned(at: self.now))
    }

    /// That manager reads this version of the envelope.
    func leaderSpeaks(_ version: UInt8) {
        self.machine.leaderSpeaks(version)
    }

    func detached() {
        self.machine.detached()
    }

    /// Closes every client, because the session that they belonged to is gone.
    func reset(to session: SessionID) {
        self.session = session
        self.machine.reset(to: session)
        for client in Array(self.clients.values) { client.close() }
    }

    /// Closes every connection of these workers.
    func drop(_ workers: Set<String>) {
        for client in Array(self.clients.values) where client.worker.map(workers.contains) ?? false { client.close() }
    }

    /// Lets every client come to its end; the promise is kept when all have, and the leader knows of every job.
    func drain(_ drained: EventLoopPromise<Void>) {
        self.isDraining = true
        self.drained = drained
        for client in Array(self.clients.values) { client.drain() }
        self.checkDrained()
    }

    /// Ends the lane, whatever is still under way.
    func stop() {
        self.ticker?.cancel()
        self.ticker = nil
        for client in Array(self.clients.values) { client.close() }
        self.watched = []
        self.drained?.succeed()
        self.drained = nil
    }

    private func checkDrained() {
        guard self.clients.isEmpty, self.machine.isQuiet, let drained = self.drained else { return }
        self.drained = nil
        drained.succeed()
    }
}

// MARK: - Actions

extension Lane {
    private func perform(_ actions: [LaneAction]) {
        guard !actions.isEmpty else { return }
        var touched: [ClientHandler] = []
        for action in actions {
            switch action {
            case .send(let message):
                self.links[self.leader].send(message)
            case .tellFigures:
                var statistics = self.environment.statistics
                if !self.machine.isFluent { statistics.uptimeSeconds = nil }
                self.links[self.leader].send(MessageToLeader.heartbeat(self.session, statistics).encoded())
            case .answer(let connection, let request, let reply):
                guard let client = self.clients[connection], client.receive(reply, to: request) else {
                    if case .job(let offer, _) = reply { self.takeBack(offer: offer, of: request) }
                    continue
                }
                if client.touch() { touched.append(client) }
            case .close(let connection):
                self.environment.logger.warning("Closed a client whose command was held for too long")
                self.clients[connection]?.close()
            case .pauseReading, .resumeReading:
                for client in Array(self.clients.values) where client.touch() { touched.append(client) }
            case .settleLater:
                self.settleLater()
            case .complain(let batch, let replyCount, let commandCount):
                self.environment.logger.error(
                    "The leader's replies do not match the batch",
                    metadata: ["batch": "\(batch)", "replies": "\(replyCount)", "commands": "\(commandCount)"]
                )
            }
        }
        for client in touched { client.finishTurn() }
    }

    private func settleLater() {
        self.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(LaneMachine.settleDelay)) {
            self.perform(self.machine.settleDue(at: self.now))
        }
    }
}
