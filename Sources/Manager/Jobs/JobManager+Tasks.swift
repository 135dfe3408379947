import ClusterLink
package import JobCore
import Logging
package import JobStorage

extension JobManager {
    /// Whether a long task waits for its next slice.
    package var hasTasks: Bool { !self.tasks.pending.isEmpty }

    /// Carries out one slice of the task that has waited longest.
    ///
    /// Begin a turn before, with nothing else in it, and commit behind.
    ///
    /// - Parameter uptime: reads the monotonic clock, to tell how long the slice took.
    package func runSlice(uptime: () -> Uptime) throws(StorageError) {
        guard let work = self.tasks.next() else { return }
        switch work {
        case .tick(let task, let number, let peer, let moved):
            let start = uptime()
            let count = try self.runSlice(of: task)
            let isDone = count < Self.sliceBound
            self.tasks.note(task, moved: count, isCycle: isDone, took: start.duration(to: uptime()))
            if isDone {
                self.outbox.send(.tickDone(task, number: number, count: UInt64(moved + count)), to: peer)
            } else {
                self.tasks.add(.tick(task, number: number, peer: peer, moved: moved + count))
            }
        case .mutateNamed(let mutation, let jobIDs, let next, let asker):
            try self.mutate(mutation, jobIDs, from: next, for: asker)
        case .mutateMatching(let mutation, let cursor, let asker):
            try self.mutate(mutation, from: cursor, for: asker)
        case .mutateFound(let mutation, let jobIDs, let cursor, let asker):
            try self.mutate(mutation, found: jobIDs[...], cursor: cursor, for: asker)
        case .removeQueues(let names, let left, let asker):
            try self.removeQueues(names, left: left, for: asker)
        case .latency(let names, let asker):
            self.outbox.reply(.bulk(try self.latencies(of: names)), to: asker.request, on: asker.lane)
        case .flush(let asker):
            self.flush()
            self.outbox.reply(.ok, to: asker.request, on: asker.lane)
        }
    }

    // MARK: Ticks

    /// A scheduler wants a task done; one that is under way is not begun again.
    func tick(_ task: SchedulerTask, number: UInt64, from peer: LinkPeer) {
        guard !self.tasks.isTicking(task) else { return }
        self.tasks.add(.tick(task, number: number, peer: peer, moved: 0))
    }

    private func runSlice(of task: SchedulerTask) throws(StorageError) -> Int {
        let time = self.now.wall
        do {
            switch task {
            case .enqueueScheduled: return try self.enqueueScheduledJobs(at: time)
            case .retry: return try self.retryJobs(at: time)
            case .reap: return try self.reapExpiredJobs(at: time)
            case .purge: return try self.purge(at: time)
            case .reapWorkers: return try self.reapWorkers()
            }
        } catch let error as StorageError {
            throw error
        } catch {
            preconditionFailure("a task threw what it does not throw: \(error)")
        }
    }

    // MARK: MUTATE

    private func mutate(
        _ mutation: Mutation,
        _ jobIDs: [JobID],
        from start: Int,
        for asker: TaskBoard.Asker
    ) throws(StorageError) {
        let set = mutation.target.set
        let end = min(start + Self.sliceBound, jobIDs.count)
        let slice = Array(jobIDs[start..<end])
        let scores = try self.store.scores(of: slice, in: set)
        let found = zip(slice, scores).filter { $0.1 != nil }.map(\.0)
        for (jobID, record) in zip(found, try self.store.records(of: found)) {
            self.apply(mutation.operation, to: jobID, record, in: set)
        }
        if end < jobIDs.count {
            self.tasks.add(.mutateNamed(mutation, jobIDs, next: end, asker))
        } else {
            self.outbox.reply(.ok, to: asker.request, on: asker.lane)
        }
    }

    private func mutate(
        _ mutation: Mutation,
        from cursor: UInt64,
        for asker: TaskBoard.Asker
    ) throws(StorageError) {
        let set = mutation.target.set
        let (members, next) = try self.store.scan(set, from: cursor, count: Self.scanCount)
        var seen: Set<JobID> = []
        var left: [JobID] = []
        var budget = Self.filterBudget
        for (member, record) in members where seen.insert(member.jobID).inserted {
            guard budget > 0 else {
                left.append(member.jobID)
                continue
            }
            budget -= mutation.stepCount(for: record)
            guard self.matches(mutation, record) else { continue }
            self.apply(mutation.operation, to: member.jobID, record, in: set)
        }
        self.goOn(with: mutation, found: left[...], cursor: next, for: asker)
    }

    /// Looks at jobs of a set that an earlier slice has found, and that may have left it since.
    private func mutate(
        _ mutation: Mutation,
        found jobIDs: ArraySlice<JobID>,
        cursor: UInt64?,
        for asker: TaskBoard.Asker
    ) throws(StorageError) {
        let set = mutation.target.set
        var left = jobIDs
        var budget = Self.filterBudget
        while budget > 0, !left.isEmpty {
            let some = Array(left.prefix(Self.readCount))
            left = left.dropFirst(some.count)
            let scores = try self.store.scores(of: some, in: set)
            let members = zip(some, scores).filter { $0.1 != nil }.map(\.0)
            for (jobID, record) in zip(members, try self.store.records(of: members)) {
                budget -= mutation.stepCount(for: record)
                if self.matches(mutation, record) { self.apply(mutation.operation, to: jobID, record, in: set) }
            }
        }
        self.goOn(with: mutation, found: left, cursor: cursor, for: asker)
    }

