package import ClusterLink
import JobCore
import Logging
import JobStorage

extension JobManager {
    /// Takes a message of a front or a scheduler into the turn that is under way.
    package func handle(_ message: MessageToLeader, from peer: LinkPeer) {
        guard self.mayHear(message, from: peer) else { return }
        switch message {
        case .attach(let introduction): self.attach(introduction, from: peer)
        case .batch(let batch): self.handle(batch, from: peer)
        case .heartbeat(let id, let statistics): self.heartbeat(of: id, statistics, from: peer)
        case .detach(let id): self.sessions[id].map(self.end)
        case .tick(let task, let number): self.tick(task, number: number, from: peer)
        }
    }

    // MARK: Sessions

    private func attach(_ introduction: FrontIntroduction, from peer: LinkPeer) {
        guard let session = self.session(for: introduction, from: peer) else { return }
        session.peer = peer
        session.lastHeard = self.now.uptime
        self.bind(session, to: peer)
        session.expectAnyBatch()
        if !introduction.isNew { session.takeUp() }
        // The front announces its workers anew.
        self.expectBack(self.workers.end(session.id))
        self.outbox.send(.attached(session.id, epoch: self.epoch), to: peer)
    }

    /// The session of a front that attaches; nil when it has ended or cannot begin.
    private func session(for introduction: FrontIntroduction, from peer: LinkPeer) -> FrontSession? {
        if let known = self.sessions[introduction.session] { return known }
        guard introduction.isNew else {
            self.outbox.send(.expired(introduction.session), to: peer)
            return nil
        }
        if !introduction.name.isEmpty {
            for older in self.sessions.values where older.name == introduction.name && older.mayBelong(to: peer) {
                self.end(older)
            }
        }
        guard self.makeRoomForSession(of: peer) else { return nil }
        let session = FrontSession(id: introduction.session, name: introduction.name, heardAt: self.now.uptime)
        self.sessions[session.id] = session
        self.transaction.sessions[session.id] = .some(introduction.name)
        // Of more sessions than a minute has lines, the next one that is told of says how many there were.
        guard let count = self.beginnings.note(session.id, at: self.now.uptime) else { return session }
        self.logger.info(
            "a front has attached",
            metadata: [
                "session": "\(session.id.shortened)", "name": "\(session.name)",
                "software": "\(introduction.software.prefix(64))", "count": "\(count)",
            ]
        )
        return session
    }

    private func heartbeat(of id: SessionID, _ statistics: FrontStatistics, from peer: LinkPeer) {
        guard let session = self.sessions[id], session.peer != nil else {
            return self.outbox.send(.attachFirst(id), to: peer)
        }
        session.peer = peer
        session.lastHeard = self.now.uptime
        session.statistics = statistics
        if statistics.uptimeSeconds != nil { self.outbox.send(.speaks(id, version: LinkVersion.latest), to: peer) }
        self.outbox.send(.alive(id, epoch: self.epoch), to: peer)
    }

    /// A front is gone: what was on its way to its clients goes back, and its workers may come back through others.
    func end(_ session: FrontSession) {
        if let count = self.ends.note(session.id, at: self.now.uptime) {
            self.logger.info(
                "a front's session has ended",
                metadata: ["session": "\(session.id.shortened)", "name": "\(session.name)", "count": "\(count)"]
            )
        }
        self.sessionRoomAt[session.key] = nil
        self.sessions[session.id] = nil
        self.transaction.sessions.updateValue(nil, forKey: session.id)
        for lane in session.lanes.values {
            self.touchedLanes[lane.key] = nil
            self.forgetLatecomers(of: lane)
            for fetch in Array(lane.waiting.values) { self.withdraw(fetch.request, on: lane) }
            for offer in lane.unsettled.reversed() {
                self.noteReturn(of: offer, on: lane)
                self.takeBack(offer, on: lane)
            }
        }
        self.expectBack(self.workers.end(session.id))
    }

