import JobCore

/// All that a data set holds, as plain values; what Redis is to the other store.
struct StoredJobs {
    private(set) var position = Position(epoch: Epoch(0), sequence: 0)
    private var lastToken: UInt64 = 0
    private(set) var jobs: [JobID: StoredJob] = [:]
    private(set) var lists: [QueueName: QueueEntryList] = [:]
    private var knownQueues: Set<QueueName> = []
    private var pausedQueues: Set<QueueName> = []
    private var reservations: [JobID: StoredReservation] = [:]
    /// The jobs of ``reservations`` by their expiry.
    private(set) var working = SortedJobSet()
    private(set) var sets: [JobSet: SortedJobSet] = [:]
    private var counters = JobCounters()
    private(set) var dailyCounters: [String: JobCounters] = [:]
    private var lanes: [LaneKey: LaneRecord] = [:]
    private var progress: [ProgressKey: [UInt8]] = [:]
    private var sessions: [SessionID: String] = [:]
    private var workerStates: [WorkerID: WorkerState] = [:]
    private var beatingWorkers: Set<WorkerID> = []
    private var crashes: [JobID: [WallTime]] = [:]
    private var returned: [JobID: StoredReservation] = [:]
    private(set) var tables: [Table: [[UInt8]: TableRecord]] = [:]
    /// The segments of the log of outcomes; nothing here forgets one when its time is over.
    private(set) var outcomes = Array(repeating: [UInt8](), count: OutcomeLog.segmentCount)
    private(set) var keyValues: [String: [UInt8]] = [:]
    private(set) var redisCommands: [[[UInt8]]] = []
    private(set) var quarantined: [JobID: [UInt8]] = [:]

    func record(of job: JobID) -> JobRecord {
        self.jobs[job].map { .job($0) } ?? .missing
    }

    /// What a leader that begins must know.
    var state: StoredState {
        var state = StoredState(position: self.position)
        state.lastToken = self.lastToken
        state.queues = self.knownQueues.map { StoredQueue(name: $0, entryCount: self.lists[$0]?.count ?? 0) }
        state.pausedQueues = Array(self.pausedQueues)
        for set in JobSet.allCases { state.setCounts[set] = self.sets[set]?.count ?? 0 }
        state.counters = self.counters
        state.reservations = self.reservations.map { ($0.key, $0.value) }
        state.lanes = self.lanes.filter { self.sessions[$0.key.session] != nil }
        state.progress = self.progress
        state.sessions = self.sessions
        state.workerStates = self.workerStates
        state.beatingWorkers = self.beatingWorkers
        state.crashes = self.crashes
        state.returned = self.returned
        state.outcomeByteCounts = self.outcomes.map(\.count)
        return state
    }

    mutating func apply(_ transaction: StorageTransaction) {
        if transaction.flushesEverything { self.flush() }
        self.applyJobs(of: transaction)
        self.applyQueues(of: transaction)
        self.applySets(of: transaction)
        self.applyReservations(of: transaction)
        self.applyCounters(of: transaction)
        self.applySessions(of: transaction)
        self.applyRest(of: transaction)
        self.position = transaction.position
        self.lastToken = transaction.lastToken
    }

    private mutating func flush() {
        self.jobs = [:]
        self.lists = [:]
        self.knownQueues = []
        self.pausedQueues = []
        self.reservations = [:]
        self.working = SortedJobSet()
        self.sets = [:]
        self.counters = JobCounters()
        self.dailyCounters = [:]
        self.workerStates = [:]
        self.beatingWorkers = []
        self.crashes = [:]
        self.returned = [:]
        for table in Table.allCases where table.isFlushed { self.tables[table] = nil }
        self.outcomes = Array(repeating: [], count: OutcomeLog.segmentCount)
    }

    private mutating func applyJobs(of transaction: StorageTransaction) {
        for (job, change) in transaction.jobs {
            switch change {
            case .store(let stored): self.jobs[job] = stored
            case .remove: self.jobs[job] = nil
            }
        }
    }

    private mutating func applyQueues(of transaction: StorageTransaction) {
        for (name, changes) in transaction.queues {
            var list = changes.isCleared ? QueueEntryList() : self.lists[name] ?? QueueEntryList()
            list.append(contentsOf: changes.appended)
            for change in changes.headChanges {
                switch change {
                case .take(let count): list.take(count)
                case .giveBack(let entries): list.giveBack(entries)
                }
            }
            self.lists[name] = list.count == 0 ? nil : list
        }
        for (name, isKnown) in transaction.knownQueues {
            if isKnown { self.knownQueues.insert(name) } else { self.knownQueues.remove(name) }
        }
        for (name, isPaused) in transaction.pausedQueues {
            if isPaused { self.pausedQueues.insert(name) } else { self.pausedQueues.remove(name) }
        }
    }

    private mutating func applySets(of transaction: StorageTransaction) {
        for set in transaction.clearedSets { self.sets[set] = nil }
        for (set, moves) in transaction.sets {
            for (job, time) in moves { self.sets[set, default: SortedJobSet()].move(job, to: time) }
        }
    }

    private mutating func applyReservations(of transaction: StorageTransaction) {
        for (job, change) in transaction.reservations {
            switch change {
            case .hold(let reservation):
                self.reservations[job] = reservation
                self.working.move(job, to: reservation.expiresAt)
            case .release:
                self.reservations[job] = nil
                self.working.move(job, to: nil)
            }
        }
    }

    private mutating func applyCounters(of transaction: StorageTransaction) {
        guard transaction.processed > 0 || transaction.failures > 0 else { return }
        self.counters.processed += transaction.processed
        self.counters.failures += transaction.failures
        self.dailyCounters[transaction.day, default: JobCounters()].processed += transaction.processed
        self.dailyCounters[transaction.day, default: JobCounters()].failures += transaction.failures
    }

    private mutating func applySessions(of transaction: StorageTransaction) {
        for (lane, record) in transaction.lanes { self.lanes[lane] = record }
        for (key, record) in transaction.progress { self.progress[key] = record }
        for (session, name) in transaction.sessions {
            self.sessions[session] = name
            guard name == nil else { continue }
            self.lanes = self.lanes.filter { $0.key.session != session }
            self.progress = self.progress.filter { $0.key.lane.session != session }
        }
    }

    private mutating func applyRest(of transaction: StorageTransaction) {
        for (worker, state) in transaction.workerStates { self.workerStates[worker] = state }
        for (worker, isBeating) in transaction.beatingWorkers {
            if isBeating { self.beatingWorkers.insert(worker) } else { self.beatingWorkers.remove(worker) }
        }
        for (job, times) in transaction.crashes { self.crashes[job] = times?.map(\.roundedToScore) }
        for (job, reservation) in transaction.returned { self.returned[job] = reservation }
        for (table, records) in transaction.tables {
            for (name, record) in records { self.tables[table, default: [:]][name] = record }
        }
        if let change = transaction.outcomes {
            if change.beginsFor != nil { self.outcomes[change.segment].removeAll() }
            self.outcomes[change.segment] += change.bytes
        }
        for (key, value) in transaction.keyValues { self.keyValues[key] = value }
        self.redisCommands += transaction.redisCommands
        self.quarantined.merge(transaction.quarantined) { _, latest in latest }
    }
}
