package import JobCore

/// A store that keeps everything in memory, for tests and simulations.
///
/// It answers what the one over Redis answers; one suite of tests runs over both. A test may have it
/// throw an error where the real one would.
package final class InMemoryJobStore: JobStore {
    /// What happens to the transactions that follow.
    package enum Fault: Hashable, Sendable {
        /// Each is refused with this text and does nothing.
        case refusing(String)
        /// The next one happens, and the connection is lost before the answer.
        case losingTheAnswer
        /// Each happens, and nobody confirms it.
        case withholdingConfirmation
        /// The connection is lost before the next one has happened.
        case losingTheTransaction
    }

    private let data: InMemoryJobData
    private let reader: InMemoryJobReader
    private var isLoaded = false
    /// What was asked of the records so far, for tests of what a read may bring.
    package struct RecordReads: Hashable, Sendable {
        /// How often records were read, and how often their sizes were asked.
        package var count = 0
        package var sizeCount = 0
        /// Bytes of the payloads that all reads, and the largest of them, brought.
        package var byteCount = 0
        package var largestByteCount = 0

        package init() {}
    }

    /// What was asked of the records so far; a test may begin it anew.
    package var recordReads = RecordReads()
    /// How often records of tables were read so far.
    package var tableReadCount = 0
    /// The fault that the test wants.
    package var fault: Fault?
    /// Whether the connection is lost when records are read next.
    package var losesTheNextRead = false
    /// How many bytes it says that it takes; nil for not saying.
    package var byteCount: UInt64?

    package init(over data: InMemoryJobData = InMemoryJobData()) {
        self.data = data
        self.reader = InMemoryJobReader(reading: data)
    }

    package func load() throws(StorageError) -> StoredState {
        self.isLoaded = true
        return self.data.read { $0.state }
    }

    @discardableResult
    package func commit(_ transaction: StorageTransaction) throws(StorageError) -> Confirmation {
        try self.requireLoaded()
        switch self.fault {
        case nil:
            try self.write(transaction)
            return .confirmed
        case .refusing(let text):
            throw .refused(text)
        case .withholdingConfirmation:
            try self.write(transaction)
            return .unconfirmed
        case .losingTheAnswer:
            try self.write(transaction)
            throw self.disconnect()
        case .losingTheTransaction:
            throw self.disconnect()
        }
    }

    package func entries(of queue: QueueName, from offset: Int, count: Int) throws(StorageError) -> [QueueEntry] {
        try self.requireLoaded()
        return try self.reader.entries(of: queue, from: offset, count: count)
    }

    package func newestEntries(
        of queue: QueueName,
        from offset: Int,
        count: Int
    ) throws(StorageError) -> [QueueEntry] {
        try self.requireLoaded()
        return try self.reader.newestEntries(of: queue, from: offset, count: count)
    }

    package func due(in set: JobSet, until limit: WallTime, count: Int) throws(StorageError) -> [SetMember] {
        try self.requireLoaded()
        return try self.reader.due(in: set, until: limit, count: count)
    }

    package func members(of set: JobSet, from offset: Int, count: Int) throws(StorageError) -> [SetMember] {
        try self.requireLoaded()
        return try self.reader.members(of: set, from: offset, count: count)
    }

    package func scan(
        _ set: JobSet,
        from cursor: UInt64,
        count: Int
    ) throws(StorageError) -> (members: [SetMember], next: UInt64?) {
        try self.requireLoaded()
        return try self.reader.scan(set, from: cursor, count: count)
    }

    package func expiredReservations(until limit: WallTime, count: Int) throws(StorageError) -> [JobID] {
        try self.requireLoaded()
        return try self.reader.expiredReservations(until: limit, count: count)
    }

    package func scores(of jobs: [JobID], in set: JobSet) throws(StorageError) -> [WallTime?] {
        try self.requireLoaded()
        return try self.reader.scores(of: jobs, in: set)
    }

    package func recordByteCounts(of jobs: [JobID]) throws(StorageError) -> [Int] {
        try self.requireLoaded()
        self.recordReads.sizeCount += 1
        return try self.reader.recordByteCounts(of: jobs)
    }

    package func records(of jobs: [JobID]) throws(StorageError) -> [JobRecord] {
        try self.requireLoaded()
        if self.losesTheNextRead {
            self.losesTheNextRead = false
            throw self.disconnect()
        }
        let records = try self.reader.records(of: jobs)
        let byteCount = records.reduce(0) { $0 + $1.payloadByteCount }
        self.recordReads.count += 1
        self.recordReads.byteCount += byteCount
        self.recordReads.largestByteCount = max(self.recordReads.largestByteCount, byteCount)
        return records
    }

    package func tableRecords(of names: [[UInt8]], in table: Table) throws(StorageError) -> [TableRecord?] {
        try self.requireLoaded()
        self.tableReadCount += 1
        return try self.reader.tableRecords(of: names, in: table)
    }

    package func endedNames(
        in table: Table,
        until limit: WallTime,
        count: Int
    ) throws(StorageError) -> [[UInt8]] {
        try self.requireLoaded()
        return try self.reader.endedNames(in: table, until: limit, count: count)
    }

    package func counters(on days: [String]) throws(StorageError) -> [JobCounters] {
        try self.requireLoaded()
        return try self.reader.counters(on: days)
    }

    package func keyValue(_ key: String) throws(StorageError) -> [UInt8]? {
        try self.requireLoaded()
        return try self.reader.keyValue(key)
    }

    package func outcomes(in segment: Int, from offset: Int, count: Int) throws(StorageError) -> [UInt8] {
        try self.requireLoaded()
        return try self.reader.outcomes(in: segment, from: offset, count: count)
    }

    package func memoryByteCount() throws(StorageError) -> UInt64? {
        try self.requireLoaded()
        return self.byteCount
    }

    private func requireLoaded() throws(StorageError) {
        guard self.isLoaded else { throw .notLoaded }
    }

    private func write(_ transaction: StorageTransaction) throws(StorageError) {
        do throws(StorageError) {
            try self.data.commit(transaction)
        } catch {
            self.isLoaded = false
            throw error
        }
    }

    private func disconnect() -> StorageError {
        self.isLoaded = false
        self.fault = nil
        return .disconnected(reason: "the test broke the connection")
    }
}
