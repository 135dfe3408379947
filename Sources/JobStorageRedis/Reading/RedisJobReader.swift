package import JobStorage

/// Reads over a connection of its own, for cold work on a thread that is not the leader's.
///
/// It connects when something is first read, and anew with the first read after a lost connection. A read that
/// failed is not repeated.
package final class RedisJobReader: ReadsOverRedis {
    private let reads: RedisReads

    package init(configuration: RedisStoreConfiguration) {
        self.reads = RedisReads(
            link: RedisLink(configuration: configuration),
            keys: RedisKeys(prefix: configuration.keyPrefix)
        )
    }

    package func openReads() throws(StorageError) -> RedisReads {
        if !self.reads.link.isConnected { try self.reads.link.connect() }
        return self.reads
    }
}
