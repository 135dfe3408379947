package import JobCore

/// What can be read from where jobs are kept, without a part in what is written there.
///
/// One thread owns a reader, and every call blocks it. A read sees every transaction that was
/// committed before it, whoever committed it, and none in part; two reads may see two states.
/// A count of zero or less reads nothing.
package protocol JobStoreReader: AnyObject {
    /// Entries of a queue with their records, oldest first, beginning `offset` entries behind the oldest.
    ///
    /// A record that carries another token, or is missing, belongs to an entry that no longer counts.
    func entries(
        of queue: QueueName,
        from offset: Int,
        count: Int
    ) throws(StorageError) -> [(entry: QueueEntry, record: JobRecord)]

    /// Members with a score of at the most `limit`, lowest first, with their records.
    ///
    /// Members of one score are in the order of their names' bytes.
    func due(
        in set: JobSet,
        until limit: WallTime,
        count: Int
    ) throws(StorageError) -> [(member: SetMember, record: JobRecord)]

    /// Members by rank, lowest score first, with their records.
    func members(
        of set: JobSet,
        from offset: Int,
        count: Int
    ) throws(StorageError) -> [(member: SetMember, record: JobRecord)]

    /// Some members of a set with their records, and where to go on; nil when everything was seen.
    ///
    /// Begins at cursor 0. A member that is in the set from the first call to the last is seen at least once,
    /// whatever joins or leaves meanwhile; one may be seen twice. `count` is a wish, and at least 1.
    func scan(
        _ set: JobSet,
        from cursor: UInt64,
        count: Int
    ) throws(StorageError) -> (members: [(member: SetMember, record: JobRecord)], next: UInt64?)

    /// The jobs whose reservation ends at `limit` or before, those that ended first in front.
    func expiredReservations(until limit: WallTime, count: Int) throws(StorageError) -> [JobID]

    /// The scores that these jobs have in a set; nil where one is not in it.
    func scores(of jobs: [JobID], in set: JobSet) throws(StorageError) -> [WallTime?]

    /// The records of these jobs.
    func records(of jobs: [JobID]) throws(StorageError) -> [JobRecord]

    /// The executions counted on these days, given as YYYY-MM-DD.
    func counters(on days: [String]) throws(StorageError) -> [JobCounters]

    /// A value of the middleware's scratch store.
    func keyValue(_ key: String) throws(StorageError) -> [UInt8]?

    /// Bytes that the store takes in memory, for INFO and for the limit; nil where it does not know.
    func memoryByteCount() throws(StorageError) -> UInt64?
}
