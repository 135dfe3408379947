package import JobCore

/// Reads from data in memory.
package final class InMemoryJobReader: JobStoreReader {
    private let data: InMemoryJobData

    package init(reading data: InMemoryJobData) {
        self.data = data
    }

    package func entries(of queue: QueueName, from offset: Int, count: Int) throws(StorageError) -> [QueueEntry] {
        self.data.read { $0.lists[queue]?.page(from: offset, count: count) ?? [] }
    }

    package func newestEntries(
        of queue: QueueName,
        from offset: Int,
        count: Int
    ) throws(StorageError) -> [QueueEntry] {
        self.data.read { $0.lists[queue]?.newestPage(from: offset, count: count) ?? [] }
    }

    package func due(in set: JobSet, until limit: WallTime, count: Int) throws(StorageError) -> [SetMember] {
        self.data.read { $0.sets[set]?.page(from: 0, count: count, until: limit) ?? [] }
    }

    package func members(of set: JobSet, from offset: Int, count: Int) throws(StorageError) -> [SetMember] {
        self.data.read { $0.sets[set]?.page(from: offset, count: count) ?? [] }
    }

    /// Answers all members at once, as a Redis does for a small set.
    package func scan(
        _ set: JobSet,
        from cursor: UInt64,
        count: Int
    ) throws(StorageError) -> (members: [SetMember], next: UInt64?) {
        (try self.members(of: set, from: 0, count: .max), nil)
    }

    package func expiredReservations(until limit: WallTime, count: Int) throws(StorageError) -> [JobID] {
        self.data.read { $0.working.page(from: 0, count: count, until: limit).map(\.jobID) }
    }

    package func scores(of jobs: [JobID], in set: JobSet) throws(StorageError) -> [WallTime?] {
        self.data.read { stored in jobs.map { stored.sets[set]?.score(of: $0) } }
    }

    package func recordByteCounts(of jobs: [JobID]) throws(StorageError) -> [Int] {
        // What a record has beside its payload is as much as in the other store.
        self.data.read { stored in jobs.map { stored.jobs[$0].map { 13 + $0.payload.count } ?? 0 } }
    }

    package func records(of jobs: [JobID]) throws(StorageError) -> [JobRecord] {
        self.data.read { stored in jobs.map { stored.record(of: $0) } }
    }

    package func tableRecords(of names: [[UInt8]], in table: Table) throws(StorageError) -> [TableRecord?] {
        self.data.read { stored in names.map { stored.tables[table]?[$0] } }
    }

    package func endedNames(
        in table: Table,
        until limit: WallTime,
        count: Int
    ) throws(StorageError) -> [[UInt8]] {
        self.data.read { stored in
            let ended = (stored.tables[table] ?? [:]).compactMap { name, record in
                record.end.map { (end: $0.roundedToScore, name: name) }
            }
            let due = ended.filter { $0.end <= limit.roundedToScore }
            let ordered = due.sorted {
                $0.end == $1.end ? $0.name.lexicographicallyPrecedes($1.name) : $0.end < $1.end
            }
            return ordered.prefix(max(0, count)).map(\.name)
        }
    }

    package func counters(on days: [String]) throws(StorageError) -> [JobCounters] {
        self.data.read { stored in days.map { stored.dailyCounters[$0] ?? JobCounters() } }
    }

    package func keyValue(_ key: String) throws(StorageError) -> [UInt8]? {
        self.data.read { $0.keyValues[key] }
    }

    package func outcomes(in segment: Int, from offset: Int, count: Int) throws(StorageError) -> [UInt8] {
        self.data.read { Array($0.outcomes[segment].dropFirst(offset).prefix(max(0, count))) }
    }

    package func memoryByteCount() throws(StorageError) -> UInt64? { nil }
}
