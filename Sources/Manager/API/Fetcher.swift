public import JobCore

/// Decides from which queue the next job for a worker is taken.
///
/// The manager asks whenever a worker fetches, and again for a waiting worker whenever a job has come to one of its
/// queues, or the lease on a job of one of them was released. A fetcher runs in the leader's loop: it must not wait
/// for anything.
public protocol Fetcher: AnyObject {
    /// A lease on the next job for this worker, or `nothing` when it is to have none now.
    ///
    /// A fetcher calls `source.take(from:)` at most once, and returns what it got.
    func fetch(for worker: WorkerID, from queues: [QueueName], in source: any JobSource) -> (any Lease)?
}

/// The queues, as a fetcher sees them.
public protocol JobSource {
    /// Whether a job could be taken from this queue now.
    func hasJobs(in queue: QueueName) -> Bool

    /// Takes the oldest job of a queue that is not paused; nil when there is none.
    func take(from queue: QueueName) -> (any Lease)?
}

/// A fetcher's hold on a job, for as long as the job is reserved.
///
/// `release` is called once: when the job is acknowledged, fails, expires, or goes back to its queue. A lease is
/// not stored, so that a reservation that outlived its leader has none.
public protocol Lease: AnyObject {
    /// The job.
    var job: Job { get }

    /// Gives back whatever the fetcher holds for this job.
    func release()
}

/// What a fetcher returns when there is no job (`Nothing` of the Manager API).
public var nothing: (any Lease)? { nil }

/// Takes the oldest job of the first queue that has one, in the order in which the worker named them.
public final class BasicFetch: Fetcher {
    public init() {}

    public func fetch(for worker: WorkerID, from queues: [QueueName], in source: any JobSource) -> (any Lease)? {
        for queue in queues {
            if let lease = source.take(from: queue) { return lease }
        }
        return nothing
    }
}

/// A lease with nothing to release.
final class SimpleLease: Lease {
    let job: Job
    let token: UInt64

    init(job: Job, token: UInt64) {
        self.job = job
        self.token = token
    }

    func release() {}
}
