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
    /// How many messages may be thrown away in one go when the loop begins to lead.
    ///
    /// Far more than have room in the link: it only keeps a peer that never stops from holding up the others.
    static let discardBound = 1_000_000
    /// How much time passes between two steps of learning which jobs are alive, while there is work.
    static let learningInterval = Duration.milliseconds(20)
    /// Bytes of messages behind which a turn takes in no more.
    static let turnByteBound = 64 << 20
    /// How many messages are taken out of the link before their bytes are looked at.
    static let receiptBound = 16

    private let link: any LeaderLink
    private let store: any JobStore
    private let election: any Election
    private let settings: ManagerSettings
    private let extend: (JobManager) -> Void
    private let clocks: Clocks
    private let stop: StopSignal
    private let logger: Logger
    private var inbox: [(peer: LinkPeer, message: MessageToLeader)] = []
    private var refused = RefusedBatches()
    private var unreadable = SampledLines<String>()
    private var seekers = LeaderSeekers()
    private var learnedAt = Uptime(nanoseconds: 0)

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
                try self.standBy(atMost: Self.longestWait)
                continue
            }
            do {
                try self.lead()
                pause = Self.shortestPause
            } catch StorageError.refused(let reason) {
                self.logger.error("the store refused a transaction", metadata: ["reason": "\(reason)"])
                // Whoever has sent something meanwhile is to hear of it, so that nothing is thrown away.
                self.rest(pause)
                pause = min(pause * 2, Self.longestPause)
                continue
            } catch StorageError.fenced {
                self.logger.error("another leader has written to the store")
            } catch StorageError.disconnected(let reason) {
                self.logger.error("the store is out of reach", metadata: ["reason": "\(reason)"])
            }
            try self.standBy(atMost: pause)
            pause = min(pause * 2, Self.longestPause)
        }
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
        try manager.loadOutcomes(of: state)
        self.extend(manager)
        // Another leader may have done since what this one was refused.
        if self.election.needsProof { self.refused = RefusedBatches() }
        // Nothing is served before the epoch is in the data.
        try self.begin(leadership, of: manager, with: state.lanes)
        // Nothing counts that was sent before, to whoever led then.
        try self.discard()
        try self.callSeekers()
        self.logger.info(
            "leading",
            metadata: [
                "epoch": "\(leadership.epoch.number)", "jobs": "\(state.jobCount)",
                "working": "\(state.reservations.count)",
            ]
        )
        do {
            self.learnedAt = self.clocks.uptime()
            while !self.stop.isRequested, self.duty(of: manager) == .lead {
                let isBusy = try self.takeTurn(of: manager)
                if manager.hasColdQueues { try self.write(manager) { try manager.warmQueues() } }
                if manager.wantsOutcomes { try manager.readOutcomes() }
                if manager.hasTasks { try self.write(manager) { try manager.runSlice(uptime: self.clocks.uptime) } }
                if manager.isLearningJobs { try self.learn(with: manager, isBusy: isBusy) }
            }
        } catch {
            // One that was refused leads again, and answers until then.
            if case StorageError.refused = error { throw error }
            self.dismissFronts(of: manager)
            throw error
        }
        self.dismissFronts(of: manager)
    }

    /// Lets the fronts look for the next leader, which may lead before they would have missed this one.
    private func dismissFronts(of manager: JobManager) {
        guard self.election.needsProof else { return }
        for session in manager.sessions.values {
            guard let peer = session.peer else { continue }
            // A front that does not hear of it finds the next leader by its heartbeats.
            try? self.link.send(MessageFromLeader.attachFirst(session.id).encoded(), to: peer)
        }
    }

    /// Tells the fronts that were looking for a leader a moment ago that here is one.
    private func callSeekers() throws {
        for (session, peer) in self.seekers.take(at: self.clocks.uptime()) {
            try self.link.send(MessageFromLeader.attachFirst(session).encoded(), to: peer)
        }
    }

    /// Writes the epoch.
    private func begin(
        _ leadership: Leadership,
        of manager: JobManager,
        with lanes: [LaneKey: LaneRecord]
    ) throws {
        do throws(StorageError) {
            try manager.commit(always: true)
        } catch {
            // Where nobody else will ever lead, it is known what becomes of the commands that wait: nothing.
            if case .refused(let reason) = error, leadership.trustedUntil == nil {
                try self.turnAway(because: reason, with: lanes)
            }
            throw error
        }
    }

    private func duty(of manager: JobManager) -> LeaderDuty {
        self.election.duty(in: manager.epoch, at: self.clocks.uptime())
    }

    /// One turn of commands, or several when they move more bytes than one turn should; whether there were any.
    private func takeTurn(of manager: JobManager) throws -> Bool {
        try self.receive(waitingAtMost: self.patience(with: manager))
        defer { self.inbox.removeAll(keepingCapacity: true) }
        var next = self.inbox.startIndex
        repeat {
            try self.write(manager) {
                try manager.prepare(for: self.inbox[next...].lazy.map(\.message))
                let first = next
                while next < self.inbox.endIndex, next == first || !manager.isTurnFull {
                    manager.handle(self.inbox[next].message, from: self.inbox[next].peer)
                    next += 1
                }
                manager.answerOverdueFetches()
                manager.releaseVanished()
            }
        } while next < self.inbox.endIndex
        return !self.inbox.isEmpty
    }

    /// Lets the manager read some more names of jobs: whenever there is nothing else to do, and now and then if there is.
    private func learn(with manager: JobManager, isBusy: Bool) throws {
        guard !isBusy || self.learnedAt + Self.learningInterval <= self.clocks.uptime() else { return }
        try manager.learnJobs()
        self.learnedAt = self.clocks.uptime()
    }

    /// Takes messages in; copies of batches that were refused are answered at once.
    private func receive(waitingAtMost wait: Duration) throws {
        var (count, byteCount, wait) = (0, 0, wait)
        while count < self.settings.turnMessageBound, byteCount < Self.turnByteBound {
            let bound = min(Self.receiptBound, self.settings.turnMessageBound - count)
            var received = 0
            try self.link.receive(waitingAtMost: wait, bound: bound) { peer, bytes in
                received += 1
                byteCount += bytes.count
                do throws(LinkFormatError) {
                    self.inbox.append((peer: peer, message: try MessageToLeader(decoding: bytes)))
                } catch {
                    self.noteUnreadable(from: peer, because: error)
                }
            }
            guard received == bound else { break }
            count += received
            wait = .zero
        }
        if !self.refused.isEmpty { try self.answerCopies() }
    }

    private func noteUnreadable(from peer: LinkPeer, because error: LinkFormatError) {
        let key = "\(peer.owner?.key ?? "none")"
        guard let count = self.unreadable.note(key, at: self.clocks.uptime()) else { return }
        self.logger.warning(
            "a message could not be read",
            metadata: ["reason": "\(error)", "key": "\(key)", "count": "\(count)"]
        )
    }

    private func answerCopies() throws {
        var copies: [(peer: LinkPeer, message: MessageFromLeader)] = []
        self.inbox.removeAll { peer, message in
            guard case .batch(let batch) = message, let replies = self.refused.replies(to: batch, from: peer) else {
                return false
            }
            if !replies.isEmpty { copies.append((peer, .replies(batch.lane, batch: batch.number, replies))) }
            return true
        }
        for copy in copies { try self.send(copy.message, to: copy.peer) }
    }

    /// Answers what comes while the store refuses to let this manager begin.
    ///
    /// Fronts stay with the leadership that they know: they attach again when there is a new one. A batch that was carried
    /// out by an earlier leader waits for that.
    private func turnAway(because reason: String, with lanes: [LaneKey: LaneRecord]) throws {
        try self.receive(waitingAtMost: Self.longestPause)
        defer { self.inbox.removeAll(keepingCapacity: true) }
        for (peer, message) in self.inbox {
            guard case .batch(let batch) = message, peer.owner?.isFront ?? true,
                batch.number > lanes[batch.lane]?.batch ?? 0
            else { continue }
            let replies = batch.commands.map { _ in Self.refusal(because: reason) }
            try self.refuse(batch.number, of: batch.lane, with: replies, to: peer)
        }
    }

    private func refuse(_ number: UInt64, of lane: LaneKey, with replies: [LinkReply], to peer: LinkPeer) throws {
        self.refused.note(replies, to: number, of: lane, from: peer)
        try self.send(.replies(lane, batch: number, replies), to: peer)
    }

    private static func refusal(because reason: String) -> LinkReply {
        .error("ERR the store refused: \(reason)")
    }

    /// How long nothing needs to be done unless a message comes.
    private func patience(with manager: JobManager) -> Duration {
        if manager.hasTasks || manager.hasColdQueues || manager.isLearningJobs || manager.wantsOutcomes { return .zero }
        guard let deadline = manager.nextDeadline else { return Self.longestWait }
        return max(.zero, min(Self.longestWait, self.clocks.uptime().duration(to: deadline)))
    }

    /// Carries out a turn, writes it, and lets its answers go.
    private func write(_ manager: JobManager, _ turn: () throws -> Void) throws {
        manager.beginTurn(at: self.clocks.now)
        do {
            try turn()
            try manager.commit(always: self.election.needsProof && manager.outbox.tellsOfData)
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
            try self.send(batch.replies, to: batch.batch, of: batch.lane, at: batch.peer)
        }
        for (lane, late) in manager.outbox.late {
            guard let peer = manager.sessions[lane.session]?.peer else { continue }
            for part in Outbox.split(late) { try self.send(part, of: lane, to: peer) }
        }
        for (message, peer) in manager.outbox.messages { try self.send(message, to: peer) }
        manager.outbox.removeAll()
    }

    /// Sends a message; false when it is too large to be sent.
    @discardableResult
    private func send(_ message: MessageFromLeader, to peer: LinkPeer) throws -> Bool {
        do {
            try self.link.send(message.encoded(), to: peer)
            return true
        } catch LinkError.tooLarge(let byteCount) {
            self.logger.error("a message is too large to be sent", metadata: ["bytes": "\(byteCount)"])
            return false
        }
    }

    /// Answers a batch; answers that no message can carry are told to be so.
    private func send(_ replies: [LinkReply], to batch: UInt64, of lane: LaneKey, at peer: LinkPeer) throws {
        guard try !self.send(.replies(lane, batch: batch, replies), to: peer) else { return }
        try self.send(.replies(lane, batch: batch, replies.map(\.bounded)), to: peer)
    }

    private func send(_ late: [LateReply], of lane: LaneKey, to peer: LinkPeer) throws {
        guard try !self.send(.late(lane, late), to: peer) else { return }
        let bounded = late.map { LateReply(request: $0.request, reply: $0.reply.bounded) }
        try self.send(.late(lane, bounded), to: peer)
    }

    private func refuse(_ manager: JobManager, because reason: String) throws {
        for batch in manager.outbox.batches {
            guard !batch.isRepetition else {
                // What was carried out before stays true.
                try self.send(batch.replies, to: batch.batch, of: batch.lane, at: batch.peer)
                continue
            }
            // A front tells nobody of its own commands, but has to know that it is to send a withdrawal again.
            let replies = batch.replies.map { _ in Self.refusal(because: reason) }
            try self.refuse(batch.batch, of: batch.lane, with: replies, to: batch.peer)
        }
        guard let slice = manager.answerToRefusedSlice(because: reason),
            let peer = manager.sessions[slice.lane.session]?.peer
        else { return }
        try self.send([slice.answer], of: slice.lane, to: peer)
    }

    /// Waits, while it does not lead, until somebody wakes it, and throws away what fronts and schedulers send.
    ///
    /// They ask every manager when they look for the leader. Left in the link, their messages would fill the memory, and
    /// would be handled long after they were meant. Whoever sent them hears nothing until there is a leader, and sends them
    /// again.
    private func standBy(atMost pause: Duration) throws {
        let end = self.clocks.uptime() + pause
        while !self.stop.isRequested {
            let left = self.clocks.uptime().duration(to: end)
            guard left > .zero else { return }
            guard try self.discard(waitingAtMost: left) > 0 else { return }
        }
    }

    /// Waits, but no longer than until it is told to stop.
    private func rest(_ pause: Duration) {
        var left = pause
        let step = Duration.milliseconds(50)
        while left > .zero, !self.stop.isRequested {
            Thread.sleep(forTimeInterval: min(step, left) / .seconds(1))
            left -= step
        }
    }

    /// Throws away everything that is waiting.
    private func discard() throws {
        var count = 0
        while count < Self.discardBound, case let more = try self.discard(waitingAtMost: .zero), more > 0 {
            count += more
        }
    }

    /// Throws away one turn's worth of messages, and answers how many came; none when the wait is over or was ended.
    private func discard(waitingAtMost wait: Duration) throws -> Int {
        var count = 0
        let now = self.clocks.uptime()
        try self.link.receive(waitingAtMost: wait, bound: self.settings.turnMessageBound) { peer, bytes in
            count += 1
            self.seekers.note(bytes, from: peer, at: now)
        }
        return count
    }
}

extension LinkReply {
    /// Itself, or that it is too large to be told.
    fileprivate var bounded: LinkReply {
        guard case .bulk(let bytes) = self, bytes.count > LinkBound.replyByteCount / 16 else { return self }
        return .error("ERR the answer has \(bytes.count) bytes, which is more than can be told")
    }
}
