package import ClusterLink
package import Election
import Foundation
import JobCore
package import JobStorage
package import Logging

/// The leader's thread: takes what has come in, decides, writes it as one unit, answers.
///
/// One thread owns the link, the store and every state there is. The busier it is, the more a turn takes in and the
/// less a job costs (group commit). A turn that could not be written is forgotten together with everything in
/// memory: the loop begins again with what the store has, as a new leader would.
package final class LeaderLoop {
    /// The longest wait for a message.
    static let longestWait = Duration.seconds(1)
    /// How long the loop waits before it tries the store again, at first and at the most.
    static let shortestPause = Duration.milliseconds(50)
    static let longestPause = Duration.seconds(1)

    private let link: any LeaderLink
    private let store: any JobStore
    private let election: any Election
    private let settings: ManagerSettings
    private let extend: (JobManager) -> Void
    private let clocks: Clocks
    private let stop: StopSignal
    private let logger: Logger
    private var inbox: [(peer: LinkPeer, message: MessageToLeader)] = []

    /// - Parameter extend: adds middleware and a fetcher to each manager that is made, on this loop's thread.
    package init(
        link: any LeaderLink,
        store: any JobStore,
        election: any Election,
        settings: ManagerSettings,
        extend: @escaping (JobManager) -> Void,
        clocks: Clocks,
        stop: StopSignal,
        logger: Logger
    ) {
        self.link = link
        self.store = store
        self.election = election
        self.settings = settings
        self.extend = extend
        self.clocks = clocks
        self.stop = stop
        self.logger = logger
    }

    /// Leads until it is told to stop.
    ///
    /// - Throws: `StorageError.incompatible` when the store has what this program does not understand; `LinkError`
    ///   when the link is broken for good.
    package func run() throws {
        let waker = self.link.waker
        self.stop.wake(through: waker)
        self.election.onChange { waker.wake() }
        var pause = Self.shortestPause
        while !self.stop.isRequested {
            guard self.election.mayLoad else {
                try self.standBy()
                continue
            }
            do {
                try self.lead()
                pause = Self.shortestPause
            } catch StorageError.refused(let reason) {
                self.logger.error("the store refused a transaction", metadata: ["reason": "\(reason)"])
            } catch StorageError.fenced {
                self.logger.error("another leader has written to the store")
            } catch StorageError.disconnected(let reason) {
                self.logger.error("the store is out of reach", metadata: ["reason": "\(reason)"])
            }
            self.wait(pause)
            pause = min(pause * 2, Self.longestPause)
        }
    }

    /// Waits until this manager may lead; what fronts send meanwhile is for another one, and is dropped.
    private func standBy() throws {
        try self.link.receive(waitingAtMost: Self.longestWait, bound: self.settings.turnMessageBound) { _, _ in }
    }

    /// Leads for as long as every turn can be written, and this manager is to lead.
    private func lead() throws {
        let state = try self.store.load()
        let now = self.clocks.now
        guard let leadership = self.election.leadership(after: state.position.epoch, at: now.uptime) else { return }
        defer { self.election.resign(leadership) }
        let manager = JobManager(
            state: state,
            epoch: leadership.epoch,
            store: self.store,
            settings: self.settings,
            seed: UInt64.random(in: .min ... .max),
            at: now,
            logger: self.logger
        )
        self.extend(manager)
        // Nothing is served before the epoch is in the data.
        try manager.commit(always: true)
        self.logger.info(
            "leading",
            metadata: [
                "epoch": "\(leadership.epoch.number)", "jobs": "\(state.jobIDs.count)",
                "working": "\(state.reservations.count)",
            ]
        )
        while !self.stop.isRequested, self.duty(of: manager) == .lead {
            try self.takeTurn(of: manager)
            if manager.hasColdQueues { try self.write(manager) { try manager.warmQueues() } }
            if manager.hasTasks { try self.write(manager) { try manager.runSlice(uptime: self.clocks.uptime) } }
        }
    }

    private func duty(of manager: JobManager) -> LeaderDuty {
        self.election.duty(in: manager.epoch, at: self.clocks.uptime())
    }

    /// One turn of commands.
    private func takeTurn(of manager: JobManager) throws {
        try self.link.receive(waitingAtMost: self.patience(with: manager), bound: self.settings.turnMessageBound) {
            peer,
            bytes in
            do throws(LinkFormatError) {
                self.inbox.append((peer: peer, message: try MessageToLeader(decoding: bytes)))
            } catch {
                self.logger.warning("a message could not be read", metadata: ["reason": "\(error)"])
            }
        }
        defer { self.inbox.removeAll(keepingCapacity: true) }
        try self.write(manager) {
            for (peer, message) in self.inbox { manager.handle(message, from: peer) }
            manager.answerOverdueFetches()
        }
    }

    /// How long nothing needs to be done unless a message comes.
    private func patience(with manager: JobManager) -> Duration {
        if manager.hasTasks || manager.hasColdQueues { return .zero }
        guard let deadline = manager.nextDeadline else { return Self.longestWait }
        return max(.zero, min(Self.longestWait, self.clocks.uptime().duration(to: deadline)))
    }

    /// Carries out a turn, writes it, and lets its answers go.
    private func write(_ manager: JobManager, _ turn: () throws -> Void) throws {
        manager.beginTurn(at: self.clocks.now)
        do {
            try turn()
            try manager.commit(always: self.election.needsProof && manager.outbox.saysDone)
        } catch StorageError.refused(let reason) {
            // It is certain that nothing was done, and so the clients may be told.
            try self.refuse(manager, because: reason)
            throw StorageError.refused(reason)
        }
        // What needed no transaction is true only as long as nobody else leads.
        guard self.duty(of: manager) != .leave else { return }
        try self.send(manager)
    }

    private func send(_ manager: JobManager) throws {
        guard !manager.outbox.isEmpty else { return }
        for batch in manager.outbox.batches {
            let message = MessageFromLeader.replies(batch.lane, batch: batch.batch, batch.replies)
            try self.link.send(message.encoded(), to: batch.peer)
        }
        for (lane, late) in manager.outbox.late {
            guard let peer = manager.sessions[lane.session]?.peer else { continue }
            try self.link.send(MessageFromLeader.late(lane, late).encoded(), to: peer)
        }
        for (message, peer) in manager.outbox.messages { try self.link.send(message.encoded(), to: peer) }
        manager.outbox.removeAll()
    }

    private func refuse(_ manager: JobManager, because reason: String) throws {
        for batch in manager.outbox.batches {
            // What was carried out before stays true.
            let replies =
                batch.isRepetition
                ? batch.replies
                : batch.replies.map { reply in
                    reply == .nothing ? .nothing : LinkReply.error("ERR the store refused: \(reason)")
                }
            let message = MessageFromLeader.replies(batch.lane, batch: batch.batch, replies)
            try self.link.send(message.encoded(), to: batch.peer)
        }
    }

    /// Waits, but no longer than until it is told to stop.
    private func wait(_ pause: Duration) {
        var left = pause
        let step = Duration.milliseconds(50)
        while left > .zero, !self.stop.isRequested {
            Thread.sleep(forTimeInterval: min(step, left) / .seconds(1))
            left -= step
        }
    }
}
