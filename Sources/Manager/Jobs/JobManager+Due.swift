public import JobCore
import JobStorage

extension JobManager {
    /// Enqueues the scheduled jobs whose time has come by then; how many there were.
    ///
    /// Handles at the most `bound` jobs in this turn, and fewer when they are large; call again until it returns 0.
    public func enqueueScheduledJobs(at time: WallTime, bound: Int = JobManager.sliceBound) throws -> Int {
        try self.enqueueDue(in: .scheduled, at: time, bound: bound)
    }

    /// Enqueues the failed jobs whose next try is due by then; how many there were.
    ///
    /// Handles at the most `bound` jobs in this turn, and fewer when they are large; call again until it returns 0.
    public func retryJobs(at time: WallTime, bound: Int = JobManager.sliceBound) throws -> Int {
        try self.enqueueDue(in: .retries, at: time, bound: bound)
    }

    /// Deletes the dead jobs whose time is over by then, and drops the locks whose time is; how many there were.
    ///
    /// Handles at the most `bound` jobs in this turn; call again while it returns so many.
    public func purge(at time: WallTime, bound: Int = JobManager.sliceBound) throws -> Int {
        let due = try self.store.due(in: .dead, until: time, count: bound)
        for member in due { self.delete(member.jobID, from: .dead, because: .purged) }
        return max(due.count, try self.dropEndedRecords(at: time, bound: bound))
    }

    private func enqueueDue(in set: JobSet, at time: WallTime, bound: Int) throws -> Int {
        let due = try self.store.due(in: set, until: time, count: bound).map(\.jobID)
        let (records, _) = try self.store.records(of: due, byteBudget: Self.readByteBudget)
        for (jobID, record) in zip(due, records) { self.requeue(jobID, record, from: set, because: .due) }
        if records.count < due.count { self.isSliceCut = true }
        return records.count
    }

    /// Moves a job from a set to its queue; one that cannot be read is put aside.
    ///
    /// A dead one stays where it is if a feature wants it so.
    func requeue(_ jobID: JobID, _ record: JobRecord, from set: JobSet, because cause: MoveCause) {
        guard let (job, _) = self.readJob(jobID, record) else {
            return self.move(jobID, from: Place(set), to: .ended(.lost), because: .damaged)
        }
        if set == .dead, job.hasCustom, !self.mayRequeue(job) { return }
        self.enqueue(job, from: Place(set), because: cause)
    }

    /// Moves a job from a set to the dead jobs.
    func kill(_ jobID: JobID, from set: JobSet) {
        let end = self.now.wall + RetryPolicy.deadTTL
        self.move(jobID, from: Place(set), to: .dead(nil, until: end), because: .ordered)
    }

    /// Deletes a job that is in a set.
    func delete(_ jobID: JobID, from set: JobSet, because cause: MoveCause = .ordered) {
        self.move(jobID, from: Place(set), to: .ended(.deleted), because: cause)
    }
}
