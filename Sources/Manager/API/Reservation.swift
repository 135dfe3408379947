public import JobCore
import JobStorage

/// A job that was handed out, and until when its worker may take.
///
/// It lasts until the job is acknowledged, fails, or the time is over.
public final class Reservation {
    /// The job as it was handed out.
    public let job: Job
    /// When the job was handed out (`ReservedAt` of the Manager API).
    public let reservedAt: WallTime
    /// When it counts as failed unless it was acknowledged (`ExpiresAt` of the Manager API).
    public internal(set) var expiresAt: WallTime
    /// The same by the clock that nobody sets.
    var endsAt: Uptime
    /// The worker process; empty for a connection that named none.
    public let worker: WorkerID

    /// The token of the queue entry through which the job came.
    let token: UInt64
    /// Where the job was offered.
    let offer: Offer?
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
        self.job = job
        self.worker = worker
        self.reservedAt = reservedAt
        self.expiresAt = expiresAt
        self.endsAt = endsAt
        self.token = token
        self.offer = offer
        self.lease = lease
    }

    /// What the store keeps of it.
    var stored: StoredReservation {
        StoredReservation(
            worker: self.worker.text,
            reservedAt: self.reservedAt,
            expiresAt: self.expiresAt,
            lane: self.offer?.lane,
            offer: self.offer?.number ?? 0,
            request: self.offer?.request ?? 0
        )
    }
}
