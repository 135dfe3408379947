public import JobCore
package import JobStorage

extension JobManager {
    /// How many queues' heads are read in one turn.
    static let warmedQueueBound = 8

    /// Stops FETCH from taking jobs of this queue; pushes go on.
    ///
    /// Holds for a queue that has never had a job, too.
    public func pause(_ name: QueueName) {
        self.queue(name).isPaused = true
        self.transaction.pausedQueues[name] = true
    }

    /// Undoes `pause`.
    public func resume(_ name: QueueName) {
        guard let queue = self.queues[name], queue.isPaused else { return }
        queue.isPaused = false
        self.transaction.pausedQueues[name] = false
        if queue.hasWaiting { self.serveWaiting(of: queue) }
        self.forgetIfUnused(queue)
    }

    /// The queues that had a job once and were not removed since, by name.
    var knownQueues: [JobQueue] {
        self.queues.values.filter(\.isKnown).sorted { $0.name < $1.name }
    }

    /// Removes jobs from the head of a queue that entered it up to a token, at the most `bound`; true when none is left.
    ///
    /// Right only at the beginning of a turn, since it may have to read the list.
    func drain(_ queue: JobQueue, through token: UInt64, bound: Int) throws(StorageError) -> Bool {
        if queue.isCold { try self.refill(queue) }
        self.touch(queue)
        for _ in 0..<bound {
            let next = queue.take(through: token, in: &self.transaction.queues[queue.name, default: QueueChanges()])
            guard let (job, _) = next else { return !queue.isCold }
            self.forget(job.id)
        }
        return false
    }

    /// An empty queue is listed no longer.
    func unlist(_ queue: JobQueue) {
        queue.isKnown = false
        queue.isPaused = false
        self.transaction.knownQueues[queue.name] = false
        self.transaction.pausedQueues[queue.name] = false
        self.forgetIfUnused(queue)
    }

    /// Reads more of a queue's list behind what is mirrored.
    ///
    /// Right only at the beginning of a turn, before the queue is touched: the store must have the list as it is here.
    func refill(_ queue: JobQueue) throws(StorageError) {
        let read = try self.store.entries(of: queue.name, from: queue.mirroredCount, count: queue.nextRefillCount)
        queue.refill(
            read.map { entry, record in
                guard case .job(let stored) = record, stored.token == entry.token else {
                    if case .corrupt = record { _ = self.readJob(entry.jobID, record) }
                    return JobQueue.Entry(entry: entry, job: nil)
                }
                return JobQueue.Entry(entry: entry, job: self.readJob(entry.jobID, record)?.job)
            }
        )
    }

    /// Whether the head of a queue is to be read.
    package var hasColdQueues: Bool { !self.coldQueues.isEmpty }

    /// Reads the heads of the queues that have run dry, and serves those who wait for them.
    ///
    /// Begin a turn before, with nothing else in it, and commit behind.
    package func warmQueues() throws(StorageError) {
        let names = Array(self.coldQueues.prefix(Self.warmedQueueBound))
        self.coldQueues.subtract(names)
        // One that was removed meanwhile has nothing to read.
        let cold = names.compactMap { self.queues[$0] }
        // All reading comes before all handing out, which changes the lists.
        for queue in cold where queue.wantsRefill { try self.refill(queue) }
        for queue in cold {
            if queue.hasWaiting { self.serveWaiting(of: queue) }
            if queue.isCold { self.coldQueues.insert(queue.name) }
        }
    }
}
