import Foundation
import JobCore

/// What a run found out.
package struct BenchReport: Sendable {
    /// What a process used during the run.
    package struct Process: Sendable, Equatable {
        package let name: String
        package let cpuSeconds: Double
        /// How many jobs went all the way: what the CPU time is divided by.
        package let jobCount: Int
        package let residentBytes: UInt64

        package init(name: String, cpuSeconds: Double, jobCount: Int, residentBytes: UInt64) {
            self.name = name
            self.cpuSeconds = cpuSeconds
            self.jobCount = jobCount
            self.residentBytes = residentBytes
        }

        /// 0 when no job went all the way.
        package var cpuMicrosecondsPerJob: Double {
            self.jobCount > 0 ? self.cpuSeconds * 1_000_000 / Double(self.jobCount) : 0
        }
    }

    /// `PUSH` or `PUSHB`.
    package let pushName: String
    /// From the first command to the last confirmed acknowledgement, or push where nobody fetches.
    package let seconds: Double
    package let ledger: BenchLedger
    package let latencies: BenchLatencies
    package let processes: [Process]

    package init(
        pushName: String,
        seconds: Double,
        ledger: BenchLedger,
        latencies: BenchLatencies,
        processes: [Process]
    ) {
        self.pushName = pushName
        self.seconds = seconds
        self.ledger = ledger
        self.latencies = latencies
        self.processes = processes
    }

    /// 0 when no time went by.
    package var jobsPerSecond: Double {
        self.seconds > 0 ? Double(self.ledger.doneCount) / self.seconds : 0
    }

    private var namedLatencies: [(name: String, latency: BenchLatency)] {
        [
            (self.pushName, self.latencies.push), ("FETCH", self.latencies.fetch),
            ("ACK", self.latencies.acknowledgement), ("push to start", self.latencies.pushToStart),
            ("push to done", self.latencies.pushToDone),
        ]
    }

    private static let percentiles = [("p50", 50.0), ("p99", 99.0), ("p99.9", 99.9), ("max", 100.0)]

    /// A table for people, which ends with a line end.
    package var text: String {
        let ledger = self.ledger
        var lines = [
            "\(Self.fixed(self.jobsPerSecond, 0)) jobs/s: \(ledger.doneCount) jobs in "
                + "\(Self.fixed(self.seconds, 2)) s",
            "lost \(ledger.lostCount), duplicated \(ledger.duplicateCount), unknown \(ledger.unknownCount), "
                + "not pushed \(ledger.jobCount - ledger.pushedCount), "
                + "not done \(ledger.jobCount - ledger.doneCount)",
            "",
            Self.columns(["ms"] + Self.percentiles.map { $0.0 }),
        ]
        for (name, latency) in self.namedLatencies {
            let values = Self.percentiles.map { Self.fixed(latency.milliseconds(atPercentile: $0.1), 3) }
            lines.append(Self.columns([name] + values))
        }
        lines += ["", Self.columns(["process", "CPU s", "us/job", "MiB"])]
        for process in self.processes {
            let mebibytes = Double(process.residentBytes) / 1_048_576
            lines.append(
                Self.columns([
                    process.name, Self.fixed(process.cpuSeconds, 2), Self.fixed(process.cpuMicrosecondsPerJob, 1),
                    Self.fixed(mebibytes, 1),
                ])
            )
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// One JSON object, without a line end.
    package var json: String {
        let latencies = self.namedLatencies.map { name, latency in
            Self.member(
                name.lowercased().replacingOccurrences(of: " ", with: "_"),
                .object(
                    [Self.member("count", .number(String(latency.count)))]
                        + Self.percentiles.map { name, percentile in
                            let value = latency.milliseconds(atPercentile: percentile)
                            return Self.member("\(name)_ms", .number(Self.fixed(value, 3)))
                        }
                )
            )
        }
        let processes = self.processes.map { process in
            Self.member(
                process.name,
                .object([
                    Self.member("cpu_seconds", .number(Self.fixed(process.cpuSeconds, 2))),
                    Self.member("cpu_us_per_job", .number(Self.fixed(process.cpuMicrosecondsPerJob, 1))),
                    Self.member("resident_bytes", .number(String(process.residentBytes))),
                ])
            )
        }
        let document = JSONValue.object([
            Self.member("jobs_per_second", .number(Self.fixed(self.jobsPerSecond, 1))),
            Self.member("seconds", .number(Self.fixed(self.seconds, 3))),
            Self.member("pushed", .number(String(self.ledger.pushedCount))),
            Self.member("fetched", .number(String(self.ledger.fetchedCount))),
            Self.member("acknowledged", .number(String(self.ledger.acknowledgedCount))),
            Self.member("lost", .number(String(self.ledger.lostCount))),
            Self.member("duplicated", .number(String(self.ledger.duplicateCount))),
            Self.member("unknown", .number(String(self.ledger.unknownCount))),
            Self.member("latency", .object(latencies)),
            Self.member("processes", .object(processes)),
        ])
        return String(decoding: document.encoded, as: UTF8.self)
    }

    private static func member(_ key: String, _ value: JSONValue) -> JSONValue.Member {
        JSONValue.Member(key: key, value: value)
    }

    private static func fixed(_ number: Double, _ digitCount: Int) -> String {
        String(format: "%.\(digitCount)f", number)
    }

    private static func columns(_ cells: [String]) -> String {
        let first = cells[0].padding(toLength: 16, withPad: " ", startingAt: 0)
        return cells.dropFirst().reduce(first) { line, cell in
            line + String(repeating: " ", count: max(12 - cell.count, 1)) + cell
        }
    }
}
