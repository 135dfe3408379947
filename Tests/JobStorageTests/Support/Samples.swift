public import JobCore
import JobStorage

extension StorageTransaction {
    static let sampleDay = "2026-03-01"

    /// A turn of a leader that does what the closure writes down.
    static func turn(
        _ sequence: UInt64,
        epoch: UInt64 = 1,
        day: String = Self.sampleDay,
        _ fill: (inout StorageTransaction) -> Void = { _ in }
    ) -> StorageTransaction {
        let position = Position(epoch: Epoch(epoch), sequence: sequence)
        var transaction = StorageTransaction(position: position, lastToken: sequence, day: day)
        fill(&transaction)
        return transaction
    }

    /// A job is stored, with its jid for a payload, and joins a queue.
    mutating func enqueue(_ job: JobID, token: UInt64, to queue: QueueName) {
        self.store(job, .sample(job.text, token: token))
        self.queues[queue, default: QueueChanges()].append(QueueEntry(token: token, jobID: job))
    }
}

extension QueueChanges {
    mutating func take(_ count: Int) {
        for _ in 0..<count { self.take() }
    }
}

extension StoredJob {
    static func sample(_ payload: String, token: UInt64 = 1) -> StoredJob {
        StoredJob(token: token, payload: Array(payload.utf8))
    }
}

extension JobRecord {
    /// The token of a job that is there.
    var token: UInt64? {
        guard case .job(let job) = self else { return nil }
        return job.token
    }
}

extension StoredReservation {
    static func sample(worker: String, expiringAt expiry: WallTime = .microseconds(1_800)) -> StoredReservation {
        StoredReservation(
            worker: worker,
            reservedAt: .microseconds(0),
            expiresAt: expiry,
            lane: nil,
            offer: 0,
            request: 0
        )
    }
}

extension WallTime {
    static func microseconds(_ count: Int64) -> WallTime {
        WallTime(nanosecondsSinceEpoch: count * 1_000)
    }
}

extension JobID: ExpressibleByStringInterpolation {
    public init(stringLiteral text: String) {
        self.init(text)
    }
}

extension QueueName: ExpressibleByStringInterpolation {
    public init(stringLiteral text: String) {
        do {
            try self.init(parsing: text)
        } catch {
            preconditionFailure("\(text) is no name of a queue: \(error)")
        }
    }
}
