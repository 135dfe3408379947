public import JobCore
import Logging
import JobStorage

extension JobManager {
    /// Takes a job: into its queue, or among the scheduled jobs when its time is yet to come.
    ///
    /// Pushing a job whose jid is alive changes nothing and is no error: a client that lost the reply sends it again.
    /// A dead job of that jid is replaced, since nobody will ever run it.
    ///
    /// - Throws: `KnownError` of the push chain, `ManagerError` when a bound is reached.
    public func push(_ job: Job) throws {
        let standing = try self.standing(of: job.id)
        if standing == .alive { return }
        try self.checkBounds(of: job.queue)
        let isDead = standing == .dead

        var job = job
        job.setCreatedAtIfMissing(self.now.wall)
        guard let chain = self.chains[.push], !chain.isEmpty else { return self.accept(job, replacingDead: isDead) }

        let context = JobContext(kind: .push, job: job, reservation: nil, failure: nil, manager: self)
        var isLetIn = false
        do {
            try chain.run(context) { isLetIn = true }
            if isLetIn { self.accept(context.job, replacingDead: isDead) }
        } catch let error as KnownError where error.isDiscard {
            self.logger.debug("push discarded", metadata: ["jid": "\(job.id)", "reason": "\(error.message)"])
        }
    }

    /// Puts a job that was let in where it belongs.
    private func accept(_ job: Job, replacingDead isDead: Bool) {
        if isDead { self.remove(job.id, from: .dead) }
        // What is left of a reservation whose job was lost must not end the new one.
        if self.unreadReservationCount > 0 { _ = self.endReservation(of: job.id) }
        self.liveJobs.insert(job.id)
        self.turnByteCount += job.payload.count
        self.unseenByteCount &+= UInt64(job.payload.count)
        if let due = job.at, due > self.now.wall {
            self.transaction.store(job.id, StoredJob(token: 0, payload: job.payload))
            self.add(job.id, to: .scheduled, at: due)
        } else {
            self.enqueue(job)
        }
    }

    /// Puts a job at the tail of its queue, or straight into the hands of a fetch that waits for it.
    func enqueue(_ job: Job) {
        var job = job
        job.markEnqueued(at: self.now.wall)
        self.lastToken += 1
        self.transaction.store(job.id, StoredJob(token: self.lastToken, payload: job.payload))
        self.noteArrival(of: job.id)

        let queue = self.queue(job.queue)
        self.touch(queue)
        if !queue.isKnown {
            queue.isKnown = true
            self.transaction.knownQueues[queue.name] = true
        }
        let entry = QueueEntry(token: self.lastToken, jobID: job.id)
        queue.append(entry, job, in: &self.transaction.queues[queue.name, default: QueueChanges()])
        if queue.hasWaiting { self.serveWaiting(of: queue) }
    }

    /// Notes that the queue takes part in this turn.
    func touch(_ queue: JobQueue) {
        self.touchedQueues.append(queue)
    }

    private func checkBounds(of name: QueueName) throws {
        let bound = self.settings.maximumQueueLength
        if bound > 0, let queue = self.queues[name], queue.entryCount >= bound {
            throw ManagerError.queueFull(name, limit: bound)
        }
        let storeBound = self.settings.maximumStoreBytes
        guard storeBound > 0 else { return }
        // Between two looks no more is let in than a small part of what there may be.
        if self.unseenByteCount >= storeBound / Self.storeShare { try self.lookAtStore() }
        if self.storeByteCount >= storeBound { throw ManagerError.storeFull(limit: storeBound) }
    }

    /// Asks the store how many bytes it takes.
    func lookAtStore() throws(StorageError) {
        self.storeByteCount = try self.store.memoryByteCount() ?? 0
        self.unseenByteCount = 0
    }

    // MARK: Sets

    func add(_ jobID: JobID, to set: JobSet, at score: WallTime) {
        self.transaction.add(jobID, to: set, at: score)
        if !self.latecomers.isEmpty { self.noteLatecomer(jobID, to: set) }
        self.noteArrival(of: jobID)
        self.setCounts[set, default: 0] += 1
        if set == .dead { self.forgetCrashes(of: jobID) }
    }

    func remove(_ jobID: JobID, from set: JobSet) {
        self.transaction.remove(jobID, from: set)
        self.setCounts[set, default: 0] -= 1
    }
}