    private func goOn(
        with mutation: Mutation,
        found jobIDs: ArraySlice<JobID>,
        cursor: UInt64?,
        for asker: TaskBoard.Asker
    ) {
        if !jobIDs.isEmpty {
            self.tasks.add(.mutateFound(mutation, Array(jobIDs), cursor: cursor, asker))
        } else if let cursor {
            self.tasks.add(.mutateMatching(mutation, cursor: cursor, asker))
        } else {
            self.outbox.reply(.ok, to: asker.request, on: asker.lane)
        }
    }

    /// How many members of a set one slice looks at.
    private static var scanCount: Int { 200 }
    /// How many of those that are left are read at a time.
    private static var readCount: Int { 8 }
    /// How many steps one slice may take to compare jobs with a filter; the job that passes it is compared to its end.
    static var filterBudget: Int { 4 << 20 }

    private func matches(_ mutation: Mutation, _ record: JobRecord) -> Bool {
        guard mutation.operation != .clear, let filter = mutation.filter else { return true }
        guard case .job(let stored) = record, let job = try? Job(parsing: stored.payload) else { return false }
        return filter.matches(job)
    }

    private func apply(_ operation: Mutation.Operation, to jobID: JobID, _ record: JobRecord, in set: JobSet) {
        switch operation {
        case .clear, .discard: self.delete(jobID, from: set)
        case .kill: self.kill(jobID, from: set)
        case .requeue: self.requeue(jobID, record, from: set)
        }
    }

    // MARK: Queues

    private func removeQueues(
        _ names: [QueueName],
        left: Int?,
        for asker: TaskBoard.Asker
    ) throws(StorageError) {
        var names = names
        guard let name = names.last else {
            return self.outbox.reply(.ok, to: asker.request, on: asker.lane)
        }
        guard let queue = self.queues[name], queue.isKnown else {
            names.removeLast()
            return self.tasks.add(.removeQueues(names, left: nil, asker))
        }
        // Jobs that are pushed while the queue is being removed do not make it last for ever.
        let count = queue.entryCount
        let left = left ?? count
        let isEmpty = try self.drain(queue, bound: min(left, Self.sliceBound))
        if isEmpty { self.unlist(queue) }
        // A slice may remove fewer jobs than it is allowed to, and stale entries besides.
        let stillLeft = left - (count - queue.entryCount)
        if isEmpty || stillLeft <= 0 {
            names.removeLast()
            self.tasks.add(.removeQueues(names, left: nil, asker))
        } else {
            self.tasks.add(.removeQueues(names, left: stillLeft, asker))
        }
    }

    /// Seconds since the oldest job of each queue was enqueued, as JSON with sorted keys.
    private func latencies(of names: [String]) throws(StorageError) -> [UInt8] {
        var latencies: [(name: String, seconds: Double)] = []
        for name in Set(names).sorted() {
            latencies.append((name: name, seconds: try self.latency(of: name)))
        }
        var json = "{"
        for (index, latency) in latencies.enumerated() {
            if index > 0 { json += "," }
            var key: [UInt8] = []
            JSONText.appendQuoted(latency.name, to: &key)
            json += String(decoding: key, as: UTF8.self)
            // Whole milliseconds, as a reader would write them; 0 for an empty queue.
            let milliseconds = Int64((latency.seconds * 1_000).rounded())
            json += milliseconds == 0 ? ":0" : ":\(Double(milliseconds) / 1_000)"
        }
        return Array((json + "}").utf8)
    }

    private func latency(of text: String) throws(StorageError) -> Double {
        guard let name = try? QueueName(parsing: text), let queue = self.queues[name], queue.entryCount > 0
        else { return 0 }
        if queue.isCold { try self.refill(queue) }
        guard let enqueuedAt = queue.oldest?.enqueuedAt else { return 0 }
        return max(0, self.now.wall.secondsSinceEpoch - enqueuedAt.secondsSinceEpoch)
    }

    /// Everything that clients have stored goes; who is connected stays.
    private func flush() {
        self.logger.warning("everything was flushed at a client's request")
        self.transaction.flushesEverything = true
        for reservation in self.reservations.values { reservation.lease?.release() }
        self.reservations.removeAll()
        self.busyCounts.removeAll()
        self.setCounts.removeAll()
        self.counters = JobCounters()
        self.liveJobs.removeAll()
        self.coldQueues.removeAll()
        for queue in Array(self.queues.values) {
            queue.reset()
            self.forgetIfUnused(queue)
        }
        for (worker, state) in self.workers.states { self.transaction.workerStates[worker] = .some(state) }
    }
}

extension Mutation.Target {
    /// The set that is meant.
    var set: JobSet {
        switch self {
        case .scheduled: .scheduled
        case .retries: .retries
        case .dead: .dead
        }
    }
}

extension Mutation {
    /// About how many bytes are looked at, or steps of a pattern taken, to compare the job with the filter.
    fileprivate func stepCount(for record: JobRecord) -> Int {
        guard self.operation != .clear, let filter = self.filter, case .job(let stored) = record else { return 0 }
        return stored.payload.count * (1 + (filter.pattern?.stepsPerByte ?? 0))
    }
}
