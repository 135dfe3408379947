package import JobCore

/// Where jobs are kept: what a leader writes, and what it reads back when it begins.
///
/// One thread owns a store, and every call blocks it. The leader is the only writer, so that
/// what it read in a turn is still true when it commits in the same turn.
///
/// An implementation promises:
/// * `commit` happens as a whole or not at all, whatever dies in between.
/// * When `commit` returns, the transaction is as durable as the store was told to make it.
/// * When it throws `.refused`, nothing of the transaction has happened. When it throws
///   `.disconnected`, nobody knows; the next `load` tells by the position.
/// * Reads see every transaction that was committed before them.
package protocol JobStore: AnyObject {
    /// Waits until the store is ready, reads what a new leader must know, and checks its form.
    ///
    /// Connects anew if the connection was lost.
    func load() throws(StorageError) -> StoredState

    /// Writes a transaction.
    func commit(_ transaction: StorageTransaction) throws(StorageError)

    /// Entries of a queue with their records, oldest first, beginning `offset` entries behind the oldest.
    ///
    /// A record that carries another token, or is missing, belongs to an entry that no longer counts.
    func entries(
        of queue: QueueName,
        from offset: Int,
        count: Int
    ) throws(StorageError) -> [(entry: QueueEntry, record: JobRecord)]

    /// Members with a score of at the most `limit`, lowest first, with their records.
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
    /// whatever joins or leaves meanwhile; one may be seen twice. `count` is a wish.
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

/// Everything that can go wrong between the leader and the store.
package enum StorageError: Error, Equatable {
    /// The connection broke, or the answer did not come in time; the transaction may or may not have happened.
    case disconnected(reason: String)
    /// The store answered that it did nothing, and why.
    case refused(String)
    /// What is stored there is not what this program writes.
    case incompatible(String)
}
