import FaktoryClient
import Foundation
import Synchronization

/// `millrace demo`: works a few hundred real jobs through a running server and tells what happened.
struct DemoCommand {
    /// How many jobs there are of each kind.
    private static let mailCount = 150
    private static let reportCount = 100
    private static let flakyCount = 30
    private static let scheduledCount = 20
    /// How long the whole demo may take.
    private static let patience = Duration.seconds(60)

    private static let help = """
        millrace demo [URL]

        Pushes a few hundred jobs to a running server, some of them scheduled and some of them failing at their first
        try, works them, shows the progress, and tells what happened.

          URL    tcp://[:password@]host:port; by default $FAKTORY_URL, or tcp://localhost:7419

        """

    func run(_ arguments: [String]) async -> Int32 {
        if arguments.contains(where: { ["-h", "--help"].contains($0) }) {
            print(Self.help, terminator: "")
            return 0
        }
        guard arguments.count <= 1 else {
            MillraceCommand.complain("millrace demo: one URL at the most\nTry: millrace demo --help")
            return 2
        }
        do {
            let configuration =
                try arguments.first.map { try ClientConfiguration(url: $0) } ?? ClientConfiguration.fromEnvironment()
            return try await self.run(configuration) ? 0 : 1
        } catch {
            MillraceCommand.complain("millrace demo: \(error)")
            return 1
        }
    }

    /// - Returns: whether every job was done.
    private func run(_ configuration: ClientConfiguration) async throws -> Bool {
        let tally = DemoTally()
        let client = try FaktoryClient(configuration: configuration)
        defer { client.close() }
        let start = ContinuousClock.now

        let jobs = try self.makeJobs()
        let rejected = try await client.push(jobs)
        print("pushed     \(jobs.count - rejected.count) jobs, \(Self.scheduledCount) of them for two seconds from now")

        var worker = WorkerConfiguration(client: configuration, queues: .strict(["demo-urgent", "demo"]))
        worker.concurrency = 10
        let running = try FaktoryWorker(handlers: self.makeHandlers(tally), configuration: worker)
        let isDone = try await withThrowingTaskGroup(of: Bool?.self) { group in
            group.addTask {
                try await running.run()
                return nil
            }
            group.addTask { try await self.watch(client, tally, until: jobs.count, since: start) }
            var isDone = false
            for try await outcome in group {
                guard let outcome else { continue }
                isDone = outcome
                running.stop()
            }
            return isDone
        }
        self.tell(tally.counts, jobs.count, in: start.duration(to: .now))
        return isDone
    }

    private func makeJobs() throws -> [JobRequest] {
        var jobs: [JobRequest] = []
        for number in 0..<Self.mailCount {
            var job = try JobRequest("SendMail", arguments: "user-\(number)@example.com")
            job.queue = "demo-urgent"
            jobs.append(job)
        }
        for number in 0..<Self.reportCount {
            var job = try JobRequest("MakeReport", arguments: number, ["format": "pdf"])
            job.queue = "demo"
            jobs.append(job)
        }
        for number in 0..<Self.flakyCount {
            var job = try JobRequest("CallFlakyService", arguments: number)
            job.queue = "demo"
            jobs.append(job)
        }
        for number in 0..<Self.scheduledCount {
            var job = try JobRequest("SendReminder", arguments: number)
            job.queue = "demo-urgent"
            job.at = Date().addingTimeInterval(2)
            jobs.append(job)
        }
        return jobs
    }

    private func makeHandlers(_ tally: DemoTally) -> JobHandlers {
        var handlers = JobHandlers()
        for type in ["SendMail", "MakeReport", "SendReminder"] {
            handlers.register(type) { _ in tally.count(type) }
        }
        handlers.register("CallFlakyService") { context in
            guard tally.isRetry(context.job.id) else {
                tally.countFailure()
                throw FlakyServiceDown()
            }
            tally.count("CallFlakyService")
        }
        return handlers
    }

    /// Shows the progress until every job is done; brings failed jobs forward, since nobody wants to wait for their time.
    private func watch(
        _ client: FaktoryClient,
        _ tally: DemoTally,
        until jobCount: Int,
        since start: ContinuousClock.Instant
    ) async throws -> Bool {
        while start.duration(to: .now) < Self.patience {
            let counts = tally.counts
            print("working    \(counts.done) of \(jobCount) done, \(counts.failures) failed and tried again")
            if counts.done >= jobCount { return true }
            if counts.failures > 0 {
                try await client.mutate(JobMutation(.requeue, .retries, where: .init(jobType: "CallFlakyService")))
            }
            try await Task.sleep(for: .milliseconds(500))
        }
        return false
    }

    private func tell(_ counts: DemoTally.Counts, _ jobCount: Int, in duration: Duration) {
        print("")
        for (type, count) in counts.doneByType.sorted(by: { $0.key < $1.key }) {
            print("  \(type.padding(toLength: 18, withPad: " ", startingAt: 0)) \(count) done")
        }
        let seconds = (duration / .milliseconds(100)).rounded() / 10
        print(
            "\n\(counts.done) of \(jobCount) jobs done in \(seconds) s, \(counts.failures) failures on the way, none lost"
        )
    }
}

/// The error of a job that fails at its first try.
private struct FlakyServiceDown: Error, CustomStringConvertible {
    var description: String { "the service does not answer" }
}

/// Counts what the demo's worker did.
private final class DemoTally: Sendable {
    struct Counts: Sendable {
        var doneByType: [String: Int] = [:]
        var failures = 0
        var failed: Set<String> = []

        var done: Int { self.doneByType.values.reduce(0, +) }
    }

    private let state = Mutex(Counts())

    var counts: Counts { self.state.withLock { $0 } }

    func count(_ type: String) {
        self.state.withLock { $0.doneByType[type, default: 0] += 1 }
    }

    func countFailure() {
        self.state.withLock { $0.failures += 1 }
    }

    /// Whether this job has been here before; it has been from now on.
    func isRetry(_ jobID: String) -> Bool {
        self.state.withLock { !$0.failed.insert(jobID).inserted }
    }
}
