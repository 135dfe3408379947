public import JobCore
import JobStorage

/// A job that was handed out, and until when its worker may take.
///
/// It lasts until the job is acknowledged, fails, or the time is over.
public final class Reservation {
    /// The job as it was handed out.
    ///
    /// Middleware is only shown reservations whose job is in memory.
    public var job: Job {
        guard let job = self.readJob else { preconditionFailure("the job of \(self.jobID) was not read") }
        return job
    }
    /// When the job was handed out (`ReservedAt` of the Manager API).
    public let reservedAt: WallTime
    /// When it counts as failed unless it was acknowledged (`ExpiresAt` of the Manager API).
    public internal(set) var expiresAt: WallTime
    /// The same by the clock that nobody sets.
    var endsAt: Uptime
    /// The worker process; empty for a connection that named none.
    public let worker: WorkerID

    let jobID: JobID
    /// The job, unless an earlier leader handed it out and nothing has needed it since.
    private(set) var readJob: Job?
    /// The queue and the entry through which the job came; nil as long as that stands only in a job that was not read.
    private(set) var origin: StoredReservation.Origin?
    /// Where the job was offered; nil when it is known to have arrived though an earlier one of its lane has not.
    private(set) var offer: Offer?
    /// What becomes of the job's lock; nil for a job that has none.
    var lock: ReservedLock?
    /// What the fetcher holds for this job.
    var lease: (any Lease)?

    struct Offer {
        let lane: LaneKey
        let number: UInt64
        let request: UInt64
    }

    init(
        job: Job,
        worker: WorkerID,
        reservedAt: WallTime,
        expiresAt: WallTime,
        endsAt: Uptime,
        token: UInt64,
        offer: Offer?,
        lease: (any Lease)?
    ) {
        self.jobID = job.id
        self.readJob = job
        self.origin = StoredReservation.Origin(queue: job.queue, token: token)
        self.worker = worker
        self.reservedAt = reservedAt
        self.expiresAt = expiresAt
        self.endsAt = endsAt
        self.offer = offer
        self.lease = lease
    }

    /// A reservation whose job stays in the store until it is needed.
    init(unread jobID: JobID, _ stored: StoredReservation, endsAt: Uptime) {
        self.jobID = jobID
        self.origin = stored.origin
        self.worker = WorkerID(stored.worker)
        self.reservedAt = stored.reservedAt
        self.expiresAt = stored.expiresAt
        self.endsAt = endsAt
        self.lock = stored.lock
        self.offer = stored.lane.map { Offer(lane: $0, number: stored.offer, request: stored.request) }
    }

    /// Whether the job is in memory.
    var isRead: Bool { self.readJob != nil }

    /// The token of the queue entry through which the job came.
    var token: UInt64 { self.origin?.token ?? 0 }

    /// The job is in the store, and not kept here.
    func letGo() {
        self.readJob = nil
    }

    /// The job was read from the store, whose record has this token.
    func read(_ job: Job, token: UInt64) {
        self.readJob = job
        if self.origin == nil { self.origin = StoredReservation.Origin(queue: job.queue, token: token) }
    }

    /// The job has reached its worker.
    func noteDelivery() {
        self.offer = nil
    }

    /// What the store keeps of it.
    var stored: StoredReservation {
        StoredReservation(
            worker: self.worker.text,
            reservedAt: self.reservedAt,
            expiresAt: self.expiresAt,
            lane: self.offer?.lane,
            offer: self.offer?.number ?? 0,
            request: self.offer?.request ?? 0,
            origin: self.origin,
            lock: self.lock
        )
    }
}
