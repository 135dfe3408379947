package import ClusterLink
import JobCore
package import Logging
import ServiceLifecycle
import Synchronization

/// The scheduler role: tells the leader when a task is due, and reads and keeps nothing.
///
/// Several may run: the leader does not begin a task that is under way. Ticks are few and go to every manager; those that
/// do not lead drop them, so that nobody needs to know who does.
package final class SchedulerService: Service {
    /// How often the schedule is looked at, at the least: an answer makes a task due before its tick counts as lost.
    private static let longestSleep = Duration.milliseconds(50)

    private let links: [any PeerLink]
    private let intervals: [SchedulerTask: Duration]
    private let logger: Logger
    private let schedule: Mutex<TickSchedule>

    /// - Parameter links: one to each manager, whichever leads.
    package init(links: [any PeerLink], intervals: [SchedulerTask: Duration], logger: Logger) {
        self.links = links
        self.intervals = intervals
        self.logger = logger
        self.schedule = Mutex(TickSchedule(intervals: intervals, at: Self.now))
    }

    package func run() async throws {
        defer { for link in self.links { link.close() } }
        for link in self.links { try link.start { [self] bytes in self.receive(bytes) } }
        self.logger.info("scheduling", metadata: ["tasks": "\(self.intervals.count)"])
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                let now = Self.now
                let ticks = self.schedule.withLock { $0.ticks(at: now) }
                for tick in ticks { self.send(.tick(tick.task, number: tick.number)) }
                try? await Task.sleep(for: Self.longestSleep)
            }
        }
    }

    private func send(_ message: MessageToLeader) {
        let bytes = message.encoded()
        for link in self.links { link.send(bytes) }
    }

    private func receive(_ bytes: UnsafeRawBufferPointer) {
        guard case .tickDone(let task, let number, let count) = try? MessageFromLeader(decoding: bytes) else { return }
        self.schedule.withLock { $0.finish(task, number: number) }
        if count > 0 {
            self.logger.info("jobs were moved", metadata: ["task": "\(task)", "count": "\(count)"])
        }
    }

    private static var now: Uptime {
        Uptime(nanoseconds: (ContinuousClock.now - ContinuousClock.Instant.origin).nanoseconds)
    }
}

extension ContinuousClock.Instant {
    /// Some moment that stays the same while the process runs.
    fileprivate static let origin = ContinuousClock.now
}

extension Duration {
    fileprivate var nanoseconds: Int64 {
        let (seconds, attoseconds) = self.components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
