package import JobCore
import Synchronization

/// The data behind stores and readers in memory: what a Redis is to its connections.
///
/// Any number of stores and readers, each on a thread of its own, may be opened over the same data,
/// so that a second leader can take over from a first. It lives as long as the process does and is
/// meant for tests and simulations.
package final class InMemoryJobData: Sendable {
    private let jobs = Mutex(StoredJobs())

    package init() {}

    /// Commands that middleware sent to its Redis, which are kept here and carried out nowhere.
    package var redisCommands: [[[UInt8]]] {
        self.jobs.withLock { $0.redisCommands }
    }

    /// Every job that is there.
    package var jobIDs: Set<JobID> {
        self.jobs.withLock { Set($0.jobs.keys) }
    }

    /// What was put aside because its checksum failed.
    package var quarantined: [JobID: [UInt8]] {
        self.jobs.withLock { $0.quarantined }
    }

    func read<Value: Sendable>(_ body: (borrowing StoredJobs) -> Value) -> Value {
        self.jobs.withLock { body($0) }
    }

    func commit(_ transaction: StorageTransaction) throws(StorageError) {
        let latest = self.jobs.withLock { jobs -> Epoch in
            let latest = jobs.position.epoch
            if transaction.position.epoch >= latest { jobs.apply(transaction) }
            return latest
        }
        guard transaction.position.epoch >= latest else { throw .fenced }
    }
}
