import ClusterLink
import DequeModule
import JobCore

/// Long tasks under way: each is carried out a slice at a time, in turns of its own, between the commands.
struct TaskBoard {
    /// Who waits for a task that a command began.
    struct Asker {
        let lane: LaneKey
        let request: UInt64
    }

    enum Work {
        /// A tick of a scheduler; `moved` jobs so far.
        case tick(SchedulerTask, number: UInt64, peer: LinkPeer, moved: Int)
        /// MUTATE: the jobs that were named, from this one on.
        case mutateNamed(Mutation, [JobID], next: Int, Asker)
        /// MUTATE: whatever matches, from this cursor on.
        case mutateMatching(Mutation, cursor: UInt64, Asker)
        /// MUTATE: those of these jobs that match, and then whatever matches from the cursor on, if there is one.
        case mutateFound(Mutation, [JobID], cursor: UInt64?, Asker)
        /// QUEUE REMOVE: these queues, the last first; `left` jobs of it are still to go.
        case removeQueues([QueueName], left: Int?, Asker)
        case latency([String], Asker)
        case flush(Asker)
    }

    /// What INFO tells of a task.
    struct Statistics {
        var cycles: UInt64 = 0
        var moved: UInt64 = 0
        var duration: Duration = .zero
    }

    /// How many tasks may wait; a command beyond it is refused.
    static let bound = 10_000

    private(set) var pending: Deque<Work> = []
    private(set) var statistics: [SchedulerTask: Statistics] = [:]

    var isFull: Bool { self.pending.count >= Self.bound }

    mutating func add(_ work: Work) {
        self.pending.append(work)
    }

    mutating func next() -> Work? {
        self.pending.popFirst()
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
