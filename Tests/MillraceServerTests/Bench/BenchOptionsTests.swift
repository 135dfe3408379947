import MillraceServer
import Testing

@Suite("The arguments of millrace bench")
struct BenchOptionsTests {
    @Test("without arguments, the defaults stand")
    func defaults() throws {
        let options = try BenchOptions(parsing: [])
        #expect(options == BenchOptions())
        #expect(options.jobsPerSecond == nil)
    }

    @Test("every flag sets what it names, and a value may stand behind an equals sign")
    func everyFlag() throws {
        let options = try BenchOptions(parsing: [
            "tcp://localhost:1", "--producers", "2", "--workers=3", "--jobs", "4", "--size", "5", "--queues", "6",
            "--batch", "7", "--rate", "8", "--idle", "9", "--processes", "front:10,redis:11", "--ca",
            "ca.pem", "--json",
        ])
        var expected = BenchOptions()
        expected.url = "tcp://localhost:1"
        expected.producerCount = 2
        expected.workerCount = 3
        expected.jobCount = 4
        expected.payloadByteCount = 5
        expected.queueCount = 6
        expected.batchJobCount = 7
        expected.jobsPerSecond = 8
        expected.idleWorkerCount = 9
        expected.processes = [.init(name: "front", processID: 10), .init(name: "redis", processID: 11)]
        expected.authoritiesPath = "ca.pem"
        expected.printsJSON = true
        #expect(options == expected)
    }

    @Test(
        "a number is taken at its bounds and refused beyond them",
        arguments: [
            ("--producers", BenchOptions.producerBounds), ("--workers", BenchOptions.workerBounds),
            ("--jobs", BenchOptions.jobBounds), ("--size", BenchOptions.payloadBounds),
            ("--queues", BenchOptions.queueBounds), ("--batch", BenchOptions.batchBounds),
            ("--rate", BenchOptions.rateBounds), ("--idle", BenchOptions.idleBounds),
        ]
    )
    func bounds(flag: String, bounds: ClosedRange<Int>) throws {
        for number in [bounds.lowerBound, bounds.upperBound] {
            #expect(throws: Never.self) { try BenchOptions(parsing: [flag, "\(number)"]) }
        }
        for number in [bounds.lowerBound - 1, bounds.upperBound + 1] {
            let message = "\(flag) is a number from \(bounds.lowerBound) to \(bounds.upperBound), not \"\(number)\""
            #expect(throws: UsageError(message)) { try BenchOptions(parsing: [flag, "\(number)"]) }
        }
    }

    @Test(
        "what cannot be understood is told in one line",
        arguments: [
            (["a", "b"], "one URL at the most, not b too"),
            (["--worker", "1"], "unknown flag --worker (did you mean --workers?)"),
            (["--nonsense-altogether"], "unknown flag --nonsense-altogether"),
            (["--jobs"], "flag --jobs needs a value"),
            (["--jobs", "many"], "--jobs is a number from 1 to 10000000, not \"many\""),
            (["--processes", "front"], "--processes is a list such as front:4711,redis:4712, not \"front\""),
            (["--processes", "front:0"], "--processes is a list such as front:4711,redis:4712, not \"front:0\""),
            (["--processes", ":1"], "--processes is a list such as front:4711,redis:4712, not \":1\""),
            (
                ["--batch", "1000", "--size", "8389"],
                "--batch times --size is more than 8388608 bytes, the most for one command"
            ),
        ]
    )
    func wrong(arguments: [String], message: String) {
        #expect(throws: UsageError(message)) { try BenchOptions(parsing: arguments) }
    }

    @Test("as many processes as the bound are watched, and no more")
    func processBound() throws {
        let list = Array(repeating: "a:1", count: BenchOptions.maximumProcessCount)
        let options = try BenchOptions(parsing: ["--processes", list.joined(separator: ",")])
        #expect(options.processes.count == BenchOptions.maximumProcessCount)
        #expect(throws: UsageError("--processes takes 16 processes at the most")) {
            try BenchOptions(parsing: ["--processes", (list + ["a:1"]).joined(separator: ",")])
        }
    }
}
