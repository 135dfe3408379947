import JobStorageRedis
import Testing

@Suite("The settings of a member's Redis")
struct MemberRedisServerTests {
    private func server(
        socketPath: String = "/run/redis.sock",
        port: Int = 6379,
        listenAddresses: [String] = ["127.0.0.1"],
        durability: MemberRedisServer.Durability = .disk,
        manager: MemberRedisServer.User = MemberFixture.manager,
        replication: MemberRedisServer.User = MemberFixture.replication,
        backlogByteCount: Int = 256 << 20
    ) throws -> MemberRedisServer {
        try MemberRedisServer(
            directory: "/data",
            socketPath: socketPath,
            address: RedisAddress(host: "m1.example", port: port),
            listenAddresses: listenAddresses,
            durability: durability,
            manager: manager,
            replication: replication,
            backlogByteCount: backlogByteCount
        )
    }

    @Test(
        "have what the promise of an acknowledgement rests on",
        arguments: [
            "replicaof 127.0.0.1 1", "appendonly yes", "appendfsync always", "aof-load-truncated no",
            "aof-use-rdb-preamble yes", "maxmemory-policy noeviction", "repl-backlog-size 268435456",
            "repl-diskless-load disabled", "user default off resetpass allkeys allchannels +@all",
            #"replica-announce-ip "m1.example""#,
            "replica-announce-port 6379", "port 6379", #"bind "127.0.0.1""#,
        ]
    )
    func lines(line: String) throws {
        let lines = try self.server().configuration.split(separator: "\n").map(String.init)
        #expect(lines.contains(line))
    }

    @Test("sync each write only if it has to be on the disk")
    func memory() throws {
        #expect(try self.server(durability: .memory).configuration.contains("\nappendfsync no\n"))
    }

    @Test("are refused at the first value beyond each bound")
    func bounds() throws {
        typealias User = MemberRedisServer.User
        typealias Problem = MemberRedisServer.Problem
        func user(_ count: Int) -> User { User(name: "manager", password: String(repeating: "x", count: count)) }

        _ = try self.server(socketPath: "/" + String(repeating: "s", count: 106))
        let longPath = "/" + String(repeating: "s", count: 107)
        #expect(throws: Problem.socketPath(longPath)) { try self.server(socketPath: longPath) }
        for port in [1, 65_535] { _ = try self.server(port: port) }
        for port in [0, 65_536] { #expect(throws: Problem.port(port)) { try self.server(port: port) } }
        for count in [16, 512] { _ = try self.server(manager: user(count)) }
        for count in [15, 513] {
            #expect(throws: Problem.password(of: "manager")) { try self.server(manager: user(count)) }
        }
        #expect(throws: Problem.password(of: "manager")) {
            try self.server(manager: User(name: "manager", password: "0123456789abcde\n"))
        }
        #expect(throws: Problem.sharedCredentials) { try self.server(replication: MemberFixture.manager) }
        #expect(throws: Problem.sharedCredentials) {
            try self.server(replication: User(name: "default", password: "fedcba9876543210"))
        }
        _ = try self.server(backlogByteCount: 1 << 20)
        #expect(throws: Problem.backlogByteCount(1_048_575)) { try self.server(backlogByteCount: 1_048_575) }
        for addresses in [[], ["a b"], [""]] {
            #expect(throws: Problem.listenAddresses(addresses)) { try self.server(listenAddresses: addresses) }
        }
    }
}
