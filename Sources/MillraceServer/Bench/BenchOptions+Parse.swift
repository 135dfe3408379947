extension BenchOptions {
    private static let valueFlags = [
        "--producers", "--workers", "--jobs", "--size", "--queues", "--batch", "--rate", "--idle", "--processes",
        "--ca",
    ]

    /// Understands the arguments behind `millrace bench`; a flag's value follows it, or stands behind `=`.
    package init(parsing arguments: [String]) throws(UsageError) {
        self.init()
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            guard argument.hasPrefix("-") else {
                guard self.url == nil else { throw UsageError("one URL at the most, not \(argument) too") }
                self.url = argument
                continue
            }
            if argument == "--json" {
                self.printsJSON = true
                continue
            }
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let flag = String(parts[0])
            guard Self.valueFlags.contains(flag) else {
                let hint = Suggestion.nearest(to: flag, among: Self.valueFlags + ["--json"])
                throw UsageError("unknown flag \(flag)" + (hint.map { " (did you mean \($0)?)" } ?? ""))
            }
            guard let value = parts.count == 2 ? String(parts[1]) : rest.popFirst() else {
                throw UsageError("flag \(flag) needs a value")
            }
            try self.set(flag, to: value)
        }
        guard self.batchJobCount * self.payloadByteCount <= Self.maximumCommandPayloadByteCount else {
            let limit = Self.maximumCommandPayloadByteCount
            throw UsageError("--batch times --size is more than \(limit) bytes, the most for one command")
        }
    }

    private mutating func set(_ flag: String, to value: String) throws(UsageError) {
        switch flag {
        case "--producers": self.producerCount = try Self.number(value, flag, Self.producerBounds)
        case "--workers": self.workerCount = try Self.number(value, flag, Self.workerBounds)
        case "--jobs": self.jobCount = try Self.number(value, flag, Self.jobBounds)
        case "--size": self.payloadByteCount = try Self.number(value, flag, Self.payloadBounds)
        case "--queues": self.queueCount = try Self.number(value, flag, Self.queueBounds)
        case "--batch": self.batchJobCount = try Self.number(value, flag, Self.batchBounds)
        case "--rate": self.jobsPerSecond = try Self.number(value, flag, Self.rateBounds)
        case "--idle": self.idleWorkerCount = try Self.number(value, flag, Self.idleBounds)
        case "--ca": self.authoritiesPath = value
        default: self.processes = try Self.processes(value)
        }
    }

    private static func number(_ text: String, _ flag: String, _ bounds: ClosedRange<Int>) throws(UsageError) -> Int {
        guard let number = Int(text), bounds.contains(number) else {
            throw UsageError(
                "\(flag) is a number from \(bounds.lowerBound) to \(bounds.upperBound), not \"\(text)\""
            )
        }
        return number
    }

    private static func processes(_ text: String) throws(UsageError) -> [WatchedProcess] {
        let entries = text.split(separator: ",", omittingEmptySubsequences: false)
        guard entries.count <= Self.maximumProcessCount else {
            throw UsageError("--processes takes \(Self.maximumProcessCount) processes at the most")
        }
        var processes: [WatchedProcess] = []
        for entry in entries {
            let parts = entry.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, let processID = Int32(parts[1]), processID > 0 else {
                throw UsageError("--processes is a list such as front:4711,redis:4712, not \"\(text)\"")
            }
            processes.append(WatchedProcess(name: String(parts[0]), processID: processID))
        }
        return processes
    }
}
