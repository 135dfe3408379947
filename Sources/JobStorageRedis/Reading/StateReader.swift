import JobCore
import JobStorage
import Redis

/// Reads all that a leader must know when it begins, in slices that keep no one waiting for long.
///
/// It reads no payload and no name of a job that waits: a beginning must not take longer the more is stored.
struct StateReader {
    /// How many reservations are asked for at a time.
    static let sliceCount = 1_000

    let reads: RedisReads
    private var link: RedisLink { self.reads.link }
    private var keys: RedisKeys { self.reads.keys }

    init(reads: RedisReads) {
        self.reads = reads
    }

    func state() throws(StorageError) -> StoredState {
        let (position, lastToken) = try self.position()
        var state = StoredState(position: position)
        state.lastToken = lastToken
        try self.readSummary(into: &state)
        try self.readQueuesAndLanes(into: &state)
        state.reservations = try self.reservations()
        return state
    }

    /// The position and the last token, once it is sure that the data has the form that this program knows.
    private func position() throws(StorageError) -> (Position, lastToken: UInt64) {
        var commands = RedisCommandBuffer()
        commands.begin("HMGET", argumentCount: 5)
        commands.append(self.keys.cluster)
        commands.append(RedisKeys.versionField)
        commands.append(RedisKeys.epochField)
        commands.append(RedisKeys.sequenceField)
        commands.append(RedisKeys.tokenField)
        let kept = self.keys.flushed + [self.keys.cluster, self.keys.sessions]
        commands.begin("EXISTS", argumentCount: kept.count)
        for key in kept { commands.append(key) }

        try self.link.send(commands)
        let fields = try self.next { (reply) throws(StorageError) in
            try reply.items { (item) throws(StorageError) in try item.storedBytes() }
        }
        let keyCount = try self.next { (reply) throws(StorageError) in try reply.number() }
        guard fields.count == 4 else { throw .incompatible("Redis answered too few fields") }
        guard let version = fields[0] else {
            guard keyCount == 0 else {
                throw .incompatible("there are keys that begin with \(self.keys.prefix), but no version of their form")
            }
            return (Position(epoch: Epoch(0), sequence: 0), 0)
        }
        guard version == Array(String(RedisKeys.dataVersion).utf8) else {
            let found = String(decoding: version.prefix(40), as: UTF8.self)
            throw .incompatible("the data has version \(found), and this program reads \(RedisKeys.dataVersion)")
        }
        let numbers = fields.dropFirst().compactMap { $0?.withUnsafeBytes { UInt64(decimal: $0) } }
        guard numbers.count == 3 else { throw .incompatible("the data has a version but no position") }
        return (Position(epoch: Epoch(numbers[0]), sequence: numbers[1]), numbers[2])
    }

    private func readSummary(into state: inout StoredState) throws(StorageError) {
        var commands = RedisCommandBuffer()
        for key in [self.keys.queues, self.keys.paused, self.keys.beatingWorkers] {
            commands.begin("SMEMBERS", argumentCount: 1)
            commands.append(key)
        }
        for key in [self.keys.sessions, self.keys.workerStates, self.keys.crashes, self.keys.returned] {
            commands.begin("HGETALL", argumentCount: 1)
            commands.append(key)
        }
        commands.begin("MGET", argumentCount: 2)
        commands.append(self.keys.processed)
        commands.append(self.keys.failures)
        for set in JobSet.allCases {
            commands.begin("ZCARD", argumentCount: 1)
            commands.append(self.keys.set(set))
        }
        for segment in 0..<OutcomeLog.segmentCount {
            commands.begin("STRLEN", argumentCount: 1)
            commands.append(self.keys.outcomes(segment))
        }

        try self.link.send(commands)
        let queues = try self.next { (reply) throws(StorageError) in
            try reply.items { (name) throws(StorageError) in try name.queueName() }
        }
        state.queues = queues.map { StoredQueue(name: $0, entryCount: 0) }
        state.pausedQueues = try self.next { (reply) throws(StorageError) in
            try reply.items { (name) throws(StorageError) in try name.queueName() }
        }
        let beating = try self.next { (reply) throws(StorageError) in
            try reply.items { (name) throws(StorageError) in WorkerID(try name.text()) }
        }
        state.beatingWorkers = Set(beating)
        for (identity, name) in try self.nextFields() {
            guard let session = SessionID(parsing: identity) else {
                throw .incompatible("\(identity.debugDescription) is no identity of a session")
            }
            state.sessions[session] = String(decoding: name, as: UTF8.self)
        }
        for (worker, text) in try self.nextFields() {
            guard let workerState = WorkerState.allCases.first(where: { $0.text.utf8.elementsEqual(text) }) else {
                throw .incompatible("the worker \(worker.debugDescription) has a state that this program does not know")
            }
            state.workerStates[WorkerID(worker)] = workerState
        }
        for (job, text) in try self.nextFields() { state.crashes[JobID(job)] = CrashTimes.times(in: text) }
        for (job, bytes) in try self.nextFields() {
            // One that cannot be read lets its job run twice at the most.
            state.returned[JobID(job)] = bytes.withUnsafeBytes { StoredReservation(reading: $0) }
        }
        let totals = try self.next { (reply) throws(StorageError) in
            try reply.items { (number) throws(StorageError) in try number.storedNumber() ?? 0 }
        }
        guard totals.count == 2 else { throw .incompatible("Redis answered too few counters") }
        state.counters = JobCounters(processed: totals[0], failures: totals[1])
        for set in JobSet.allCases {
            state.setCounts[set] = try self.next { (reply) throws(StorageError) in try reply.number() }
        }
        for segment in 0..<OutcomeLog.segmentCount {
            state.outcomeByteCounts[segment] = try self.next { (reply) throws(StorageError) in try reply.number() }
        }
    }

