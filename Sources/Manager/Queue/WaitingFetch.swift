import JobCore

/// A FETCH that found nothing and waits in memory.
///
/// It stands in the line of each queue that it named until it is answered; the lines drop it when they come to it.
final class WaitingFetch {
    let lane: Lane
    let request: UInt64
    let worker: WorkerID
    let queues: [QueueName]
    /// The queues in whose lines it stands.
    var lines: [JobQueue] = []
    /// When it is answered with nothing; no earlier than it was to be at first.
    var deadline: Uptime
    /// Whether it stands in no line any more.
    var hasLeftLines = false
    /// Whether a job is being looked for, which may call middleware.
    var isBeingServed = false
    /// Whether it was answered or withdrawn.
    var isAnswered = false

    init(lane: Lane, request: UInt64, worker: WorkerID, queues: [QueueName], deadline: Uptime) {
        self.lane = lane
        self.request = request
        self.worker = worker
        self.queues = queues
        self.deadline = deadline
    }
}

/// A waiting fetch by its deadline, for the heap; each has one, which may be earlier than what its deadline is by now.
struct FetchDeadline: Comparable {
    let deadline: Uptime
    let fetch: WaitingFetch

    static func < (left: FetchDeadline, right: FetchDeadline) -> Bool {
        left.deadline < right.deadline
    }

    static func == (left: FetchDeadline, right: FetchDeadline) -> Bool {
        left.deadline == right.deadline
    }
}
