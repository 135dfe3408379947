import JobCore
import JobStorage

/// What is remembered of a reservation that ended with its front, before it was known whether the worker had the job, or
/// because its worker was taken to be gone.
///
/// It is stored with the transaction that takes the job back: what a worker reports may reach the next leader.
struct ReturnedJob {
    /// How many are remembered; with so many, all are forgotten.
    static let bound = 65_536

    let queue: QueueName
    /// The token of the entry through which the job lies in its queue.
    let token: UInt64
    let worker: WorkerID
    let reservedAt: WallTime
    /// What becomes of the job's lock.
    let lock: ReservedLock?
    /// Whether an earlier leader has noted it, so that it is to be looked at what has become of the job.
    let isRestored: Bool

    init(ending reservation: Reservation, from origin: StoredReservation.Origin) {
        self.queue = origin.queue
        self.token = origin.token
        self.worker = reservation.worker
        self.reservedAt = reservation.reservedAt
        self.lock = reservation.lock
        self.isRestored = false
    }

    /// Reads what `stored` writes; nil when it does not say where the job went.
    init?(restoring stored: StoredReservation) {
        guard let origin = stored.origin else { return nil }
        self.queue = origin.queue
        self.token = origin.token
        self.worker = WorkerID(stored.worker)
        self.reservedAt = stored.reservedAt
        self.lock = stored.lock
        self.isRestored = true
    }

    /// What the store keeps of it: a reservation that has ended, and was on no lane.
    var stored: StoredReservation {
        StoredReservation(
            worker: self.worker.text,
            reservedAt: self.reservedAt,
            expiresAt: self.reservedAt,
            lane: nil,
            offer: 0,
            request: 0,
            origin: StoredReservation.Origin(queue: self.queue, token: self.token),
            lock: self.lock
        )
    }
}