    private func readQueuesAndLanes(into state: inout StoredState) throws(StorageError) {
        let sessions = Array(state.sessions.keys)
        var commands = RedisCommandBuffer()
        for queue in state.queues {
            commands.begin("LLEN", argumentCount: 1)
            commands.append(self.keys.queue(queue.name))
        }
        for session in sessions {
            commands.begin("HGETALL", argumentCount: 1)
            commands.append(self.keys.session(session))
            commands.begin("HGETALL", argumentCount: 1)
            commands.append(self.keys.progress(session))
        }
        guard commands.commandCount > 0 else { return }

        try self.link.send(commands)
        for index in state.queues.indices {
            state.queues[index].entryCount = try self.next { (reply) throws(StorageError) in try reply.number() }
        }
        for session in sessions {
            for (lane, bytes) in try self.nextFields() {
                let record = bytes.withUnsafeBytes { LaneRecord(reading: $0) }
                guard let number = UInt16(lane), let record else {
                    let key = self.keys.session(session)
                    throw .incompatible(
                        "the field \(lane) of \(key) fails its checksum; without it a batch may run twice"
                    )
                }
                state.lanes[LaneKey(session: session, lane: number)] = record
            }
            try self.readProgress(of: session, into: &state)
        }
    }

    private func readProgress(of session: SessionID, into state: inout StoredState) throws(StorageError) {
        for (field, bytes) in try self.nextFields() {
            let record = bytes.withUnsafeBytes { bytes in SealedRecord.body(of: bytes).map { Array($0) } }
            guard let key = ProgressKey(reading: field, of: session), let record else {
                let hash = self.keys.progress(session)
                throw .incompatible(
                    "the field \(field) of \(hash) fails its checksum; without it a command may run twice"
                )
            }
            state.progress[key] = record
        }
    }

    private func reservations() throws(StorageError) -> [(jobID: JobID, reservation: StoredReservation)] {
        var reservations: [(jobID: JobID, reservation: StoredReservation)] = []
        while true {
            let members = try self.reads.ranked(self.keys.working, from: reservations.count, count: Self.sliceCount)
            let jobs = members.map(\.jobID)
            let held = try self.reads.lookUp(jobs, by: "HMGET", in: self.keys.reservations) {
                (item) throws(StorageError) in
                item.withBytes { StoredReservation(reading: $0) }
            }
            for (index, member) in members.enumerated() {
                let reservation = (held[index] ?? nil) ?? .surviving(until: member.score)
                reservations.append((member.jobID, reservation))
            }
            if members.count < Self.sliceCount { return reservations }
        }
    }

    /// What the closure makes of the next reply.
    private func next<Answer>(
        _ transform: (RedisReplyView) throws(StorageError) -> Answer
    ) throws(StorageError) -> Answer {
        try self.link.nextReply().withView(transform)
    }

    /// Fields and values, as `HGETALL` answers them.
    private func nextFields() throws(StorageError) -> [(field: String, value: [UInt8])] {
        try self.next { (reply) throws(StorageError) in
            try reply.pairs { (field, value) throws(StorageError) in
                (try field.text(), try value.storedBytes() ?? [])
            }
        }
    }
}

extension StoredReservation {
    /// What is left of a reservation whose record is unreadable: its job is worked on, and tried again from then on.
    static func surviving(until expiry: WallTime) -> StoredReservation {
        StoredReservation(worker: "", reservedAt: expiry, expiresAt: expiry, lane: nil, offer: 0, request: 0)
    }
}
