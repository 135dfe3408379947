import JobCore
package import JobStorage
import Redis

/// Keeps jobs in a Redis.
///
/// One thread owns a store; no call returns before Redis has answered. It repeats nothing by itself: after a lost
/// connection the leader loads it again and learns from the position what happened.
///
/// A transaction is one `MULTI … EXEC` in one write. Redis carries it out as a whole, writes it to its append-only
/// file as a whole, and drops it as a whole when its `EXEC` does not arrive. In the same write follow, if asked for, the
/// `WAIT` for the replicas, which says something only on the connection that wrote, and the fence that guards the next one.
package final class RedisJobStore: JobStore, ReadsOverRedis {
    /// How often an epoch is tried to be written while another leader goes on writing.
    private static let claimBound = 64

    private let keys: RedisKeys
    private let link: RedisLink
    private let acknowledgement: ReplicaAcknowledgement?
    private let fence: Fence?
    private var encoder: TransactionEncoder
    /// What the data that was loaded says, counted up by our own transactions; nil while nothing may be read or written.
    ///
    /// In front of a Redis that several managers write to, this is what the fence compares with the `cluster` hash.
    private var position: Position?
    /// Whether this connection has written a transaction, so that `WAIT` means something on it.
    private var hasWritten = false
    /// Whether somebody else has written since our last transaction.
    private var isOvertaken = false
    /// The last day whose counters were told when they end.
    private var limitedDay: String?
    /// Connections of replicas beyond one for each member, as they were seen last.
    private var surplusReplicaCount = 0
    /// How far the stream was after the last transaction, where members are told apart.
    private var writtenOffset: UInt64?

    /// The members whose Redis has the last transaction, as far as is known; empty unless they are told apart.
    package private(set) var confirmingMembers: Set<RedisAddress> = []

    package init(configuration: RedisStoreConfiguration) {
        self.keys = RedisKeys(prefix: configuration.keyPrefix)
        self.link = RedisLink(configuration: configuration)
        self.acknowledgement = configuration.acknowledgement
        self.fence = configuration.isShared ? Fence(keys: self.keys) : nil
        self.encoder = TransactionEncoder(keys: self.keys)
    }

    /// What was found when an epoch was claimed.
    struct Claim: Sendable {
        let identity: RedisIdentity
        /// How far the data was before.
        let found: Position
    }

    package func load() throws(StorageError) -> StoredState {
        try self.connect()
        try self.condition().requireKeeping()
        return try self.read()
    }

    /// Writes the epoch, so that whoever led before can write no more, and then loads.
    ///
    /// Otherwise a leader that was overtaken and does not know it could go on writing while the next one reads. Throws
    /// `.fenced` when the data was written in a later epoch.
    func load(claiming epoch: Epoch) throws(StorageError) -> (state: StoredState, claim: Claim) {
        try self.connect()
        let condition = try self.condition()
        try condition.requireWritable()
        let found = try self.claim(epoch)
        return (try self.read(), Claim(identity: condition.identity, found: found))
    }

    /// What the Redis at the other end of the connection says of itself.
    func condition() throws(StorageError) -> RedisCondition {
        try RedisCondition(over: self.link)
    }

    private func connect() throws(StorageError) {
        self.position = nil
        self.limitedDay = nil
        self.hasWritten = false
        self.isOvertaken = false
        self.confirmingMembers = []
        self.writtenOffset = nil
        try self.link.connect()
        try self.checkTransactions()
    }

    private func read() throws(StorageError) -> StoredState {
        let state = try StateReader(reads: RedisReads(link: self.link, keys: self.keys)).state()
        try self.armFence(at: state.position)
        self.position = state.position
        return state
    }

    @discardableResult
    package func commit(_ transaction: StorageTransaction) throws(StorageError) -> Confirmation {
        guard let position = self.position, self.link.isConnected else { throw .notLoaded }
        guard transaction.position.epoch >= position.epoch, !self.isOvertaken else {
            self.position = nil
            throw .fenced
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
            let confirmation = try self.send(expecting: transaction.position, after: position)
            self.position = transaction.position
            if limitsDay { self.limitedDay = transaction.day }
            return confirmation
        } catch {
            // Where the outcome is unknown or ought to be impossible, only a new load tells what is there.
            if case .refused = error { throw error }
            self.position = nil
            throw error
        }
    }

    /// Asks the replicas once more for the last transaction, after `.unconfirmed`.
    ///
    /// Throws `.refused` before the first transaction since the store was loaded: Redis would say that everybody has it.
    package func awaitConfirmation() throws(StorageError) -> Confirmation {
        guard self.position != nil, self.link.isConnected else { throw .notLoaded }
        guard self.hasWritten else { throw .refused("nothing was written that a replica could confirm") }
        guard let wait = self.wait(for: self.writtenOffset) else { return .confirmed }
        do {
            return self.confirmation(from: try self.link.wait(wait))
        } catch {
            self.position = nil
            throw error
        }
    }

    /// Sends the transaction that is encoded with all that follows it, and takes every reply.
    private func send(expecting position: Position, after before: Position) throws(StorageError) -> Confirmation {
        let commandCount = self.encoder.commands.commandCount
        let wait = self.wait(for: nil)
        if let wait { self.encoder.append(wait) }
        if let fence { self.encoder.append(fence) }
        try self.link.send(self.encoder.commands)
        self.confirmingMembers = []

        var refusal: StorageError?
        do {
            try TransactionOutcome.requireSuccess(of: commandCount, over: self.link)
        } catch {
            if case .disconnected = error { throw error }
            refusal = error
        }
        let waited = try wait?.outcome(over: self.link)
        let found = try self.fence?.position(over: self.link)
        if let refusal {
            if let found, found != before { self.isOvertaken = true }
            throw refusal
        }
        self.hasWritten = true
        if let found, found != position { self.isOvertaken = true }
        guard let wait, let waited else { return .confirmed }
        return self.confirmation(from: try self.link.wait(wait, after: waited))
    }

    /// What to wait for after a transaction that ended at this place of the stream; nil if nobody has to confirm it.
    private func wait(for writtenOffset: UInt64?) -> ReplicaWait? {
        self.acknowledgement.map { acknowledgement in
            // Connections that do not count must not end the wait.
            ReplicaWait(
                acknowledgement,
                surplusReplicaCount: self.surplusReplicaCount,
                writtenOffset: writtenOffset
            )
        }
    }

    private func confirmation(from outcome: ReplicaWait.Outcome) -> Confirmation {
        self.confirmingMembers = outcome.members
        self.surplusReplicaCount = outcome.surplusReplicaCount
        self.writtenOffset = outcome.writtenOffset
        return outcome.isSufficient ? .confirmed : .unconfirmed
    }

    /// Puts the epoch into the data, and answers how far that was before; data that is empty has nobody to be kept out.
    private func claim(_ epoch: Epoch) throws(StorageError) -> Position {
        guard let fence else { preconditionFailure("an epoch is claimed where several managers write") }
        for _ in 0..<Self.claimBound {
            var guarding = RedisCommandBuffer(reserving: 256)
            fence.encode(into: &guarding)
            try self.link.send(guarding)
            let found = try fence.position(over: self.link)
            guard found.epoch <= epoch else { throw .fenced }
            // What this program does not understand it must not change; reading tells what it is.
            guard found > Position(epoch: Epoch(0), sequence: 0), try self.isVersionKnown() else { return found }
            var claim = RedisCommandBuffer(reserving: 256)
            fence.encodeClaim(of: epoch, after: found, into: &claim)
            try self.link.send(claim)
            do throws(StorageError) {
                try TransactionOutcome.requireSuccess(of: claim.commandCount, over: self.link)
                return found
            } catch .fenced {
                // Somebody wrote in between.
            }
        }
        throw .disconnected(reason: "another leader writes faster than this one can take its place")
    }

    private func isVersionKnown() throws(StorageError) -> Bool {
        var commands = RedisCommandBuffer(reserving: 64)
        commands.begin("HGET", argumentCount: 2)
        commands.append(self.keys.cluster)
        commands.append(RedisKeys.versionField)
        return try self.link.reply(to: commands).withView { (reply) throws(StorageError) in
            try reply.storedNumber() == UInt64(RedisKeys.dataVersion)
        }
    }

    /// Guards the first transaction, and makes sure that nobody has written since the data was read.
    private func armFence(at position: Position) throws(StorageError) {
        guard let fence else { return }
        var commands = RedisCommandBuffer(reserving: 256)
        fence.encode(into: &commands)
        try self.link.send(commands)
        guard try fence.position(over: self.link) == position else { throw .fenced }
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
