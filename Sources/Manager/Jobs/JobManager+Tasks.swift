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
        self.sliceUnderWay = SliceUnderWay(work, before: self.longCommand(of: work.asker))
        switch work {
        case .tick(let task, let number, let peer, let moved):
            let start = uptime()
            let count = try self.runSlice(of: task)
            let isDone = count < Self.sliceBound && !self.isSliceCut
            self.isSliceCut = false
            self.tasks.note(task, moved: count, isCycle: isDone, took: start.duration(to: uptime()))
            if isDone {
                self.outbox.send(.tickDone(task, number: number, count: UInt64(moved + count)), to: peer)
            } else {
                self.tasks.add(.tick(task, number: number, peer: peer, moved: moved + count))
            }
        case .mutateNamed(let mutation, let jobs, let asker):
            try self.mutate(mutation, jobs, for: asker)
        case .mutateMatching(let mutation, let cursor, let asker):
            try self.mutate(mutation, from: cursor, for: asker)
        case .mutateFound(let mutation, let jobIDs, let cursor, let asker):
            try self.mutate(mutation, found: jobIDs[...], cursor: cursor, for: asker)
        case .removeQueues(let names, let boundary, let asker):
            try self.removeQueues(names, through: boundary, for: asker)
        case .pushBulk(let push, let asker):
            try self.go(on: push, for: asker)
        case .latency(let names, let members, let asker):
            try self.readLatencies(of: names, behind: members, for: asker)
        case .flush(let asker):
            self.flush()
            self.finish(asker, with: .ok)
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
        _ jobs: NamedJobs,
        for asker: TaskBoard.Asker
    ) throws(StorageError) {
        var jobs = jobs
        let set = mutation.target.set
        let slice = jobs.prefix(Self.sliceBound)
        let scores = try self.store.scores(of: slice, in: set)
        // What has left the set must not leave it again.
        var seen: Set<JobID> = []
        let found = slice.indices.filter { scores[$0] != nil && seen.insert(slice[$0]).inserted }
        let records = try self.records(of: found.map { slice[$0] }, for: mutation.operation, isFiltered: false)
        if mutation.operation == .requeue, set == .dead { self.prepareRequeue(of: records) }
        for (index, record) in zip(found, records) {
            self.apply(mutation.operation, to: slice[index], record, in: set)
        }
        // What had no room in the read is for the next slice.
        jobs.passOver(records.count < found.count ? found[records.count] : slice.count)
        guard !jobs.isEmpty else { return self.finish(asker, with: .ok) }
        self.note(asker) { $0.doneCount = jobs.doneCount }
        self.tasks.add(.mutateNamed(mutation, jobs, asker))
    }

    private func mutate(
        _ mutation: Mutation,
        from cursor: UInt64,
        for asker: TaskBoard.Asker
    ) throws(StorageError) {
        let set = mutation.target.set
        guard self.beginTaking(from: set, for: asker) else {
            return self.tasks.add(.mutateMatching(mutation, cursor: cursor, asker))
        }
        let (members, next) = try self.store.scan(set, from: cursor, count: Self.scanCount)
        // A scan may show a member twice, and what has left the set must not leave it again.
        var seen: Set<JobID> = []
        let found = members.map(\.jobID).filter { seen.insert($0).inserted }
        try self.mutate(mutation, found: found[...], cursor: next, for: asker)
    }

    /// The records that an operation needs of the first of these jobs, as many as one read may bring.
    ///
    /// What only leaves its set is not read; it has the record of a job that is not there.
    private func records(
        of jobIDs: [JobID],
        for operation: Mutation.Operation,
        isFiltered: Bool
    ) throws(StorageError) -> [JobRecord] {
        guard isFiltered || operation == .requeue else { return jobIDs.map { _ in .missing } }
        return try self.store.records(of: jobIDs, byteBudget: Self.readByteBudget).records
    }

    /// Looks at jobs of a set that a scan has found, in this slice or an earlier one, and that may have left it since.
    private func mutate(
        _ mutation: Mutation,
        found jobIDs: ArraySlice<JobID>,
        cursor: UInt64?,
        for asker: TaskBoard.Asker
    ) throws(StorageError) {
        let set = mutation.target.set
        let isFiltered = mutation.operation != .clear && mutation.filter != nil
        let some = Array(jobIDs.prefix(Self.scanCount))
        let late = self.latecomers(for: asker)
        let scores = try self.store.scores(of: some, in: set)
        let found = some.indices.filter { scores[$0] != nil && !late.contains(some[$0]) }
        let records = try self.records(of: found.map { some[$0] }, for: mutation.operation, isFiltered: isFiltered)
        if mutation.operation == .requeue, set == .dead { self.prepareRequeue(of: records) }
        var handledCount = records.count < found.count ? found[records.count] : some.count
        var budget = Self.filterBudget
        for (index, record) in zip(found, records) {
            guard budget > 0 else {
                handledCount = index
                break
            }
            budget -= mutation.stepCount(for: record)
            if self.matches(mutation, record) { self.apply(mutation.operation, to: some[index], record, in: set) }
        }
        self.goOn(with: mutation, found: jobIDs.dropFirst(handledCount), cursor: cursor, for: asker)
    }

    private func goOn(
        with mutation: Mutation,
        found jobIDs: ArraySlice<JobID>,
        cursor: UInt64?,
        for asker: TaskBoard.Asker
    ) {
        self.note(asker) { _ in }
        if !jobIDs.isEmpty {
            self.tasks.add(.mutateFound(mutation, Array(jobIDs), cursor: cursor, asker))
        } else if let cursor {
            self.tasks.add(.mutateMatching(mutation, cursor: cursor, asker))
        } else {
            self.finish(asker, with: .ok)
        }
    }

    /// How many members of a set one slice looks at.
    private static var scanCount: Int { 200 }
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
        case .requeue: self.requeue(jobID, record, from: set, because: .ordered)
        }
    }

    // MARK: Queues

    /// Removes what had entered these queues when the command began; jobs that were pushed since are not meant.
    private func removeQueues(
        _ names: [QueueName],
        through boundary: UInt64,
        for asker: TaskBoard.Asker
    ) throws(StorageError) {
        var names = names
        guard let name = names.popLast() else { return self.finish(asker, with: .ok) }
        if let queue = self.queues[name], queue.isKnown {
            guard try self.drain(queue, through: boundary, bound: Self.sliceBound) else {
                // Whoever goes on must know what was there at the beginning.
                self.note(asker) { _ in }
                return self.tasks.add(.removeQueues(names + [name], through: boundary, asker))
            }
            if queue.entryCount == 0 { self.unlist(queue) }
        }
        self.note(asker) { $0.lastQueue = name.text }
        self.tasks.add(.removeQueues(names, through: boundary, asker))
    }

    /// How many queues are looked at in one slice, each of which may have to be read.
    private static var latencyCount: Int { 50 }

    /// Seconds since the oldest job of each queue was enqueued, as JSON with sorted keys.
    private func readLatencies(
        of names: [String],
        behind members: [UInt8],
        for asker: TaskBoard.Asker
    ) throws(StorageError) {
        var names = names
        var members = members
        var byteBudget = Self.readByteBudget
        for _ in 0..<Self.latencyCount {
            guard byteBudget > 0, let name = names.popLast() else { break }
            members.append(members.isEmpty ? UInt8(ascii: "{") : UInt8(ascii: ","))
            JSONText.appendQuoted(name, to: &members)
            // Whole milliseconds, as a reader would write them; 0 for an empty queue.
            let milliseconds = Int64((try self.latency(of: name, reading: &byteBudget) * 1_000).rounded())
            members += (milliseconds == 0 ? ":0" : ":\(Double(milliseconds) / 1_000)").utf8
        }
        guard names.isEmpty else { return self.tasks.add(.latency(names, members, asker)) }
        if members.isEmpty { members.append(UInt8(ascii: "{")) }
        self.outbox.reply(.bulk(members + [UInt8(ascii: "}")]), to: asker.request, on: asker.lane)
    }

    private func latency(of text: String, reading byteBudget: inout Int) throws(StorageError) -> Double {
        guard let name = try? QueueName(parsing: text), let queue = self.queues[name], queue.entryCount > 0
        else { return 0 }
        // One job is enough to know; the rest is read when it is wanted.
        if queue.isCold { byteBudget -= try self.refill(queue, byteBudget: 1) }
        guard let enqueuedAt = queue.oldest?.enqueuedAt else { return 0 }
        return max(0, self.now.wall.secondsSinceEpoch - enqueuedAt.secondsSinceEpoch)
    }

    /// Everything that clients have stored goes; who is connected stays.
    private func flush() {
        self.logger.warning("everything was flushed at a client's request")
        self.transaction.flushesEverything = true
        for reservation in self.reservations.values { reservation.lease?.release() }
        self.reservations.removeAll()
        self.unreadReservationCount = 0
        self.returned.removeAll()
        self.busyCounts.removeAll()
        self.setCounts.removeAll()
        self.counters = JobCounters()
        // A walk that is under way finds nothing more, and ends.
        self.liveJobs.removeAll()
        self.coldQueues.removeAll()
        for queue in Array(self.queues.values) {
            queue.reset()
            self.forgetIfUnused(queue)
        }
        self.crashes.removeAll()
        self.outcomes.removeAll()
        for (worker, state) in self.workers.states { self.transaction.workerStates[worker] = .some(state) }
        for worker in self.workers.beating { self.transaction.beatingWorkers[worker] = true }
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
