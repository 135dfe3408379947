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
        if queue.isCold { try self.refill(queue, byteBudget: Self.readByteBudget) }
        self.touch(queue)
        for _ in 0..<bound {
            let next = queue.take(through: token, in: &self.transaction.queues[queue.name, default: QueueChanges()])
            guard let (job, _) = next else { return !queue.isCold }
            self.move(job.id, from: .enqueued, to: .ended(.deleted), because: .ordered)
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

    /// Reads more of a queue's list: jobs of the mirror that are not in memory, and then entries behind the mirror.
    ///
    /// Right only at the beginning of a turn, before the queue is touched: the store must have the list as it is here.
    ///
    /// - Parameter byteBudget: how many bytes it may read, one job beyond it excepted.
    /// - Returns: how many bytes it has read.
    @discardableResult
    func refill(_ queue: JobQueue, byteBudget: Int) throws(StorageError) -> Int {
        var byteCount = 0
        queue.lastUse = self.turnNumber
        let unread = queue.unreadEntries(atMost: JobQueue.refillCount)
        if !unread.isEmpty {
            let (contents, read) = try self.contents(of: unread, in: queue, byteBudget: byteBudget)
            queue.fill(contents)
            byteCount += read
            guard contents.count == unread.count, byteCount < byteBudget else { return byteCount }
        }
        guard queue.isCold || queue.wantsRefill else { return byteCount }
        let entries = try self.store.entries(
            of: queue.name,
            from: queue.mirroredCount,
            count: queue.nextRefillCount
        )
        let room = min(max(queue.byteRoom, 1), byteBudget - byteCount)
        let (contents, read) = try self.contents(of: entries, in: queue, byteBudget: room)
        queue.refill(zip(entries, contents).map { JobQueue.Entry(entry: $0, content: $1) })
        return byteCount + read
    }

    /// What the first of these entries stand for: as many as have room in the bytes, and one at least.
    private func contents(
        of entries: [QueueEntry],
        in queue: JobQueue,
        byteBudget: Int
    ) throws(StorageError) -> (contents: [JobQueue.Content], byteCount: Int) {
        let (records, byteCount) = try self.store.records(
            of: entries.map(\.jobID),
            byteBudget: byteBudget,
            largest: queue.largestByteCount
        )
        let contents = zip(entries, records).map { entry, record -> JobQueue.Content in
            // One that is damaged is put aside, whatever its token says.
            if case .job(let stored) = record, stored.token != entry.token { return .stale }
            return self.readJob(entry.jobID, record).map { .job($0.job) } ?? .stale
        }
        return (contents, byteCount)
    }

    /// Lets go of the mirrors of the queues that were not asked for longest, until there is room again.
    ///
    /// Right only between turns. The queue that was asked for last keeps its mirror, so that there is always a head to
    /// be served.
    func makeRoomForMirrors() {
        guard self.mirrorMemory.isOverBound else { return }
        let queues = self.queues.values.filter(\.hasMirroredJobs).sorted { $0.lastUse < $1.lastUse }
        for queue in queues.dropLast() {
            guard self.mirrorMemory.byteCount > self.mirrorMemory.roomyByteCount else { break }
            queue.dropMirror()
        }
    }

    /// Whether the head of a queue is to be read.
    package var hasColdQueues: Bool { !self.coldQueues.isEmpty }

    /// Reads the heads of the queues that have run dry, and serves those who wait for them.
    ///
    /// Begin a turn before, with nothing else in it, and commit behind.
    package func warmQueues() throws(StorageError) {
        var byteBudget = Self.readByteBudget
        var warmed: [JobQueue] = []
        // All reading comes before all handing out, which changes the lists.
        while byteBudget > 0, warmed.count < Self.warmedQueueBound, let name = self.coldQueues.popFirst() {
            // One that was removed meanwhile has nothing to read.
            guard let queue = self.queues[name] else { continue }
            if queue.isCold || queue.wantsRefill { byteBudget -= try self.refill(queue, byteBudget: byteBudget) }
            warmed.append(queue)
        }
        for queue in warmed {
            if queue.hasWaiting { self.serveHeldUp(at: queue) }
            if queue.isCold { self.coldQueues.insert(queue.name) }
        }
    }
}
