import Glibc
import JobStorageRedis
import Logging
import Redis
import TestSupport
import Testing

@testable import MillraceServer

@Suite("The keeper of Redis's log", .timeLimit(.minutes(1)))
struct LogKeeperTests {
    @Test("has a log written anew in which something stayed behind that Redis did not write")
    func gap() async throws {
        let directory = try TemporaryDirectory()
        let command = try RedisServerCommand(
            directory: directory.path,
            socket: directory.file("redis.sock"),
            durability: .memory
        )
        try command.prepare()
        let redis = RedisProcess(arguments: [command.configurationPath, "--logfile", ""])
        try redis.start()
        defer { redis.end(with: SIGKILL) }
        let endpoint = RedisEndpoint.unixSocket(path: command.socket)
        var connection = try RedisConnection.open(endpoint, with: RedisConnectionOptions())
        #expect(try connection.command("SET", "key", "value").error == nil)
        let before = try #require(try LogManifest.read(in: directory.path))
        let length = try #require(before.length?.increments)
        // As a write that failed half way, behind Redis's back.
        let path = directory.file("millrace-aof") + "/millrace.aof.1.incr.aof"
        #expect(truncate(path, off_t(length + 100)) == 0)

        let lines = Told<String>()
        let keeper = LogKeeper(
            endpoint: endpoint,
            options: RedisConnectionOptions(),
            directory: directory.path,
            durability: .memory,
            logger: Logger(label: "test") { _ in TellingLogHandler(lines) }
        )
        let running = Task { await keeper.run() }
        defer { running.cancel() }
        await lines.next { $0 == "Redis has written its log anew" ? () : nil }

        let after = try #require(try LogManifest.read(in: directory.path))
        #expect(after != before)
        redis.end(with: SIGKILL)
        try redis.start()
        connection = try RedisConnection.open(endpoint, with: RedisConnectionOptions())
        #expect(try connection.command("GET", "key").string == "value")
    }

    @Test("how far the log is whole is noted, whatever the durability", arguments: [Settings.Durability.memory, .disk])
    func mark(durability: Settings.Durability) async throws {
        let directory = try TemporaryDirectory()
        let command = try RedisServerCommand(
            directory: directory.path,
            socket: directory.file("redis.sock"),
            durability: durability
        )
        try command.prepare()
        let redis = RedisProcess(arguments: [command.configurationPath, "--logfile", ""])
        try redis.start()
        defer { redis.end(with: SIGKILL) }
        let endpoint = RedisEndpoint.unixSocket(path: command.socket)
        let keeper = LogKeeper(
            endpoint: endpoint,
            options: RedisConnectionOptions(),
            directory: directory.path,
            durability: durability,
            logger: Logger(label: "test")
        )
        let running = Task { await keeper.run() }
        defer { running.cancel() }
        for round in 1...2 {
            try Self.write(to: endpoint)
            let length = try #require(try LogManifest.read(in: directory.path)?.length?.increments)
            while LogMark.read(in: directory.path)?.byteCount != length { try await Task.sleep(for: .milliseconds(10)) }
            // A rewrite begins another file, of which it is noted, too.
            try Self.rewrite(at: endpoint)
            while LogMark.read(in: directory.path)?.file == "millrace.aof.\(round).incr.aof" {
                try Self.write(to: endpoint)
                try await Task.sleep(for: .milliseconds(10))
            }
        }
    }

    private static func write(to endpoint: RedisEndpoint) throws {
        var connection = try RedisConnection.open(endpoint, with: RedisConnectionOptions())
        #expect(try connection.command("SET", "key", "value").error == nil)
    }

    private static func rewrite(at endpoint: RedisEndpoint) throws {
        var connection = try RedisConnection.open(endpoint, with: RedisConnectionOptions())
        _ = try connection.command("BGREWRITEAOF")
    }
}
