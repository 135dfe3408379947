package import ClusterLink
package import JobCore

/// Decides when each task is due: an interval after it was last begun, and never while it is under way.
package struct TickSchedule: Sendable {
    /// A task that the leader is to carry out.
    package struct Tick: Hashable, Sendable {
        package let task: SchedulerTask
        package let number: UInt64
    }

    private struct Entry {
        let interval: Duration
        var due: Uptime
        /// The tick that is under way, and when it counts as lost.
        var underWay: (number: UInt64, lostAt: Uptime)?
    }

    /// How long the leader may take for a task before the tick is taken for lost and sent again.
    ///
    /// Short, because what is due waits for so long after a fail-over. A leader that is still at the task drops the tick.
    package static let patience = Duration.seconds(1)

    private var entries: [SchedulerTask: Entry]
    private var lastNumber: UInt64 = 0

    /// Every task is due at once.
    package init(intervals: [SchedulerTask: Duration], at now: Uptime) {
        self.entries = intervals.mapValues { Entry(interval: $0, due: now, underWay: nil) }
    }

    /// The ticks to send now, in the order of the tasks.
    package mutating func ticks(at now: Uptime) -> [Tick] {
        var ticks: [Tick] = []
        for task in SchedulerTask.allCases {
            guard var entry = self.entries[task], entry.due <= now else { continue }
            if let underWay = entry.underWay, underWay.lostAt > now { continue }
            self.lastNumber += 1
            entry.underWay = (number: self.lastNumber, lostAt: now + Self.patience)
            entry.due = now + entry.interval
            self.entries[task] = entry
            ticks.append(Tick(task: task, number: self.lastNumber))
        }
        return ticks
    }

    /// The leader has carried out a tick; an answer to an older one says nothing of the one under way.
    package mutating func finish(_ task: SchedulerTask, number: UInt64) {
        guard self.entries[task]?.underWay?.number == number else { return }
        self.entries[task]?.underWay = nil
    }
}
