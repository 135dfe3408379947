/// Looks at processes before and after a run.
final class BenchWatch {
    private let processes: [BenchOptions.WatchedProcess]
    private var usagesBefore: [ProcessUsage] = []

    init(_ processes: [BenchOptions.WatchedProcess]) {
        self.processes = processes
    }

    func begin() throws(BenchError) {
        self.usagesBefore = []
        for process in self.processes {
            guard let usage = ProcessUsage(processID: process.processID) else {
                throw .noSuchProcess("\(process.name):\(process.processID)")
            }
            self.usagesBefore.append(usage)
        }
    }

    /// What each process has used since the beginning; one that has ended is left out.
    func end(perJob jobCount: Int) -> [BenchReport.Process] {
        zip(self.processes, self.usagesBefore).compactMap { process, before in
            guard let after = ProcessUsage(processID: process.processID) else { return nil }
            return BenchReport.Process(
                name: process.name,
                cpuSeconds: after.cpuSeconds(since: before),
                jobCount: jobCount,
                residentBytes: after.residentBytes
            )
        }
    }
}
