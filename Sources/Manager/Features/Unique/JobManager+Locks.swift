import JobCore
import JobStorage

extension JobManager {
    /// Whose this lock is at this point of the turn; nil when it is free.
    func holder(ofLock name: [UInt8]) -> JobID? {
        guard let record = self.record(name, in: .locks), let end = record.end, end > self.now.wall else { return nil }
        return JobID(String(decoding: record.body, as: UTF8.self))
    }

    func take(lock name: [UInt8], for jobID: JobID, until end: WallTime) {
        self.transaction.put(TableRecord(Array(jobID.text.utf8), end: end), under: name, in: .locks)
    }

    /// Frees a lock, unless its time was over and another job has taken it.
    func free(lock name: [UInt8], of jobID: JobID) {
        guard self.holder(ofLock: name) == jobID else { return }
        self.transaction.remove(name, from: .locks)
    }
}
