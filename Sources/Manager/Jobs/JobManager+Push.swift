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
        guard let chain = self.chains[.push], !chain.isEmpty else { return try self.accept(job, replacingDead: isDead) }

        let context = JobContext(kind: .push, job: job, reservation: nil, failure: nil, manager: self)
        var isLetIn = false
        do {
            try chain.run(context) { isLetIn = true }
            if isLetIn { try self.accept(context.job, replacingDead: isDead) }
        } catch let error as KnownError where error.isDiscard {
            self.logger.debug("push discarded", metadata: ["jid": "\(job.id)", "reason": "\(error.message)"])
        }
    }

    /// Puts a job that was let in where it belongs.
    private func accept(_ job: Job, replacingDead isDead: Bool) throws(KnownError) {
        var job = job
        if job.hasCustom, try !self.admit(&job) { return }
        let origin = isDead ? Place.dead : .new
        // What is left of a reservation whose job was lost must not end the new one.
        if self.unreadReservationCount > 0 { _ = self.endReservation(of: job.id) }
        self.liveJobs.insert(job.id)
        self.turnByteCount += job.payload.count
        self.unseenByteCount &+= UInt64(job.payload.count)
        if let due = job.at, due > self.now.wall {
            self.move(job.id, from: origin, to: .scheduled(job, due: due), because: .pushed)
        } else {
            self.enqueue(job, from: origin, because: .pushed)
        }
    }

    /// Puts a job at the tail of its queue, or straight into the hands of a fetch that waits for it.
    func enqueue(_ job: Job, from origin: Place, because cause: MoveCause) {
        let queue = self.queue(job.queue)
        self.move(job.id, from: origin, to: .tail(job, of: queue), because: cause)
        if queue.hasWaiting { self.serveWaiting(of: queue) }
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
}
