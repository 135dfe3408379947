package import JobCore

/// Everything that one turn of the leader changes, as data: it happens as a whole or not at all.
///
/// The parts are kept by what they touch and not by when they were asked for. Within one
/// turn the last word on a job, a reservation or a set's member counts, which makes the order of
/// the parts among each other free.
package struct StorageTransaction: Sendable {
    package enum JobChange: Hashable, Sendable {
        case store(StoredJob)
        case remove
    }

    package enum ReservationChange: Hashable, Sendable {
        case hold(StoredReservation)
        case release
    }

    /// The position that the data has when the transaction is done.
    package var position: Position
    /// The greatest token given so far.
    package var lastToken: UInt64
    package var jobs: [JobID: JobChange] = [:]
    package var queues: [QueueName: QueueChanges] = [:]
    /// Queues that join the list of known queues, or leave it.
    package var knownQueues: [QueueName: Bool] = [:]
    package var pausedQueues: [QueueName: Bool] = [:]
    package var reservations: [JobID: ReservationChange] = [:]
    /// A score for a job that joins the set or moves in it, nil for one that leaves.
    package var sets: [JobSet: [JobID: WallTime?]] = [:]
    /// Sets that are emptied before anything joins them.
    package var clearedSets: Set<JobSet> = []
    package var processed: UInt64 = 0
    package var failures: UInt64 = 0
    /// The day that `processed` and `failures` are counted for, as YYYY-MM-DD in UTC.
    package var day: String
    package var lanes: [LaneKey: LaneRecord] = [:]
    /// How far commands have come that take many turns, and what became of them; nil forgets a record.
    package var progress: [ProgressKey: [UInt8]?] = [:]
    /// A name for a session that begins, nil for one that ends and takes all of its own along.
    package var sessions: [SessionID: String?] = [:]
    package var workerStates: [WorkerID: WorkerState?] = [:]
    /// Workers that are known to beat for as long as they live, or are so no longer.
    package var beatingWorkers: [WorkerID: Bool] = [:]
    /// When the workers of a job vanished with it; nil forgets it.
    package var crashes: [JobID: [WallTime]?] = [:]
    /// Reservations of jobs that were taken back although their workers may have them; nil forgets one.
    package var returned: [JobID: StoredReservation?] = [:]
    /// Records of the features' tables by their names; nil for one that goes.
    package var tables: [Table: [[UInt8]: TableRecord?]] = [:]
    /// What is added to the log of outcomes.
    package var outcomes: OutcomeChange?
    /// The scratch store of middleware; nil deletes.
    package var keyValues: [String: [UInt8]?] = [:]
    /// Commands of middleware, carried out last and in order, on keys of its own.
    package var redisCommands: [[[UInt8]]] = []
    /// Records whose checksum failed, put aside under their jid.
    package var quarantined: [JobID: [UInt8]] = [:]
    /// Every job, queue, set, reservation, counter, crash, outcome, worker state and table goes before anything else happens.
    package var flushesEverything = false

    package init(position: Position, lastToken: UInt64, day: String) {
        self.position = position
        self.lastToken = lastToken
        self.day = day
    }

    /// Whether there is anything to write.
    package var isEmpty: Bool {
        self.jobs.isEmpty && self.queues.isEmpty && self.knownQueues.isEmpty && self.pausedQueues.isEmpty
            && self.reservations.isEmpty && self.sets.isEmpty && self.clearedSets.isEmpty
            && self.processed == 0 && self.failures == 0 && self.lanes.isEmpty && self.sessions.isEmpty
            && self.progress.isEmpty && self.workerStates.isEmpty && self.beatingWorkers.isEmpty
            && self.crashes.isEmpty && self.returned.isEmpty && self.tables.isEmpty && self.outcomes == nil
            && self.keyValues.isEmpty && self.redisCommands.isEmpty && self.quarantined.isEmpty
            && !self.flushesEverything
    }

    /// Forgets everything and begins anew, with the memory that is there unless a large transaction left too much of it.
    package mutating func reset() {
        let keepsMemory = self.jobs.count <= Self.keptCount && self.reservations.count <= Self.keptCount
        guard keepsMemory else {
            self = StorageTransaction(position: self.position, lastToken: self.lastToken, day: self.day)
            return
        }
        self.jobs.removeAll(keepingCapacity: true)
        self.queues.removeAll(keepingCapacity: true)
        self.knownQueues.removeAll()
        self.pausedQueues.removeAll()
        self.reservations.removeAll(keepingCapacity: true)
        self.sets.removeAll()
        self.clearedSets.removeAll()
        self.processed = 0
        self.failures = 0
        self.lanes.removeAll(keepingCapacity: true)
        self.progress.removeAll()
        self.sessions.removeAll()
        self.workerStates.removeAll()
        self.beatingWorkers.removeAll()
        self.crashes.removeAll()
        self.returned.removeAll()
        self.tables.removeAll()
        self.outcomes = nil
        self.keyValues.removeAll()
        self.redisCommands.removeAll()
        self.quarantined.removeAll()
        self.flushesEverything = false
    }

    /// How many items of a kind are small enough for their memory to be kept.
    private static let keptCount = 2_048

    package mutating func store(_ job: JobID, _ stored: StoredJob) {
        self.jobs[job] = .store(stored)
    }

    package mutating func remove(_ job: JobID) {
        self.jobs[job] = .remove
    }

    package mutating func hold(_ job: JobID, _ reservation: StoredReservation) {
        self.reservations[job] = .hold(reservation)
    }

    package mutating func release(_ job: JobID) {
        self.reservations[job] = .release
    }

    package mutating func add(_ job: JobID, to set: JobSet, at score: WallTime) {
        self.sets[set, default: [:]][job] = .some(score)
    }

    package mutating func remove(_ job: JobID, from set: JobSet) {
        self.sets[set, default: [:]].updateValue(nil, forKey: job)
    }

    package mutating func put(_ record: TableRecord, under name: [UInt8], in table: Table) {
        self.tables[table, default: [:]][name] = .some(record)
    }

    package mutating func remove(_ name: [UInt8], from table: Table) {
        self.tables[table, default: [:]].updateValue(nil, forKey: name)
    }

    package mutating func clear(_ set: JobSet) {
        self.clearedSets.insert(set)
        self.sets[set] = nil
    }
}
