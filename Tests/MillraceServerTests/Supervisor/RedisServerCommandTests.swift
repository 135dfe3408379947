import Foundation
import Glibc
import Testing

@testable import MillraceServer

@Suite("Redis server command", .timeLimit(.minutes(1)))
struct RedisServerCommandTests {
    private static func lines(_ durability: Settings.Durability, password: Secret? = nil) throws -> [String] {
        let command = try RedisServerCommand(
            directory: "/data dir",
            socket: "/data dir/r.sock",
            durability: durability,
            password: password
        )
        return command.configuration.split(separator: "\n").map(String.init)
    }

    @Test("the server keeps what it was given, and only our user reaches it")
    func keeps() throws {
        let lines = try Self.lines(.memory)
        for line in [
            "port 0", "unixsocket \"/data dir/r.sock\"", "unixsocketperm 700", "dir \"/data dir\"", "save \"\"",
            "appendonly yes", "aof-use-rdb-preamble yes", "aof-load-truncated no", "maxmemory-policy noeviction",
            "databases 1",
        ] {
            #expect(lines.contains(line), "\(line)")
        }
        #expect(!lines.contains { $0.hasPrefix("requirepass") || $0.hasPrefix("rename-command") })
    }

    @Test(
        "the log is synced as the durability asks",
        arguments: [(Settings.Durability.memory, "no"), (.disk, "always")]
    )
    func durability(durability: Settings.Durability, policy: String) throws {
        #expect(try Self.lines(durability).contains("appendfsync \(policy)"))
    }

    @Test("the file for a Redis of its own service says the same but for its places")
    func deployedFile() throws {
        var directory = URL(filePath: #filePath)
        for _ in 0..<4 { directory.deleteLastPathComponent() }
        let text = try String(contentsOf: directory.appending(path: "deploy/redis.conf"), encoding: .utf8)
        func rules(_ lines: [String]) -> [String] {
            lines.filter { line in !["#", "unixsocket ", "dir ", "logfile "].contains { line.hasPrefix($0) } }
        }
        #expect(rules(text.split(separator: "\n").map(String.init)) == rules(try Self.lines(.memory)))
    }

    @Test("a password is quoted, whatever it holds")
    func password() throws {
        let lines = try Self.lines(.memory, password: Secret("a\"b\\c\n\u{e9}"))
        #expect(lines.contains(#"requirepass "a\"b\\c\x0a\xc3\xa9""#))
    }

    @Test("a socket path of 107 bytes is taken and one of 108 refused in words")
    func socketPath() throws {
        let longest = "/" + String(repeating: "s", count: 106)
        _ = try RedisServerCommand(directory: "/d", socket: longest, durability: .memory)
        let error = #expect(throws: RedisServerCommand.Failure.self) {
            try RedisServerCommand(directory: "/d", socket: longest + "s", durability: .memory)
        }
        #expect(error?.description.contains("has 108 bytes and the system allows 107") == true)
    }

    @Test("a directory that cannot be made is reported with its path")
    func unwritable() throws {
        let command = try RedisServerCommand(directory: "/dev/null/x", socket: "/s", durability: .memory)
        #expect(throws: RedisServerCommand.Failure.unwritable(path: "/dev/null/x", reason: "Not a directory")) {
            try command.prepare()
        }
    }

    @Test("the configuration is written for our user only, also over an older one")
    func writes() throws {
        let directory = "/tmp/millrace-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        for durability in [Settings.Durability.memory, .disk] {
            let command = try RedisServerCommand(directory: directory + "/a/b", socket: "/s", durability: durability)
            try command.prepare()
            #expect(try String(contentsOfFile: command.configurationPath, encoding: .utf8) == command.configuration)
            var status = stat()
            #expect(stat(command.configurationPath, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o600)
        }
    }

    @Test(
        "a real redis-server accepts the configuration, under a supervisor",
        .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/redis-server"))
    )
    func realServer() async throws {
        let directory = "/tmp/millrace-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let command = try RedisServerCommand(directory: directory, socket: directory + "/r.sock", durability: .disk)
        try command.prepare()
        // The test itself waits for the socket: a shell that asks until the server answers is the event.
        let script =
            "until redis-cli -s \(directory)/r.sock config get appendfsync | grep -q always; do :; done; exit 0"
        let asking = ChildProcess(
            name: "asking",
            executable: "/bin/sh",
            arguments: ["-c", script],
            environment: ["PATH": "/usr/bin:/bin"]
        )
        let (events, continuation) = AsyncStream.makeStream(of: SupervisorEvent.self)
        let children = [command.child(environment: ["PATH": "/usr/bin:/bin"]), asking]
        let supervisor = Supervisor(children: children, launcher: nil) { continuation.yield($0) }
        async let running: Void = supervisor.run()
        var redisExits: [ChildExit] = []
        for await event in events {
            if case .exited("asking", let status) = event {
                #expect(status == .code(0))
                supervisor.stop()
            }
            if case .exited("redis", let status) = event {
                redisExits.append(status)
                break
            }
        }
        supervisor.stop()
        await running
        #expect(redisExits == [.code(0)])
    }
}
