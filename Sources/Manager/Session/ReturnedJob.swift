import JobCore
import JobStorage

/// What is remembered of a reservation that ended with its front, before it was known whether the worker had the job, or
/// because its worker was taken to be gone.
///
/// It is kept in memory alone: a leader that takes over at that very moment lets the job run twice, and loses nothing.
struct ReturnedJob {
    /// How many are remembered; with so many, all are forgotten.
    static let bound = 65_536

    let queue: QueueName
    /// The token of the entry through which the job lies in its queue.
    let token: UInt64
    let worker: WorkerID
    let reservedAt: WallTime

    init(ending reservation: Reservation, from origin: StoredReservation.Origin) {
        self.queue = origin.queue
        self.token = origin.token
        self.worker = reservation.worker
        self.reservedAt = reservation.reservedAt
    }
}
