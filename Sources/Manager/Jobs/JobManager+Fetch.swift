import ClusterLink
public import JobCore
import Logging
import JobStorage

extension JobManager {
    /// Reserves the next job of these queues for a worker; nil when there is none.
    ///
    /// - Throws: `ManagerError.noQueues`; `KnownError` when the fetch chain halts.
    public func fetch(for worker: WorkerID, from names: [QueueName]) throws -> Job? {
        guard !names.isEmpty else { throw ManagerError.noQueues }
        return try self.reserveNext(for: worker, from: names, offer: { _ in nil })?.job
    }

    /// Reserves the next job, which `offer` numbers for its lane.
    func reserveNext(
        for worker: WorkerID,
        from names: [QueueName],
        offer: (Job) -> Reservation.Offer?
    ) throws -> Reservation? {
        while let lease = self.takeNext(for: worker, from: names) {
            if let reservation = try self.reserve(lease, for: worker, offer: offer) { return reservation }
        }
        return nil
    }

    private func takeNext(for worker: WorkerID, from names: [QueueName]) -> (any Lease)? {
        // The usual fetcher without the detour through its protocols: this is the hottest path there is.
        self.isHeldUp = false
        guard self.fetcher is BasicFetch else { return self.askFetcher(for: worker, from: names) }
        for name in names {
            if let lease = self.take(from: name) { return lease }
            if self.isHeldUp { return nil }
        }
        return nil
    }

    /// Asks a fetcher that is not ours; whatever it took beside its lease goes back.
    private func askFetcher(for worker: WorkerID, from names: [QueueName]) -> (any Lease)? {
        self.taken.removeAll()
        let lease = self.fetcher.fetch(for: worker, from: names, in: QueueSource(manager: self))
        let kept = self.taken.firstIndex { $0.job.id == lease?.job.id }
        for (index, other) in self.taken.enumerated().reversed() where index != kept {
            self.withhold(other.job, token: other.token)
        }
        guard let lease, let kept else { return nothing }
        self.taken = [self.taken[kept]]
        return lease
    }

    /// Takes the oldest job of a queue, unless it is paused or its head is not in memory.
    ///
    /// A queue that has jobs of which none can be taken now holds the fetch up: what stands behind it in the worker's
    /// order must not be served before it. It is read, and the fetch served, in the next turn.
    func take(from name: QueueName) -> SimpleLease? {
        guard let queue = self.queues[name], !queue.isPaused, queue.entryCount > 0 else { return nil }
        guard !queue.isCold, !self.isTurnFull else { return self.holdUp(at: name) }
        self.touch(queue)
        guard let (job, token) = queue.take(in: &self.transaction.queues[name, default: QueueChanges()]) else {
            return queue.isCold ? self.holdUp(at: name) : nil
        }
        queue.lastUse = self.turnNumber
        if queue.wantsRefill { self.coldQueues.insert(name) }
        self.turnByteCount += job.payload.count
        return SimpleLease(job: job, token: token)
    }

    private func holdUp(at name: QueueName) -> SimpleLease? {
        self.coldQueues.insert(name)
        self.isHeldUp = true
        return nil
    }

    /// Runs the fetch chain and reserves the job; nil when the job was discarded.
    private func reserve(
        _ lease: any Lease,
        for worker: WorkerID,
        offer: (Job) -> Reservation.Offer?
    ) throws -> Reservation? {
        let token = self.token(of: lease)
        let options = lease.job.hasCustom ? self.acceptedOptions(of: lease.job) : nil
        if let options, let outcome = self.outcome(ofTaking: lease.job, options) {
            lease.release()
            // A queue may have a million of these, and a turn is to end.
            self.turnByteCount += Self.turnByteBound / Self.droppedBound
            self.move(lease.job.id, from: .enqueued, to: .ended(outcome), because: .withheld)
            return nil
        }
        guard let chain = self.chains[.fetch], !chain.isEmpty else {
            return self.hold(lease.job, options, token, lease, for: worker, offer: offer)
        }
        let context = JobContext(kind: .fetch, job: lease.job, reservation: nil, failure: nil, manager: self)
        var mayGo = false
        do {
            try chain.run(context) { mayGo = true }
        } catch let error as KnownError where error.isDiscard {
            self.logger.debug("fetch discarded", metadata: ["jid": "\(lease.job.id)", "reason": "\(error.message)"])
            mayGo = false
        } catch {
            lease.release()
            self.settleHalted(lease.job, token, because: error)
            throw error
        }
        guard mayGo else {
            // Discarded, or a link that did not call on: the job was dropped on purpose.
            lease.release()
            self.move(lease.job.id, from: .enqueued, to: .ended(.discarded), because: .withheld)
            return nil
        }
        return self.hold(context.job, options, token, lease, for: worker, offer: offer)
    }

    private func hold(
        _ job: Job,
        _ options: JobOptions?,
        _ token: UInt64,
        _ lease: any Lease,
        for worker: WorkerID,
        offer: (Job) -> Reservation.Offer?
    ) -> Reservation {
        let reservation = Reservation(
            job: job,
            worker: worker,
            reservedAt: self.now.wall,
            expiresAt: self.now.wall + job.reservationLength,
            endsAt: self.now.uptime + job.reservationLength,
            token: token,
            offer: offer(job),
            lease: lease is SimpleLease ? nil : lease
        )
        if let options { self.tellFeatures(of: reservation, for: job, options) }
        self.move(job.id, from: .enqueued, to: .reserved(reservation), because: .fetched)
        // What a chain has made of the job is nowhere else.
        if job.payload.count > Self.heldByteBound, self.chains[.fetch] == nil {
            self.largeReservations.append(reservation)
        }
        return reservation
    }

