import ClusterLink
import JobCore
import JobStorage
import ProcessFigures

extension JobManager {
    /// What INFO answers, in the shape that clients of Faktory read.
    func information() -> [UInt8] {
        let queues = self.knownQueues
        let statistics = self.sessions.values.map(\.statistics)
        let connectionCount = statistics.map(\.connectionCount).saturatingSum
        let commandCount = statistics.map(\.commandCount).saturatingSum
        let kilobytes = (statistics.map(\.residentKilobytes) + [UInt64(ProcessMemory.residentKilobytes ?? 0)])
            .saturatingSum
        // Like its connections, the server's age is that of what clients are connected to: a change of leader is none.
        let leading = UInt64(clamping: self.beganAt.duration(to: self.now.uptime).components.seconds)
        let uptime = statistics.compactMap(\.uptimeSeconds).max() ?? leading

        let document: JSONValue = .object([
            .init(key: "now", value: .string(self.now.wall.rfc3339)),
            .init(key: "server_utc_time", value: .string(self.now.wall.clockText)),
            .init(
                key: "faktory",
                value: .object([
                    .init(
                        key: "queues",
                        value: .object(queues.map { .init(key: $0.name.text, value: .count($0.entryCount)) })
                    ),
                    .init(key: "sets", value: self.setSizes),
                    .init(key: "tasks", value: self.taskStatistics),
                    .init(key: "total_failures", value: .number(String(self.counters.failures))),
                    .init(key: "total_processed", value: .number(String(self.counters.processed))),
                    .init(key: "total_enqueued", value: .count(queues.reduce(0) { $0 + $1.entryCount })),
                    .init(key: "total_queues", value: .count(queues.count)),
                ])
            ),
            .init(
                key: "server",
                value: .object([
                    .init(key: "description", value: .string(self.settings.productName)),
                    .init(key: "faktory_version", value: .string(self.settings.productVersion)),
                    .init(key: "uptime", value: .number(String(uptime))),
                    .init(key: "connections", value: .number(String(connectionCount))),
                    .init(key: "command_count", value: .number(String(commandCount))),
                    .init(key: "used_memory_mb", value: .number(String(kilobytes / 1_024))),
                ])
            ),
        ])
        return document.encoded
    }

    private var setSizes: JSONValue {
        .object([
            .init(key: "dead", value: .count(self.setCounts[.dead] ?? 0)),
            .init(key: "retries", value: .count(self.setCounts[.retries] ?? 0)),
            .init(key: "scheduled", value: .count(self.setCounts[.scheduled] ?? 0)),
            .init(key: "working", value: .count(self.reservations.count)),
        ])
    }

    private var taskStatistics: JSONValue {
        .object([
            .init(key: "Busy", value: self.reaper(.reap, size: self.reservations.count)),
            .init(key: "Dead", value: self.scanner(.purge, of: .dead)),
            .init(key: "Retries", value: self.scanner(.retry, of: .retries)),
            .init(key: "Scheduled", value: self.scanner(.enqueueScheduled, of: .scheduled)),
            .init(key: "Workers", value: self.reaper(.reapWorkers, size: self.workers.records.count)),
        ])
    }

    private func reaper(_ task: SchedulerTask, size: Int) -> JSONValue {
        let statistics = self.tasks.statistics[task] ?? TaskBoard.Statistics()
        return .object([
            .init(key: "reaped", value: .number(String(statistics.moved))),
            .init(key: "size", value: .count(size)),
        ])
    }

    private func scanner(_ task: SchedulerTask, of set: JobSet) -> JSONValue {
        let statistics = self.tasks.statistics[task] ?? TaskBoard.Statistics()
        let milliseconds = statistics.duration / .milliseconds(1)
        return .object([
            .init(key: "cycles", value: .number(String(statistics.cycles))),
            .init(key: "enqueued", value: .number(String(statistics.moved))),
            .init(key: "size", value: .count(self.setCounts[set] ?? 0)),
            .init(key: "wall_time_sec", value: .number(String((milliseconds).rounded() / 1_000))),
        ])
    }
}

extension JSONValue {
    /// A whole number that is never negative.
    fileprivate static func count(_ count: Int) -> JSONValue {
        .number(String(max(0, count)))
    }
}

extension [UInt64] {
    /// The sum, or the largest number when it is beyond that: a front may say anything.
    fileprivate var saturatingSum: UInt64 {
        self.reduce(0) { sum, number in
            let (total, overflow) = sum.addingReportingOverflow(number)
            return overflow ? .max : total
        }
    }
}

extension WallTime {
    /// The time of day, as `08:16:00 UTC`.
    fileprivate var clockText: String {
        "\(self.rfc3339.dropFirst(11).prefix(8)) UTC"
    }
}
