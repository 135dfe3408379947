package import JobCore
package import JobStorage

/// Answers the port's reads with those over a connection.
package protocol ReadsOverRedis: JobStoreReader {
    /// The reads over the connection, if there is one to read over.
    func openReads() throws(StorageError) -> RedisReads
}

extension ReadsOverRedis {
    package func entries(of queue: QueueName, from offset: Int, count: Int) throws(StorageError) -> [QueueEntry] {
        try self.openReads().entries(of: queue, from: offset, count: count)
    }

    package func newestEntries(
        of queue: QueueName,
        from offset: Int,
        count: Int
    ) throws(StorageError) -> [QueueEntry] {
        try self.openReads().newestEntries(of: queue, from: offset, count: count)
    }

    package func due(in set: JobSet, until limit: WallTime, count: Int) throws(StorageError) -> [SetMember] {
        try self.openReads().due(in: set, until: limit, count: count)
    }

    package func members(of set: JobSet, from offset: Int, count: Int) throws(StorageError) -> [SetMember] {
        try self.openReads().members(of: set, from: offset, count: count)
    }

    package func scan(
        _ set: JobSet,
        from cursor: UInt64,
        count: Int
    ) throws(StorageError) -> (members: [SetMember], next: UInt64?) {
        try self.openReads().scan(set, from: cursor, count: count)
    }

    package func expiredReservations(until limit: WallTime, count: Int) throws(StorageError) -> [JobID] {
        try self.openReads().expiredReservations(until: limit, count: count)
    }

    package func scores(of jobs: [JobID], in set: JobSet) throws(StorageError) -> [WallTime?] {
        try self.openReads().scores(of: jobs, in: set)
    }

    package func recordByteCounts(of jobs: [JobID]) throws(StorageError) -> [Int] {
        try self.openReads().recordByteCounts(of: jobs)
    }

    package func records(of jobs: [JobID]) throws(StorageError) -> [JobRecord] {
        try self.openReads().records(of: jobs)
    }

    package func tableRecords(of names: [[UInt8]], in table: Table) throws(StorageError) -> [TableRecord?] {
        try self.openReads().tableRecords(of: names, in: table)
    }

    package func endedNames(
        in table: Table,
        until limit: WallTime,
        count: Int
    ) throws(StorageError) -> [[UInt8]] {
        try self.openReads().endedNames(in: table, until: limit, count: count)
    }

    package func counters(on days: [String]) throws(StorageError) -> [JobCounters] {
        try self.openReads().counters(on: days)
    }

    package func keyValue(_ key: String) throws(StorageError) -> [UInt8]? {
        try self.openReads().keyValue(key)
    }

    package func outcomes(in segment: Int, from offset: Int, count: Int) throws(StorageError) -> [UInt8] {
        try self.openReads().outcomes(in: segment, from: offset, count: count)
    }

    package func memoryByteCount() throws(StorageError) -> UInt64? {
        try self.openReads().memoryByteCount()
    }
}
