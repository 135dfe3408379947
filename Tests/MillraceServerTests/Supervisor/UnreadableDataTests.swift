import Foundation
import Testing

@testable import MillraceServer

@Suite("Data that Redis cannot read")
struct UnreadableDataTests {
    private static let truncated =
        "Unexpected end of file reading the append only file millrace.aof.1.incr.aof. You can: 1) Make a backup"

    private static func line(_ text: String, processID: Int = 17, sign: String = "#") -> String {
        "\(processID):M 24 Nov 2026 19:34:48.305 \(sign) \(text)\n"
    }

    @Test(
        "is known by what Redis says before it gives up",
        arguments: [
            Self.truncated,
            "Bad file format reading the append only file millrace.aof.1.incr.aof: make a backup of your AOF file",
            "Unrecoverable error reading the append only file millrace.aof.1.incr.aof: Input/output error",
            "Short read or OOM loading DB. Unrecoverable error, aborting now.",
            "Internal error in RDB reading offset 0, function at rdb.c:3249 -> Unexpected EOF reading RDB file",
            "Unable to obtain the AOF file millrace.aof.1.incr.aof length. stat: No such file or directory",
            "Invalid AOF manifest file format",
        ]
    )
    func known(complaint: String) throws {
        let log = Self.line("Server initialized", sign: "*") + Self.line(complaint)
        let found = try #require(UnreadableData(in: "/d", log: log, processID: 17))
        #expect(found.complaint == complaint)
        #expect(found.description.contains("redis-check-aof --fix /d/millrace-aof/millrace.aof.manifest"))
        #expect(found.description.contains(complaint))
        #expect(!found.description.contains("\n"))
    }

    @Test(
        "is not what anything else means that Redis says",
        arguments: [
            line("Ready to accept connections", sign: "*"), line(truncated, processID: 171),
            line(truncated, processID: 7),
            line("Error writing to the AOF file: No space left on device"),
            line("Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting..."),
            line("Failed opening Unix socket: bind: Permission denied"), "", "17:", "17:M\n",
        ]
    )
    func others(log: String) {
        #expect(UnreadableData(in: "/d", log: log, processID: 17) == nil)
    }

    @Test("is looked for in the end of a log of any length, and a log that is not there says nothing")
    func logs() throws {
        let directory = "/tmp/millrace-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let command = try RedisServerCommand(directory: directory, socket: "/s", durability: .memory)
        #expect(UnreadableData(of: command, processID: 17) == nil)
        try command.prepare()
        let noise = String(repeating: Self.line("DB saved on disk", sign: "*"), count: 5_000)
        try (noise + Self.line(Self.truncated)).write(toFile: command.logPath, atomically: true, encoding: .utf8)
        #expect(UnreadableData(of: command, processID: 17)?.complaint == Self.truncated)
    }

    @Test("is noticed when Redis ends with an error, and at no other end")
    func watch() async throws {
        let directory = "/tmp/millrace-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let command = try RedisServerCommand(directory: directory, socket: "/s", durability: .memory)
        try command.prepare()
        try Self.line(Self.truncated).write(toFile: command.logPath, atomically: true, encoding: .utf8)
        let watch = RedisWatch(of: command)
        watch.take(.started("manager", processID: 17))
        watch.take(.exited("redis", .code(1)))
        watch.take(.started("redis", processID: 17))
        watch.take(.exited("manager", .code(1)))
        watch.take(.exited("redis", .code(0)))
        watch.take(.exited("redis", .signal(9)))
        #expect(watch.failure == nil)
        watch.take(.exited("redis", .code(1)))
        #expect(watch.failure?.complaint == Self.truncated)
        #expect(await watch.findsUnreadableData())
    }
}
