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

    /// Deletes the dead jobs whose time is over by then; how many there were.
    ///
    /// Handles at the most `bound` jobs in this turn; call again while it returns so many.
    public func purge(at time: WallTime, bound: Int = JobManager.sliceBound) throws -> Int {
        let due = try self.store.due(in: .dead, until: time, count: bound)
        for member in due { self.delete(member.jobID, from: .dead) }
        return due.count
    }

    private func enqueueDue(in set: JobSet, at time: WallTime, bound: Int) throws -> Int {
        let due = try self.store.due(in: set, until: time, count: bound).map(\.jobID)
        let (records, _) = try self.store.records(of: due, byteBudget: Self.readByteBudget)
        for (jobID, record) in zip(due, records) { self.requeue(jobID, record, from: set) }
        if records.count < due.count { self.isSliceCut = true }
        return records.count
    }

    /// Moves a job from a set to its queue; one that cannot be read is put aside.
    func requeue(_ jobID: JobID, _ record: JobRecord, from set: JobSet) {
        self.remove(jobID, from: set)
        guard let (job, _) = self.readJob(jobID, record) else { return }
        self.enqueue(job)
    }

    /// Moves a job from a set to the dead jobs.
    func kill(_ jobID: JobID, from set: JobSet) {
        self.remove(jobID, from: set)
        self.add(jobID, to: .dead, at: self.now.wall + RetryPolicy.deadTTL)
    }

    /// Deletes a job that is in a set.
    func delete(_ jobID: JobID, from set: JobSet) {
        self.remove(jobID, from: set)
        self.forget(jobID)
    }
}
