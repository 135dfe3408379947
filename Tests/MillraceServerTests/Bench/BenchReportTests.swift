import MillraceServer
import Testing

@Suite("The report of a run")
struct BenchReportTests {
    private static func report() -> BenchReport {
        var ledger = BenchLedger(jobCount: 2)
        let jobs = ledger.issue(upTo: 2)
        ledger.confirmPush(of: jobs)
        for job in jobs where ledger.fetch(job) == .first(dueAt: 0) { ledger.acknowledge() }
        var latency = BenchLatency()
        latency.record(from: 1_000_000, to: 2_000_000)
        var latencies = BenchLatencies()
        latencies.push = latency
        latencies.acknowledgement = latency
        latencies.pushToStart = latency
        latencies.pushToDone = latency
        return BenchReport(
            pushName: "PUSHB",
            seconds: 0.5,
            ledger: ledger,
            latencies: latencies,
            processes: [.init(name: "front", cpuSeconds: 0.001, jobCount: 2, residentBytes: 1_048_576)]
        )
    }

    @Test("throughput counts acknowledged jobs, and CPU time is divided by them")
    func figures() {
        let report = Self.report()
        #expect(report.jobsPerSecond == 4)
        #expect(report.processes.first?.cpuMicrosecondsPerJob == 500)
        let idle = BenchReport.Process(name: "a", cpuSeconds: 1, jobCount: 0, residentBytes: 0)
        #expect(idle.cpuMicrosecondsPerJob == 0)
    }

    @Test("throughput counts pushed jobs where nobody fetches")
    func pushedOnly() {
        var ledger = BenchLedger(jobCount: 2, hasWorkers: false)
        ledger.confirmPush(of: ledger.issue(upTo: 2))
        let report = BenchReport(
            pushName: "PUSH",
            seconds: 0.5,
            ledger: ledger,
            latencies: BenchLatencies(),
            processes: []
        )
        #expect(report.jobsPerSecond == 4)
        #expect(
            report.text.hasPrefix(
                "4 jobs/s: 2 jobs in 0.50 s\nlost 0, duplicated 0, unknown 0, not pushed 0, not done 0"
            )
        )
    }

    @Test("the JSON report is one line with every count, latency and process")
    func json() {
        let json = Self.report().json
        #expect(!json.contains("\n"))
        for part in [
            #""jobs_per_second":4.0"#, #""acknowledged":2"#, #""lost":0"#, #""duplicated":0"#, #""pushb":{"count":1"#,
            #""fetch":{"count":0,"p50_ms":0.000"#, #""push_to_start":{"count":1"#, #""push_to_done":{"count":1"#,
            #""cpu_us_per_job":500.0"#,
            #""resident_bytes":1048576"#,
        ] {
            #expect(json.contains(part), "\(part) in \(json)")
        }
    }

    @Test("the table names each command and process")
    func text() {
        let text = Self.report().text
        #expect(text.hasPrefix("4 jobs/s: 2 jobs in 0.50 s\nlost 0, duplicated 0, unknown 0"))
        for name in ["PUSHB", "FETCH", "ACK", "push to start", "push to done", "front"] {
            #expect(text.contains("\n\(name) "))
        }
    }

    @Test("a latency is kept to three digits, and its bounds hold")
    func latency() {
        var latency = BenchLatency()
        #expect(latency.milliseconds(atPercentile: 99) == 0)
        latency.record(from: 0, to: 1_234_000)
        #expect(abs(latency.milliseconds(atPercentile: 50) - 1.234) < 0.002)
        latency.record(from: 0, to: BenchLatency.maximumNanoseconds + 1_000_000_000)
        #expect(abs(latency.milliseconds(atPercentile: 100) - 120_000) < 200)
        latency.record(from: 2, to: 1)
        #expect(latency.milliseconds(atPercentile: 0) == 0)
        #expect(latency.count == 3)
    }
}