    private func expectBack(_ gone: [WorkerID]) {
        for worker in gone { self.workers.expectBack(worker, since: .unknown, at: self.now.uptime) }
    }

    /// Drops workers and sessions that have been silent for too long, and takes back the jobs of workers that are gone;
    /// how many jobs that were, at the most one slice's worth.
    func reapWorkers() throws(StorageError) -> Int {
        for (worker, sessions) in self.workers.dropSilent(at: self.now.uptime, isBusy: { self.busyCounts[$0] != nil }) {
            self.logger.info("a worker has been silent for too long", metadata: ["wid": "\(worker)"])
            for session in sessions {
                guard let peer = self.sessions[session]?.peer else { continue }
                self.outbox.send(.dropWorkers(session, [worker.text]), to: peer)
            }
            // The server closes the connections, so that what it is given meanwhile is not taken from it for having none.
            if self.workers.stopCounting(worker) { self.transaction.beatingWorkers[worker] = false }
            self.expectBack([worker])
        }
        for session in Array(self.sessions.values)
        where session.lastHeard + self.settings.sessionTimeout < self.now.uptime { self.end(session) }
        if self.settings.maximumStoreBytes > 0 { try self.lookAtStore() }
        return self.releaseLost()
    }

    // MARK: Batches

    private func handle(_ batch: CommandBatch, from peer: LinkPeer) {
        guard let session = self.sessions[batch.lane.session], session.peer != nil else {
            return self.outbox.send(.attachFirst(batch.lane.session), to: peer)
        }
        session.peer = peer
        session.lastHeard = self.now.uptime
        let lane = session.lane(batch.lane.lane)
        let standing = lane.standing(of: batch.number)
        guard standing != .ahead else {
            self.refuse("a batch has a number that is not the next one", of: peer)
            return self.outbox.send(.attachFirst(batch.lane.session), to: peer)
        }
        defer { lane.awaitsAnnouncements = false }
        switch standing {
        case .ahead:
            break
        case .stale:
            break
        case .repeated:
            let known = lane.lastReplies
            let replies = known ?? self.recordedReplies(of: lane, for: batch)
            self.outbox.answer(batch.number, of: lane.key, with: replies, to: peer, isRepetition: true)
            if known != nil { self.repeatOutcomes(of: batch.commands, on: lane) }
        case .new:
            let replies = batch.commands.map { self.execute($0, on: lane) }
            lane.finish(batch.number, with: replies)
            self.touchedLanes[lane.key] = lane
            if lane.settle(through: batch.settled) { self.transaction.lanes[lane.key] = lane.record }
            if let deliveries = batch.deliveries { self.note(deliveries, on: lane) }
            self.outbox.answer(batch.number, of: lane.key, with: replies, to: peer)
            self.serveHeldBack(on: lane)
        }
    }

    /// Jobs that have reached their workers stay with them when the session ends, whatever holds up an earlier one.
    private func note(_ deliveries: CommandBatch.Deliveries, on lane: Lane) {
        for offer in lane.takeWritten(deliveries.written) {
            guard let held = self.reservation(for: offer, on: lane) else { continue }
            held.noteDelivery()
            self.transaction.hold(offer.jobID, held.stored)
        }
        lane.arrive(through: deliveries.arrived)
    }

    /// The answers that an earlier leader recorded for a batch that has come again.
    private func recordedReplies(of lane: Lane, for batch: CommandBatch) -> [LinkReply] {
        let recorded = lane.record.replies.withUnsafeBytes { bytes in
            var reader = LinkReader(bytes)
            return try? LinkReply.readList(from: &reader)
        }
        guard let recorded, recorded.count == batch.commands.count else {
            self.logger.error(
                "a lane's record does not fit its batch",
                metadata: ["session": "\(lane.key.session.shortened)"]
            )
            return batch.commands.map { _ in .error("ERR the outcome of this command is not known") }
        }
        let withdrawn = Set(batch.commands.lazy.filter(\.isWithdrawal).map(\.request))
        let replies = zip(recorded, batch.commands).map { reply, command in
            // A FETCH whose client is gone must not begin to wait here.
            let hasEnded = reply == .parked && withdrawn.contains(command.request)
            return hasEnded ? reply : self.replay(reply, of: command, on: lane)
        }
        lane.finish(batch.number, with: replies)
        return replies
    }

