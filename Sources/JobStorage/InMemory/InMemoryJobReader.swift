package import JobCore

/// Reads from data in memory.
package final class InMemoryJobReader: JobStoreReader {
    private let data: InMemoryJobData

    package init(reading data: InMemoryJobData) {
        self.data = data
    }

    package func entries(
        of queue: QueueName,
        from offset: Int,
        count: Int
    ) throws(StorageError) -> [(entry: QueueEntry, record: JobRecord)] {
        self.data.read { jobs in
            let entries = jobs.lists[queue]?.page(from: offset, count: count) ?? []
            return entries.map { ($0, jobs.record(of: $0.jobID)) }
        }
    }

    package func due(
        in set: JobSet,
        until limit: WallTime,
        count: Int
    ) throws(StorageError) -> [(member: SetMember, record: JobRecord)] {
        self.data.read { jobs in
            let members = jobs.sets[set]?.page(from: 0, count: count, until: limit) ?? []
            return members.map { ($0, jobs.record(of: $0.jobID)) }
        }
    }

    package func members(
        of set: JobSet,
        from offset: Int,
        count: Int
    ) throws(StorageError) -> [(member: SetMember, record: JobRecord)] {
        self.data.read { jobs in
            let members = jobs.sets[set]?.page(from: offset, count: count) ?? []
            return members.map { ($0, jobs.record(of: $0.jobID)) }
        }
    }

    /// Answers all members at once, as a Redis does for a small set.
    package func scan(
        _ set: JobSet,
        from cursor: UInt64,
        count: Int
    ) throws(StorageError) -> (members: [(member: SetMember, record: JobRecord)], next: UInt64?) {
        (try self.members(of: set, from: 0, count: .max), nil)
    }

    package func expiredReservations(until limit: WallTime, count: Int) throws(StorageError) -> [JobID] {
        self.data.read { $0.working.page(from: 0, count: count, until: limit).map(\.jobID) }
    }

    package func scores(of jobs: [JobID], in set: JobSet) throws(StorageError) -> [WallTime?] {
        self.data.read { stored in jobs.map { stored.sets[set]?.score(of: $0) } }
    }

    package func records(of jobs: [JobID]) throws(StorageError) -> [JobRecord] {
        self.data.read { stored in jobs.map { stored.record(of: $0) } }
    }

    package func counters(on days: [String]) throws(StorageError) -> [JobCounters] {
        self.data.read { stored in days.map { stored.dailyCounters[$0] ?? JobCounters() } }
    }

    package func keyValue(_ key: String) throws(StorageError) -> [UInt8]? {
        self.data.read { $0.keyValues[key] }
    }

    package func memoryByteCount() throws(StorageError) -> UInt64? { nil }
}
