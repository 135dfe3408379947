import Foundation
import Logging
import Testing

@testable import MillraceServer

@Suite("Log destination")
struct LogDestinationTests {
    /// What a body logs, read through a pipe after the writing end was closed.
    private static func captured(
        _ settings: LogSection = LogSection(),
        _ body: (LogDestination) async -> Void
    ) async throws -> [String] {
        let pipe = Pipe()
        // A thread, since reading blocks and the tasks of the test need theirs.
        let (pieces, continuation) = AsyncStream.makeStream(of: Data.self)
        Thread.detachNewThread {
            continuation.yield(pipe.fileHandleForReading.readDataToEndOfFile())
            continuation.finish()
        }
        await body(LogDestination(settings, descriptor: pipe.fileHandleForWriting.fileDescriptor))
        try pipe.fileHandleForWriting.close()
        var content = Data()
        for await piece in pieces { content += piece }
        let text = String(decoding: content, as: UTF8.self)
        return text.split(separator: "\n").map(String.init)
    }

    @Test(
        "warnings and errors are logged at every level, the others only when asked for",
        arguments: [
            (LogSection.Level.error, "WEF"), (.warn, "WEF"), (.info, "IIWEF"), (.debug, "DIIWEF"),
        ]
    )
    func thresholds(level: LogSection.Level, letters: String) async throws {
        var settings = LogSection()
        settings.level = level
        let lines = try await Self.captured(settings) { destination in
            let logger = destination.logger(label: "test")
            for level in Logger.Level.allCases { logger.log(level: level, "x") }
        }
        #expect(lines.map { String($0.prefix(1)) }.joined() == letters)
    }

    @Test("a new level reaches the loggers that exist, but not one that has its own")
    func changedLevel() async throws {
        let lines = try await Self.captured { destination in
            let following = destination.logger(label: "test")
            var own = destination.logger(label: "test")
            own.logLevel = .error
            destination.setLevel(.debug)
            following.debug("following")
            own.debug("own")
        }
        #expect(lines.count == 1)
        #expect(lines.first?.hasSuffix("following") == true)
    }

    @Test("metadata of the logger and of the call are merged, in the order of their keys, the error last")
    func metadata() async throws {
        struct Mishap: Error {}
        let lines = try await Self.captured { destination in
            var logger = destination.logger(label: "test")
            logger[metadataKey: "b"] = "logger"
            logger[metadataKey: "c"] = "logger"
            logger.error("x", error: Mishap(), metadata: ["a": "call", "b": "call"])
        }
        #expect(lines.first?.hasSuffix("x a=call b=call c=logger error=Mishap()") == true)
    }

    @Test("lines of many tasks do not mix")
    func noInterleaving() async throws {
        let taskCount = 8
        let lineCount = 200
        let lines = try await Self.captured { destination in
            let logger = destination.logger(label: "test")
            await withTaskGroup(of: Void.self) { group in
                for task in 0..<taskCount {
                    group.addTask {
                        for _ in 0..<lineCount {
                            logger.info("line", metadata: ["value": "\(String(repeating: "\(task)", count: 1_000))"])
                        }
                    }
                }
            }
        }
        #expect(lines.count == taskCount * lineCount)
        for line in lines {
            let value = line.suffix(1_000)
            #expect(Set(value).count == 1 && line.hasPrefix("I ") && line.contains(" line value="))
        }
    }

    @Test("a reader that is gone does no harm")
    func goneReader() throws {
        signal(SIGPIPE, SIG_IGN)
        let pipe = Pipe()
        let destination = LogDestination(LogSection(), descriptor: pipe.fileHandleForWriting.fileDescriptor)
        try pipe.fileHandleForReading.close()
        destination.logger(label: "test").info("lost")
        #expect(destination.level == .info)
    }
}
