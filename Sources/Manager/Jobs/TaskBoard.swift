import ClusterLink
import DequeModule
import JobCore
import JobStorage

/// Long tasks under way: each is carried out a slice at a time, in turns of its own, between the commands.
struct TaskBoard {
    /// Who waits for a task that a command began.
    struct Asker {
        let lane: LaneKey
        let request: UInt64
        /// How many bytes of the command are kept until it is done.
        var byteCount = 0

        /// Under which the progress of the command is stored.
        var progressKey: ProgressKey { ProgressKey(lane: self.lane, request: self.request, part: 0) }
    }

    enum Work {
        /// A tick of a scheduler; `moved` jobs so far.
        case tick(SchedulerTask, number: UInt64, peer: LinkPeer, moved: Int)
        /// MUTATE: the jobs that are named and not done yet.
        case mutateNamed(Mutation, NamedJobs, Asker)
        /// MUTATE: whatever matches, from this cursor on.
        case mutateMatching(Mutation, cursor: UInt64, Asker)
        /// MUTATE: those of these jobs that match, and then whatever matches from the cursor on, if there is one.
        case mutateFound(Mutation, [JobID], cursor: UInt64?, Asker)
        /// QUEUE REMOVE: of these queues, the last first, what has entered them up to that token.
        case removeQueues([QueueName], through: UInt64, Asker)
        case pushBulk(BulkPush, Asker)
        /// QUEUE LATENCY: of these queues, the last first, with the members of the answer so far.
        case latency([String], [UInt8], Asker)
        case flush(Asker)

        /// The command that began it; nil for a tick.
        var asker: Asker? {
            switch self {
            case .tick: nil
            case .mutateNamed(_, _, let asker), .mutateMatching(_, _, let asker), .mutateFound(_, _, _, let asker),
                .removeQueues(_, _, let asker), .pushBulk(_, let asker), .latency(_, _, let asker), .flush(let asker):
                asker
            }
        }
    }

    /// What INFO tells of a task.
    struct Statistics {
        var cycles: UInt64 = 0
        var moved: UInt64 = 0
        var duration: Duration = .zero
    }

    /// How many tasks may wait; a command beyond it is refused.
    static let bound = 10_000
    /// How many bytes of commands may wait with them, one command beyond it excepted.
    static let byteBound = 256 << 20

    private(set) var pending: Deque<Work> = []
    private(set) var statistics: [SchedulerTask: Statistics] = [:]
    /// How many bytes of commands wait.
    private var byteCount = 0

    /// Whether the task of one more command may wait.
    var hasRoom: Bool { self.pending.count < Self.bound && self.byteCount < Self.byteBound }

    mutating func add(_ work: Work) {
        self.byteCount += work.asker?.byteCount ?? 0
        self.pending.append(work)
    }

    mutating func next() -> Work? {
        guard let work = self.pending.popFirst() else { return nil }
        self.byteCount -= work.asker?.byteCount ?? 0
        return work
    }

    /// Whether a tick of this kind is being carried out.
    func isTicking(_ task: SchedulerTask) -> Bool {
        self.pending.contains { work in
            if case .tick(task, _, _, _) = work { return true }
            return false
        }
    }

    mutating func note(_ task: SchedulerTask, moved: Int, isCycle: Bool, took duration: Duration) {
        self.statistics[task, default: Statistics()].moved += UInt64(moved)
        self.statistics[task, default: Statistics()].duration += duration
        if isCycle { self.statistics[task, default: Statistics()].cycles += 1 }
    }
}
