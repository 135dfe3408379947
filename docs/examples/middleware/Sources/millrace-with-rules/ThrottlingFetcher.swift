import JobCore
import Manager

/// Lets only so many jobs of a queue be worked on at a time.
///
/// A queue that has reached its limit is passed over as if it were empty; the worker gets a job of its other queues. A
/// place is taken with the job and given back by the lease, when the job is acknowledged, fails, expires or goes back.
///
/// Leases are not stored: after a restart of the manager, jobs that were being worked on before it do not count.
final class ThrottlingFetcher: Fetcher {
    private let limits: [String: Int]
    private var taken: [QueueName: Int] = [:]

    init(limits: [String: Int]) {
        self.limits = limits
    }

    func fetch(for worker: WorkerID, from queues: [QueueName], in source: any JobSource) -> (any Lease)? {
        for queue in queues {
            let limit = self.limits[queue.text]
            if let limit, self.taken[queue, default: 0] >= limit { continue }
            guard let lease = source.take(from: queue) else { continue }
            guard limit != nil else { return lease }
            self.taken[queue, default: 0] += 1
            return ThrottledLease(job: lease.job) { self.taken[queue, default: 1] -= 1 }
        }
        return nothing
    }
}

/// A job and the place that it takes.
final class ThrottledLease: Lease {
    let job: Job
    private let giveBack: () -> Void

    init(job: Job, giveBack: @escaping () -> Void) {
        self.job = job
        self.giveBack = giveBack
    }

    func release() {
        self.giveBack()
    }
}
