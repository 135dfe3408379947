package import JobCore

/// What can be read from where jobs are kept, without a part in what is written there.
///
/// One thread owns a reader, and every call blocks it. A read sees every transaction that was
/// committed before it, whoever committed it, and none in part; two reads may see two states.
/// A count of zero or less reads nothing.
///
/// Reads that bring payloads name the bytes that they may bring; all others bring names, numbers and scores.
package protocol JobStoreReader: AnyObject {
    /// Entries of a queue, oldest first, beginning `offset` entries behind the oldest.
    ///
    /// An entry counts no longer when its job's record is missing or carries another token.
    func entries(of queue: QueueName, from offset: Int, count: Int) throws(StorageError) -> [QueueEntry]

    /// Entries of a queue, newest first, beginning `offset` entries in front of the newest.
    ///
    /// An entry that is in the queue while page after page is read is seen at least once: what joins meanwhile pushes
    /// the others on, and what leaves is at the other end.
    func newestEntries(of queue: QueueName, from offset: Int, count: Int) throws(StorageError) -> [QueueEntry]

    /// Members with a score of at the most `limit`, lowest first.
    ///
    /// Members of one score are in the order of their names' bytes.
    func due(in set: JobSet, until limit: WallTime, count: Int) throws(StorageError) -> [SetMember]

    /// Members by rank, lowest score first.
    func members(of set: JobSet, from offset: Int, count: Int) throws(StorageError) -> [SetMember]

    /// Some members of a set, and where to go on; nil when everything was seen.
    ///
    /// Begins at cursor 0. A member that is in the set from the first call to the last is seen at least once,
    /// whatever joins or leaves meanwhile; one may be seen twice. `count` is a wish, and at least 1.
    func scan(
        _ set: JobSet,
        from cursor: UInt64,
        count: Int
    ) throws(StorageError) -> (members: [SetMember], next: UInt64?)

    /// The jobs whose reservation ends at `limit` or before, those that ended first in front.
    func expiredReservations(until limit: WallTime, count: Int) throws(StorageError) -> [JobID]

    /// The scores that these jobs have in a set; nil where one is not in it.
    func scores(of jobs: [JobID], in set: JobSet) throws(StorageError) -> [WallTime?]

    /// Bytes that the record of each of these jobs takes, its payload and a few more; 0 where there is none.
    ///
    /// It brings no payload, whatever the size: this is how to ask whether jobs are there.
    func recordByteCounts(of jobs: [JobID]) throws(StorageError) -> [Int]

    /// The records of these jobs, all of them, whatever they take.
    ///
    /// For jobs whose number and size are known to be small; `records(of:byteBudget:)` is for all others.
    func records(of jobs: [JobID]) throws(StorageError) -> [JobRecord]

    /// The records that a table has under these names; nil where it has none, or one that is damaged.
    func tableRecords(of names: [[UInt8]], in table: Table) throws(StorageError) -> [TableRecord?]

    /// Names of records that end at `limit` or before, to the microsecond, those that ended first in front.
    func endedNames(in table: Table, until limit: WallTime, count: Int) throws(StorageError) -> [[UInt8]]

    /// The executions counted on these days, given as YYYY-MM-DD.
    func counters(on days: [String]) throws(StorageError) -> [JobCounters]

    /// A value of the middleware's scratch store.
    func keyValue(_ key: String) throws(StorageError) -> [UInt8]?

    /// Bytes of a segment of the log of outcomes; fewer than `count` where it ends, or its time is over.
    func outcomes(in segment: Int, from offset: Int, count: Int) throws(StorageError) -> [UInt8]

    /// Bytes that the store takes in memory, for INFO and for the limit; nil where it does not know.
    func memoryByteCount() throws(StorageError) -> UInt64?
}
