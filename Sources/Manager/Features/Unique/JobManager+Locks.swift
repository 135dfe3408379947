import JobCore
import JobStorage

extension JobManager {
    /// Whose this lock is at this point of the turn; nil when it is free.
    func holder(ofLock name: [UInt8]) -> JobID? {
        guard let record = self.record(name, in: .locks), let end = record.end, end > self.now.wall else { return nil }
        return JobID(String(decoding: record.body, as: UTF8.self))
    }

    /// When the lock ends, if it is this job's.
    func end(ofLock name: [UInt8], heldBy jobID: JobID) -> WallTime? {
        self.holder(ofLock: name) == jobID ? self.record(name, in: .locks)?.end : nil
    }

    func take(lock name: [UInt8], for jobID: JobID, until end: WallTime) {
        self.transaction.put(TableRecord(Array(jobID.text.utf8), end: end), under: name, in: .locks)
    }

    /// The job has been done: the lock that goes with that is free.
    func settleLock(of reservation: Reservation) {
        guard let lock = reservation.lock, lock.until == nil else { return }
        self.free(lock: lock.name, of: reservation.jobID)
    }

    /// The job goes back to its queue: it has the lock again that it gave up when it was handed out, unless another has it.
    func restoreLock(of reservation: Reservation) {
        guard let lock = reservation.lock, let end = lock.until, end > self.now.wall,
            self.holder(ofLock: lock.name) == nil
        else { return }
        self.take(lock: lock.name, for: reservation.jobID, until: end)
    }

    /// Frees a lock, unless its time was over and another job has taken it.
    func free(lock name: [UInt8], of jobID: JobID) {
        guard self.holder(ofLock: name) == jobID else { return }
        self.transaction.remove(name, from: .locks)
    }
}
