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
}

extension SchedulerSection {
    static let group = SettingGroup(
        "scheduler",
        "How often the leader is told to look after what is due.",
        [
            Setting(
                "scheduler.scheduled_interval",
                \.scheduler.scheduledInterval,
                .duration(Self.intervalRange),
                readBy: [.scheduler],
                "Scheduled jobs that are due."
            ),
            Setting(
                "scheduler.retries_interval",
                \.scheduler.retriesInterval,
                .duration(Self.intervalRange),
                readBy: [.scheduler],
                "Failed jobs that are due again."
            ),
            Setting(
                "scheduler.reap_interval",
                \.scheduler.reapInterval,
                .duration(Self.intervalRange),
                readBy: [.scheduler],
                "Reservations that ran out."
            ),
            Setting(
                "scheduler.purge_interval",
                \.scheduler.purgeInterval,
                .duration(Self.intervalRange),
                readBy: [.scheduler],
                "Dead jobs past their keeping."
            ),
            Setting(
                "scheduler.workers_interval",
                \.scheduler.workersInterval,
                .duration(Self.intervalRange),
                readBy: [.scheduler],
                "Workers that went silent."
            ),
        ]
    )
}
