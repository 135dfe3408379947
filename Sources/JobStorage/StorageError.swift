package import JobCore

/// Everything that can go wrong between the leader and the store.
package enum StorageError: Error, Equatable {
    /// The connection broke, or the answer did not come in time; the transaction may or may not have happened.
    case disconnected(reason: String)
    /// The store answered that it did nothing, and why.
    case refused(String)
    /// Another leader has written in the meantime, and nothing of the transaction has happened.
    case fenced
    /// What is stored there is not what this program writes.
    case incompatible(String)
}

extension StorageError {
    /// What a store answers before it was loaded, and after a lost connection until it is loaded again.
    package static var notLoaded: StorageError {
        .disconnected(reason: "the store is not loaded")
    }

    /// What an agent is told that promotes a Redis whose data has been written by a later leader.
    package static func refused(overtaken epoch: Epoch, by latest: Epoch) -> StorageError {
        .refused("epoch \(epoch.number) is over: the data was written in epoch \(latest.number)")
    }
}
