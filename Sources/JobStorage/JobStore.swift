/// Where jobs are kept: what a leader writes, and what it reads back when it begins.
///
/// One thread owns a store, and every call blocks it. The leader is the only writer, so that
/// what it read in a turn is still true when it commits in the same turn.
///
/// An implementation promises:
/// * `commit` happens as a whole or not at all, whatever dies in between.
/// * When `commit` returns `.confirmed`, the transaction is as durable as the store was told to make it.
/// * When it throws `.refused` or `.fenced`, nothing of the transaction has happened. When it throws
///   `.disconnected`, nobody knows; the next `load` tells by the position.
/// * Reads see every transaction that was committed before them.
/// * Nothing is read or written before a `load` has succeeded, nor after `.disconnected` or `.fenced` until one has
///   again.
package protocol JobStore: JobStoreReader {
    /// Waits until the store is ready, reads what a new leader must know, and checks its form.
    ///
    /// Connects anew if the connection was lost.
    func load() throws(StorageError) -> StoredState

    /// Writes a transaction.
    ///
    /// One of an epoch before that of the data is fenced: what becomes of its commands is for another leader to say, so
    /// that no client may be told that they failed. What is `.unconfirmed` has happened all the same.
    @discardableResult
    func commit(_ transaction: StorageTransaction) throws(StorageError) -> Confirmation
}