    /// The token of the entry through which a lease's job came.
    private func token(of lease: any Lease) -> UInt64 {
        if let simple = lease as? SimpleLease { return simple.token }
        return self.taken.popLast()?.token ?? 0
    }

    /// A job whose FETCH was halted is kept.
    private func settleHalted(_ job: Job, _ token: UInt64, because error: any Error) {
        if (error as? KnownError)?.haltedJob == .putBack {
            self.withhold(job, token: token)
        } else {
            let report = FailPayload(jobID: job.id, errorType: "Halt", message: "\(error.replyText)")
            self.bury(job, from: .enqueued, reporting: report, because: .withheld)
        }
    }

    /// Puts a job that was taken and not handed out back to the head of its queue.
    private func withhold(_ job: Job, token: UInt64) {
        let entry = QueueEntry(token: token, jobID: job.id)
        self.move(job.id, from: .enqueued, to: .head(entry, job, of: self.queue(job.queue)), because: .withheld)
    }

    // MARK: Waiting fetches

    /// Hands jobs of a queue to the fetches that wait for it, those that came first in front.
    func serveWaiting(of queue: JobQueue) {
        while queue.entryCount > 0, !queue.isPaused, let fetch = queue.firstWaiting() {
            guard self.serve(fetch) else { break }
        }
        guard queue.entryCount > 0, !queue.isPaused, queue.hasWaiting, !queue.isCold, !self.isTurnFull else { return }
        // The one in front may not have these jobs; others may.
        for fetch in queue.waitingFetches.dropFirst() where queue.entryCount > 0 { _ = self.serve(fetch) }
    }

    /// Serves the fetches that were held up at a queue, from it or, if it has nothing for them, from those behind it.
    func serveHeldUp(at queue: JobQueue) {
        if queue.entryCount > 0, !queue.isPaused { return self.serveWaiting(of: queue) }
        for fetch in queue.waitingFetches { _ = self.serve(fetch) }
    }

    /// Answers a waiting fetch if there is a job for it; false when it goes on waiting in its place.
    private func serve(_ fetch: WaitingFetch) -> Bool {
        // A link may push jobs while a fetch is being served, which brings us here once more.
        guard !fetch.isBeingServed, !fetch.isAnswered else { return false }
        fetch.isBeingServed = true
        defer { fetch.isBeingServed = false }
        guard self.workers.isRunning(fetch.worker) else {
            // It was told to be quiet while it waited: it waits for its deadline alone.
            self.leaveLines(fetch)
            return true
        }
        guard self.hasRoom(on: fetch.lane) else {
            self.leaveLines(fetch)
            fetch.lane.holdBack(fetch)
            return true
        }
        do {
            let reservation = try self.reserveNext(for: fetch.worker, from: fetch.queues) { job in
                self.offer(job, on: fetch.lane, for: fetch.request)
            }
            guard let reservation, let offer = reservation.offer else { return false }
            self.finish(fetch, with: .job(offer: offer.number, payload: reservation.job.payload))
        } catch {
            self.finish(fetch, with: .error(error.replyText))
        }
        return true
    }

    /// Whether another job may be handed out on this lane before some of those arrive that were.
    func hasRoom(on lane: Lane) -> Bool {
        lane.offeredByteCount < self.settings.offeredByteBound
    }

    /// Serves the fetches that had to wait for room on their lane, or lets them join the lines again.
    func serveHeldBack(on lane: Lane) {
        while self.hasRoom(on: lane), let fetch = lane.nextHeldBack() {
            // It has left its lines for good; another stands there in its place.
            let again = self.park(fetch.request, for: fetch.worker, fetch.queues, until: fetch.deadline, on: lane)
            guard let again else {
                self.finish(fetch, with: .null)
                continue
            }
            fetch.isAnswered = true
            _ = self.serve(again)
        }
    }

    /// Asks the fetcher again for those who wait for a queue whose job's lease was released in this turn.
    func serveReleased() {
        while let name = self.releasedQueues.popFirst() {
            if let queue = self.queues[name], queue.hasWaiting { self.serveWaiting(of: queue) }
        }
    }

    func offer(_ job: Job, on lane: Lane, for request: UInt64) -> Reservation.Offer {
        self.touchedLanes[lane.key] = lane
        return Reservation.Offer(lane: lane.key, number: lane.offer(job, for: request), request: request)
    }

    /// Answers a waiting fetch.
    func finish(_ fetch: WaitingFetch, with reply: LinkReply) {
        self.leaveLines(fetch)
        fetch.isAnswered = true
        fetch.lane.waiting[fetch.request] = nil
        self.outbox.reply(reply, to: fetch.request, on: fetch.lane.key)
    }

    /// Takes a fetch out of the lines that it stands in.
    func leaveLines(_ fetch: WaitingFetch) {
        guard !fetch.hasLeftLines else { return }
        fetch.hasLeftLines = true
        self.waitingPlaceCount -= fetch.lines.count
        for queue in fetch.lines {
            queue.stopWaiting()
            self.forgetIfUnused(queue)
        }
        fetch.lines = []
    }
}

/// The manager's queues, for a fetcher.
struct QueueSource: JobSource {
    let manager: JobManager

    func hasJobs(in queue: QueueName) -> Bool {
        guard let queue = self.manager.queues[queue] else { return false }
        return !queue.isPaused && queue.entryCount > 0
    }

    func take(from queue: QueueName) -> (any Lease)? {
        // What stands behind a queue that must be read first is not given out, whatever the fetcher's order is.
        guard !self.manager.isHeldUp, let lease = self.manager.take(from: queue) else { return nil }
        self.manager.taken.append(lease)
        return lease
    }
}
