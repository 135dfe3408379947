package import JobCore

/// The three sorted sets that hold jobs which are neither enqueued nor being worked on.
package enum JobSet: String, Hashable, Sendable, CaseIterable {
    /// Jobs that wait for their time; the score is that time.
    case scheduled
    /// Failed jobs that wait for their next try; the score is its time.
    case retries
    /// Jobs that will not be tried again; the score is the time at which they are purged.
    case dead
}

/// One entry of a queue's list.
///
/// An entry counts only while the job's record carries the same token, so that a job that was
/// deleted and pushed again under its jid never runs from its old entry as well.
package struct QueueEntry: Hashable, Sendable {
    /// Given anew each time a job enters a queue; never given twice in one data set.
    package var token: UInt64
    package var jobID: JobID

    package init(token: UInt64, jobID: JobID) {
        self.token = token
        self.jobID = jobID
    }
}

/// What the store keeps of a live job.
package struct StoredJob: Hashable, Sendable {
    /// The token of the queue entry that counts; 0 while the job was never in a queue.
    package var token: UInt64
    /// The job's JSON, byte for byte.
    package var payload: [UInt8]

    package init(token: UInt64, payload: [UInt8]) {
        self.token = token
        self.payload = payload
    }
}

/// What reading a job's record came to.
package enum JobRecord: Hashable, Sendable {
    case job(StoredJob)
    /// There is no such job.
    case missing
    /// The bytes do not match their checksum: a bit was flipped on the way to the disk or back.
    case corrupt([UInt8])
}

/// A job that was handed out, as the store keeps it.
package struct StoredReservation: Hashable, Sendable {
    package var worker: String
    package var reservedAt: WallTime
    package var expiresAt: WallTime
    /// The lane on which the job was offered; nil for a job that was reserved through the API.
    package var lane: LaneKey?
    /// The number of the offer in that lane.
    package var offer: UInt64
    /// The FETCH that it answers.
    package var request: UInt64
    /// Where the job came from, so that it can go back there unread; nil in what earlier versions wrote.
    package var origin: Origin?
    /// What becomes of the job's lock; nil for a job that has none.
    package var lock: ReservedLock?

    /// The place in a queue from which a job was taken.
    package struct Origin: Hashable, Sendable {
        package var queue: QueueName
        /// The token of the entry, 0 for a job that was in no queue.
        package var token: UInt64

        package init(queue: QueueName, token: UInt64) {
            self.queue = queue
            self.token = token
        }
    }

    package init(
        worker: String,
        reservedAt: WallTime,
        expiresAt: WallTime,
        lane: LaneKey?,
        offer: UInt64,
        request: UInt64,
        origin: Origin? = nil,
        lock: ReservedLock? = nil
    ) {
        self.worker = worker
        self.reservedAt = reservedAt
        self.expiresAt = expiresAt
        self.lane = lane
        self.offer = offer
        self.request = request
        self.origin = origin
        self.lock = lock
    }
}

/// The lock of a job that is handed out.
package struct ReservedLock: Hashable, Sendable {
    package let name: [UInt8]
    /// Nil for a lock that the job holds until it has succeeded; otherwise when it would end, should the job come back.
    package let until: WallTime?

    package init(_ name: [UInt8], until: WallTime?) {
        self.name = name
        self.until = until
    }
}

/// A queue as the store knows it.
package struct StoredQueue: Hashable, Sendable {
    package var name: QueueName
    /// Entries in the list, those that no longer count included.
    package var entryCount: Int

    package init(name: QueueName, entryCount: Int) {
        self.name = name
        self.entryCount = entryCount
    }
}

/// The counters that INFO shows.
package struct JobCounters: Hashable, Sendable {
    /// Executions that ended, well or not.
    package var processed: UInt64
    /// Executions that failed.
    package var failures: UInt64

    package init(processed: UInt64 = 0, failures: UInt64 = 0) {
        self.processed = processed
        self.failures = failures
    }
}

/// Everything that a leader must know before it serves its first command.
///
/// It grows with what is under way (reservations, sessions, lanes) and with the number of queues, and with nothing that
/// is stored: no payload is in it, and no name of a job that waits.
package struct StoredState: Sendable {
    package var position: Position
    /// The greatest token given so far.
    package var lastToken: UInt64
    package var queues: [StoredQueue]
    /// Names of paused queues, those that never had a job included.
    package var pausedQueues: [QueueName]
    package var setCounts: [JobSet: Int]
    package var counters: JobCounters
    package var reservations: [(jobID: JobID, reservation: StoredReservation)]
    package var lanes: [LaneKey: LaneRecord]
    /// Of commands that take many turns: how far they have come, or what became of them.
    package var progress: [ProgressKey: [UInt8]]
    /// Sessions that were attached, and their names.
    package var sessions: [SessionID: String]
    /// Workers that were told to be quiet or to terminate.
    package var workerStates: [WorkerID: WorkerState]
    /// Workers that are known to beat for as long as they live.
    package var beatingWorkers: Set<WorkerID>
    /// When the workers of a job vanished with it, in whole microseconds; few jobs have had that.
    package var crashes: [JobID: [WallTime]]
    /// Reservations of jobs that were taken back although their workers may have them.
    package var returned: [JobID: StoredReservation]
    /// How many bytes each segment of the log of outcomes has.
    package var outcomeByteCounts: [Int]

    /// How many jobs there are, entries that no longer count included.
    package var jobCount: Int {
        self.queues.reduce(0) { $0 + $1.entryCount } + self.setCounts.values.reduce(0, +) + self.reservations.count
    }

    package init(position: Position) {
        self.position = position
        self.lastToken = 0
        self.queues = []
        self.pausedQueues = []
        self.setCounts = [:]
        self.counters = JobCounters()
        self.reservations = []
        self.lanes = [:]
        self.progress = [:]
        self.sessions = [:]
        self.workerStates = [:]
        self.beatingWorkers = []
        self.crashes = [:]
        self.returned = [:]
        self.outcomeByteCounts = Array(repeating: 0, count: OutcomeLog.segmentCount)
    }
}

/// A member of a sorted set.
package struct SetMember: Hashable, Sendable {
    package var jobID: JobID
    package var score: WallTime

    package init(jobID: JobID, score: WallTime) {
        self.jobID = jobID
        self.score = score
    }
}
