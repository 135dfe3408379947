/// How often the scheduler lets the leader look after what is not on the command path.
package struct SchedulerSection: Sendable, Equatable {
    static let intervalRange: ClosedRange<Duration> = .milliseconds(10)...(.seconds(3_600))

    /// Between two looks for scheduled jobs that are due.
    package var scheduledInterval = Duration.milliseconds(250)
    /// Between two looks for failed jobs that are due again.
    package var retriesInterval = Duration.milliseconds(250)
    /// Between two looks for reservations that ran out.
    package var reapInterval = Duration.seconds(5)
    /// Between two clearings of dead jobs past their keeping.
    package var purgeInterval = Duration.seconds(60)
    /// Between two looks for workers that went silent.
    package var workersInterval = Duration.seconds(15)

    package init() {}

    /// What is wrong with the values of this group.
    package func problems() -> [SettingProblem] {
        [
            SettingProblem.outside(Self.intervalRange, "scheduler.scheduled_interval", self.scheduledInterval),
            .outside(Self.intervalRange, "scheduler.retries_interval", self.retriesInterval),
            .outside(Self.intervalRange, "scheduler.reap_interval", self.reapInterval),
            .outside(Self.intervalRange, "scheduler.purge_interval", self.purgeInterval),
            .outside(Self.intervalRange, "scheduler.workers_interval", self.workersInterval),
        ].compactMap { $0 }
    }
}
