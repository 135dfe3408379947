import JobCore
import JobStorage
import Redis

/// Writes a transaction down as one `MULTI … EXEC` of commands that each take all items of one key.
struct TransactionEncoder: ~Copyable {
    /// The memory that is kept from one transaction to the next.
    static let keptByteCount = 4 << 20

    let keys: RedisKeys
    private(set) var commands = RedisCommandBuffer()

    init(keys: RedisKeys) {
        self.keys = keys
    }

    /// Replaces what was written before.
    ///
    /// - Parameters:
    ///   - flushedQueues: the queues whose lists are there, if the transaction flushes everything.
    ///   - limitsDay: whether the counters of the transaction's day are to be told when they end.
    mutating func encode(_ transaction: StorageTransaction, flushedQueues: [QueueName], limitsDay: Bool) {
        if self.commands.byteCount > Self.keptByteCount { self.commands = RedisCommandBuffer() }
        self.commands.removeAll()
        self.commands.begin("MULTI", argumentCount: 0)
        self.encodeClearing(by: transaction, flushedQueues: flushedQueues)
        self.encodeJobs(of: transaction)
        for (name, changes) in transaction.queues { self.encode(changes, of: name) }
        self.encodeMembership(of: transaction.knownQueues, in: self.keys.queues)
        self.encodeMembership(of: transaction.pausedQueues, in: self.keys.paused)
        for (set, moves) in transaction.sets { self.encode(moves, in: set) }
        self.encodeReservations(of: transaction)
        self.encodeCounters(of: transaction, limitsDay: limitsDay)
        self.encodeSessions(of: transaction)
        self.encodeWorkerStates(of: transaction)
        self.encodeBeatingWorkers(of: transaction)
        self.encodeCrashes(of: transaction)
        self.encodeReturned(of: transaction)
        for (table, records) in transaction.tables { self.encode(records, in: table) }
        if let change = transaction.outcomes { self.encode(change) }
        self.encodeMiddleware(of: transaction)
        self.encodeQuarantine(of: transaction)
        self.encodePosition(of: transaction)
        self.commands.begin("EXEC", argumentCount: 0)
    }

    /// Appends the question which replicas have what was written so far.
    mutating func append(_ wait: ReplicaWait) {
        wait.encode(into: &self.commands)
    }

    /// Appends what notices when somebody else writes from now on.
    mutating func append(_ fence: Fence) {
        fence.encode(into: &self.commands)
    }

    private mutating func encodeClearing(by transaction: StorageTransaction, flushedQueues: [QueueName]) {
        var cleared: [String] = []
        if transaction.flushesEverything {
            cleared += self.keys.flushed
            cleared += self.keys.dailyCounters(around: transaction.day)
            cleared += flushedQueues.map { self.keys.queue($0) }
        }
        cleared += transaction.clearedSets.map { self.keys.set($0) }
        for (name, changes) in transaction.queues where changes.isCleared { cleared.append(self.keys.queue(name)) }
        let limit = RedisCommandBuffer.maximumArgumentCount
        for start in stride(from: 0, to: cleared.count, by: limit) {
            let keys = cleared[start..<min(start + limit, cleared.count)]
            self.commands.begin("UNLINK", argumentCount: keys.count)
            for key in keys { self.commands.append(key) }
        }
    }

    private mutating func encodeJobs(of transaction: StorageTransaction) {
        let removedCount = transaction.jobs.values.count { $0 == .remove }
        var removal = VariadicRun("HDEL", self.keys.jobs, itemCount: removedCount)
        if removedCount > 0 {
            for case (let job, .remove) in transaction.jobs {
                removal.beginItem(in: &self.commands)
                self.commands.append(job.text)
            }
        }
        let storedCount = transaction.jobs.count - removedCount
        var storage = VariadicRun("HSET", self.keys.jobs, itemCount: storedCount, argumentsPerItem: 2)
        for case (let job, .store(let stored)) in transaction.jobs {
            storage.beginItem(in: &self.commands)
            self.commands.append(job.text)
            self.commands.append(stored)
        }
    }

    private mutating func encode(_ changes: QueueChanges, of name: QueueName) {
        let key = self.keys.queue(name)
        // The newest stands at the left, so that each that joins is pushed in front of the one before.
        self.encode(changes.appended, "LPUSH", key)
        for change in changes.headChanges {
            switch change {
            case .take(let count):
                // What LTRIM removes is not sent back, as what RPOP removes would be.
                self.commands.begin("LTRIM", argumentCount: 3)
                self.commands.append(key)
                self.commands.append(0)
                self.commands.append(-count - 1)
            case .giveBack(let entries):
                self.encode(entries[...], "RPUSH", key)
            }
        }
    }

    private mutating func encode(_ entries: ArraySlice<QueueEntry>, _ verb: String, _ key: String) {
        var run = VariadicRun(verb, key, itemCount: entries.count)
        for entry in entries {
            run.beginItem(in: &self.commands)
            self.commands.append(entry)
        }
    }

