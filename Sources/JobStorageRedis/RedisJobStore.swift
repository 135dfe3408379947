import JobCore
package import JobStorage
import Redis

/// Keeps jobs in a Redis.
///
/// One thread owns a store; no call returns before Redis has answered. It repeats nothing by itself: after a lost
/// connection the leader loads it again and learns from the position what happened.
///
/// A transaction is one `MULTI … EXEC` in one write. Redis carries it out as a whole, writes it to its append-only
/// file as a whole, and drops it as a whole when its `EXEC` does not arrive.
package final class RedisJobStore: JobStore, ReadsOverRedis {
    private let keys: RedisKeys
    private let link: RedisLink
    private var encoder: TransactionEncoder
    /// What the data that was loaded says, counted up by our own transactions; nil while nothing may be read or written.
    ///
    /// In front of a Redis that several managers write to, this is what a fence compares with the `cluster` hash.
    private var position: Position?
    /// The last day whose counters were told when they end.
    private var limitedDay: String?

    package init(configuration: RedisStoreConfiguration) {
        self.keys = RedisKeys(prefix: configuration.keyPrefix)
        self.link = RedisLink(configuration: configuration)
        self.encoder = TransactionEncoder(keys: self.keys)
    }

    package func load() throws(StorageError) -> StoredState {
        self.position = nil
        self.limitedDay = nil
        try self.link.connect()
        try self.checkTransactions()
        let state = try StateReader(reads: RedisReads(link: self.link, keys: self.keys)).state()
        self.position = state.position
        return state
    }

    package func commit(_ transaction: StorageTransaction) throws(StorageError) {
        guard let position = self.position, self.link.isConnected else { throw .notLoaded }
        guard transaction.position.epoch >= position.epoch else {
            throw .refused(overtaken: transaction.position.epoch, by: position.epoch)
        }
        try MiddlewareCommands.check(transaction.redisCommands)
        let countsToday = transaction.processed > 0 || transaction.failures > 0
        let limitsDay = countsToday && (transaction.flushesEverything || transaction.day != self.limitedDay)
        self.encoder.encode(
            transaction,
            flushedQueues: transaction.flushesEverything ? try self.knownQueues() : [],
            limitsDay: limitsDay
        )
        do {
            try self.link.send(self.encoder.commands)
            try TransactionOutcome.requireSuccess(of: self.encoder.commands.commandCount, over: self.link)
        } catch {
            // Where the outcome is unknown or ought to be impossible, only a new load tells what is there.
            if case .refused = error { throw error }
            self.position = nil
            throw error
        }
        self.position = transaction.position
        if limitsDay { self.limitedDay = transaction.day }
    }

    package func openReads() throws(StorageError) -> RedisReads {
        guard self.position != nil, self.link.isConnected else { throw .notLoaded }
        return RedisReads(link: self.link, keys: self.keys)
    }

    /// Makes sure that this user may send `MULTI`: if only that were refused, what follows would be carried out one by
    /// one.
    private func checkTransactions() throws(StorageError) {
        var commands = RedisCommandBuffer(reserving: 64)
        commands.begin("MULTI", argumentCount: 0)
        commands.begin("EXEC", argumentCount: 0)
        try self.link.send(commands)
        try TransactionOutcome.requireSuccess(of: commands.commandCount, over: self.link)
    }

    private func knownQueues() throws(StorageError) -> [QueueName] {
        var commands = RedisCommandBuffer(reserving: 64)
        commands.begin("SMEMBERS", argumentCount: 1)
        commands.append(self.keys.queues)
        return try self.link.reply(to: commands).withView { (reply) throws(StorageError) in
            try reply.items { (name) throws(StorageError) in try name.queueName() }
        }
    }
}