    private func replay(_ reply: LinkReply, of command: LinkCommand, on lane: Lane) -> LinkReply {
        switch reply {
        case .job(let number, let jid):
            let reservation = self.reservations[JobID(String(decoding: jid, as: UTF8.self))]
            guard let reservation, reservation.offer?.number == number, reservation.offer?.lane == lane.key,
                let job = self.job(of: reservation)
            else { return .null }
            self.turnByteCount += job.payload.count
            return .job(offer: number, payload: job.payload)
        case .parked:
            // It waited with the earlier leader, and goes on waiting here.
            let outcome = self.execute(command, on: lane)
            if outcome != .parked { self.outbox.reply(outcome, to: command.request, on: lane.key) }
            return .parked
        case .deferred:
            // The task went with the earlier leader; how far it had come is known.
            return self.execute(command, on: lane)
        case .nothing, .ok, .error, .bulk, .null:
            return reply
        }
    }

    // MARK: Offers

    /// A command's answer is not waited for any more.
    ///
    /// A FETCH leaves its lines, and a job that it was given goes back. What is remembered of a long command is forgotten.
    func withdraw(_ request: UInt64, on lane: Lane) {
        if let fetch = lane.waiting.removeValue(forKey: request) {
            fetch.isAnswered = true
            self.leaveLines(fetch)
        } else if let offer = lane.unsettledOffer(for: request) {
            self.takeBack(offer, on: lane)
        } else {
            self.settle(longCommand: request, on: lane)
        }
    }

    /// The reservation that was made with this offer; nil when it has ended, though the job may be reserved again.
    func reservation(for offer: Lane.Offer, on lane: Lane) -> Reservation? {
        guard let held = self.reservations[offer.jobID], held.offer?.number == offer.number,
            held.offer?.lane == lane.key
        else { return nil }
        return held
    }

    /// Remembers that the worker may have got the job that is about to be taken back.
    private func noteReturn(of offer: Lane.Offer, on lane: Lane) {
        guard let held = self.reservation(for: offer, on: lane) else { return }
        self.noteReturn(of: held)
    }

    /// Remembers that the worker may report the job that is about to be taken back, until it is handed out again.
    func noteReturn(of held: Reservation) {
        // What was handed out by an earlier version says only in its job where it came from.
        if held.origin == nil { _ = self.job(of: held) }
        guard let origin = held.origin else { return }
        if self.returned.count >= ReturnedJob.bound {
            for jobID in Array(self.returned.keys) { self.forgetReturn(of: jobID) }
        }
        let past = ReturnedJob(ending: held, from: origin)
        self.returned[held.jobID] = past
        self.transaction.returned[held.jobID] = .some(past.stored)
    }

    /// The job was handed out again, or has ended.
    func forgetReturn(of jobID: JobID) {
        guard !self.returned.isEmpty, self.returned.removeValue(forKey: jobID) != nil else { return }
        self.transaction.returned.updateValue(nil, forKey: jobID)
    }

    private func takeBack(_ offer: Lane.Offer, on lane: Lane) {
        guard let reservation = self.reservation(for: offer, on: lane) else { return }
        self.takeBack(reservation)
    }

    /// Ends a reservation and puts its job back to the head of its queue, or into the hands of a fetch that waits there.
    func takeBack(_ reservation: Reservation) {
        guard let ended = self.endReservation(of: reservation.jobID), let queue = self.giveBack(ended) else { return }
        if queue.hasWaiting { self.serveWaiting(of: queue) }
    }
}

extension LinkCommand {
    /// Whether this takes a FETCH back.
    fileprivate var isWithdrawal: Bool {
        if case .withdraw = self.body { return true }
        return false
    }
}