    private mutating func encodeMembership(of names: [QueueName: Bool], in key: String) {
        let memberCount = names.values.count { $0 }
        var removal = VariadicRun("SREM", key, itemCount: names.count - memberCount)
        var addition = VariadicRun("SADD", key, itemCount: memberCount)
        for (name, isMember) in names where !isMember {
            removal.beginItem(in: &self.commands)
            self.commands.append(name.text)
        }
        for (name, isMember) in names where isMember {
            addition.beginItem(in: &self.commands)
            self.commands.append(name.text)
        }
    }

    private mutating func encode(_ moves: [JobID: WallTime?], in set: JobSet) {
        let key = self.keys.set(set)
        let leavingCount = moves.values.count { $0 == nil }
        var removal = VariadicRun("ZREM", key, itemCount: leavingCount)
        for (job, time) in moves where time == nil {
            removal.beginItem(in: &self.commands)
            self.commands.append(job.text)
        }
        var addition = VariadicRun("ZADD", key, itemCount: moves.count - leavingCount, argumentsPerItem: 2)
        for case (let job, let time?) in moves {
            addition.beginItem(in: &self.commands)
            self.commands.append(SetScore(time))
            self.commands.append(job.text)
        }
    }

    private mutating func encodeReservations(of transaction: StorageTransaction) {
        let releasedCount = transaction.reservations.values.count { $0 == .release }
        let heldCount = transaction.reservations.count - releasedCount
        if releasedCount > 0 {
            for (verb, key) in [("ZREM", self.keys.working), ("HDEL", self.keys.reservations)] {
                var run = VariadicRun(verb, key, itemCount: releasedCount)
                for case (let job, .release) in transaction.reservations {
                    run.beginItem(in: &self.commands)
                    self.commands.append(job.text)
                }
            }
        }
        guard heldCount > 0 else { return }
        var working = VariadicRun("ZADD", self.keys.working, itemCount: heldCount, argumentsPerItem: 2)
        for case (let job, .hold(let reservation)) in transaction.reservations {
            working.beginItem(in: &self.commands)
            self.commands.append(SetScore(reservation.expiresAt))
            self.commands.append(job.text)
        }
        var records = VariadicRun("HSET", self.keys.reservations, itemCount: heldCount, argumentsPerItem: 2)
        for case (let job, .hold(let reservation)) in transaction.reservations {
            records.beginItem(in: &self.commands)
            self.commands.append(job.text)
            self.commands.append(reservation.record)
        }
    }

    private mutating func encodeCounters(of transaction: StorageTransaction, limitsDay: Bool) {
        let day = transaction.day
        let counters = [
            (transaction.processed, self.keys.processed, self.keys.processed(on: day)),
            (transaction.failures, self.keys.failures, self.keys.failures(on: day)),
        ]
        // A counter that begins at 0 is there to be told when it ends, too.
        for (count, total, daily) in counters where count > 0 || limitsDay {
            for key in [total, daily] {
                self.commands.begin("INCRBY", argumentCount: 2)
                self.commands.append(key)
                self.commands.append(count)
            }
        }
        guard limitsDay else { return }
        for (_, _, daily) in counters {
            self.commands.begin("EXPIRE", argumentCount: 2)
            self.commands.append(daily)
            self.commands.append(RedisKeys.dailyCounterDays * 86_400)
        }
    }

    private mutating func encodeSessions(of transaction: StorageTransaction) {
        for (lane, record) in transaction.lanes {
            self.commands.begin("HSET", argumentCount: 3)
            self.commands.append(self.keys.session(lane.session))
            self.commands.append(Int(lane.lane))
            self.commands.append(record.record)
        }
        for (key, record) in transaction.progress {
            self.commands.begin(record == nil ? "HDEL" : "HSET", argumentCount: record == nil ? 2 : 3)
            self.commands.append(self.keys.progress(key.lane.session))
            self.commands.append(key.field)
            if let record { self.commands.append(SealedRecord.sealing(record)) }
        }
        // A session takes along what it did in its last turn.
        for (session, name) in transaction.sessions {
            self.commands.begin(name == nil ? "HDEL" : "HSET", argumentCount: name == nil ? 2 : 3)
            self.commands.append(self.keys.sessions)
            self.commands.append(session.description)
            if let name {
                self.commands.append(name)
            } else {
                self.commands.begin("UNLINK", argumentCount: 2)
                self.commands.append(self.keys.session(session))
                self.commands.append(self.keys.progress(session))
            }
        }
    }

    private mutating func encodeWorkerStates(of transaction: StorageTransaction) {
        for (worker, state) in transaction.workerStates {
            self.commands.begin(state == nil ? "HDEL" : "HSET", argumentCount: state == nil ? 2 : 3)
            self.commands.append(self.keys.workerStates)
            self.commands.append(worker.text)
            if let state { self.commands.append(state.text) }
        }
    }

    private mutating func encodeBeatingWorkers(of transaction: StorageTransaction) {
        for (worker, isBeating) in transaction.beatingWorkers {
            self.commands.begin(isBeating ? "SADD" : "SREM", argumentCount: 2)
            self.commands.append(self.keys.beatingWorkers)
            self.commands.append(worker.text)
        }
    }

    private mutating func encodeCrashes(of transaction: StorageTransaction) {
        for (job, times) in transaction.crashes {
            self.commands.begin(times == nil ? "HDEL" : "HSET", argumentCount: times == nil ? 2 : 3)
            self.commands.append(self.keys.crashes)
            self.commands.append(job.text)
            if let times { self.commands.append(CrashTimes.text(of: times)) }
        }
    }

    private mutating func encodeReturned(of transaction: StorageTransaction) {
        guard !transaction.returned.isEmpty else { return }
        let forgottenCount = transaction.returned.values.count { $0 == nil }
        let notedCount = transaction.returned.count - forgottenCount
        var removal = VariadicRun("HDEL", self.keys.returned, itemCount: forgottenCount)
        for (job, reservation) in transaction.returned where reservation == nil {
            removal.beginItem(in: &self.commands)
            self.commands.append(job.text)
        }
        var addition = VariadicRun("HSET", self.keys.returned, itemCount: notedCount, argumentsPerItem: 2)
        for case (let job, let reservation?) in transaction.returned {
            addition.beginItem(in: &self.commands)
            self.commands.append(job.text)
            self.commands.append(reservation.record)
        }
    }

    private mutating func encode(_ records: [[UInt8]: TableRecord?], in table: Table) {
        let removedCount = records.values.count { $0 == nil }
        let ends = records.compactMap { name, record in record?.end.map { (name: name, end: $0) } }
        var removal = VariadicRun("HDEL", self.keys.table(table), itemCount: removedCount)
        for (name, record) in records where record == nil {
            removal.beginItem(in: &self.commands)
            self.commands.append(name)
        }
        if table.hasEnds {
            var removal = VariadicRun("ZREM", self.keys.ends(of: table), itemCount: removedCount)
            for (name, record) in records where record == nil {
                removal.beginItem(in: &self.commands)
                self.commands.append(name)
            }
        }
        let storedCount = records.count - removedCount
        var storage = VariadicRun("HSET", self.keys.table(table), itemCount: storedCount, argumentsPerItem: 2)
        for case (let name, let record?) in records {
            storage.beginItem(in: &self.commands)
            self.commands.append(name)
            self.commands.append(record.record)
        }
        var ending = VariadicRun("ZADD", self.keys.ends(of: table), itemCount: ends.count, argumentsPerItem: 2)
        for (name, end) in ends {
            ending.beginItem(in: &self.commands)
            self.commands.append(SetScore(end))
            self.commands.append(name)
        }
    }

    private mutating func encode(_ change: OutcomeChange) {
        let key = self.keys.outcomes(change.segment)
        if change.beginsFor != nil {
            self.commands.begin("UNLINK", argumentCount: 1)
            self.commands.append(key)
        }
        self.commands.begin("APPEND", argumentCount: 2)
        self.commands.append(key)
        self.commands.append(change.bytes)
        if let time = change.beginsFor {
            self.commands.begin("EXPIRE", argumentCount: 2)
            self.commands.append(key)
            self.commands.append(Int(time.components.seconds))
        }
    }

    private mutating func encodeMiddleware(of transaction: StorageTransaction) {
        for (key, value) in transaction.keyValues {
            self.commands.begin(value == nil ? "UNLINK" : "SET", argumentCount: value == nil ? 1 : 2)
            self.commands.append(self.keys.keyValue(key))
            if let value { self.commands.append(value) }
        }
        for command in transaction.redisCommands {
            guard let verb = command.first else { continue }
            self.commands.begin(String(decoding: verb, as: UTF8.self), argumentCount: command.count - 1)
            for argument in command.dropFirst() { self.commands.append(argument) }
        }
    }

    private mutating func encodeQuarantine(of transaction: StorageTransaction) {
        let recordCount = transaction.quarantined.count
        var run = VariadicRun("HSET", self.keys.quarantine, itemCount: recordCount, argumentsPerItem: 2)
        for (job, record) in transaction.quarantined {
            run.beginItem(in: &self.commands)
            self.commands.append(job.text)
            self.commands.append(record)
        }
    }

    private mutating func encodePosition(of transaction: StorageTransaction) {
        self.commands.begin("HSET", argumentCount: 9)
        self.commands.append(self.keys.cluster)
        self.commands.append(RedisKeys.versionField)
        self.commands.append(RedisKeys.dataVersion)
        self.commands.append(RedisKeys.epochField)
        self.commands.append(transaction.position.epoch.number)
        self.commands.append(RedisKeys.sequenceField)
        self.commands.append(transaction.position.sequence)
        self.commands.append(RedisKeys.tokenField)
        self.commands.append(transaction.lastToken)
    }
}
