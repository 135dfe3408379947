import Glibc
import JobCore
import JobStorage
import JobStorageRedis
import Redis
import TestSupport
import Testing

/// A member's real `redis-server`, with the configuration that members have.
final class MemberFixture {
    static let manager = MemberRedisServer.User(name: "manager", password: "0123456789abcdef")
    static let replication = MemberRedisServer.User(name: "replication", password: "fedcba9876543210")

    let server: MemberRedisServer
    let process: RedisProcess
    let redis: MemberRedis
    private let directory: TemporaryDirectory

    init(durability: MemberRedisServer.Durability = .disk, starts: Bool = true) throws {
        let directory = try TemporaryDirectory()
        self.directory = directory
        self.server = try MemberRedisServer(
            directory: directory.path,
            socketPath: directory.file("redis.sock"),
            address: RedisAddress(host: "127.0.0.1", port: try freePort()),
            listenAddresses: ["127.0.0.1"],
            durability: durability,
            manager: Self.manager,
            replication: Self.replication,
            backlogByteCount: 1 << 20
        )
        try self.server.prepare()
        // Only the log goes elsewhere than it does for a member.
        self.process = RedisProcess(arguments: self.server.arguments + ["--logfile", ""])
        self.redis = MemberRedis(configuration: try Self.configuration(of: self.server))
        if starts { try self.process.start() }
    }

    deinit {
        // Before its directory goes.
        self.process.end(with: SIGKILL)
    }

    var address: RedisAddress { self.server.address }
    var path: String { self.directory.path }
    var files: TransferFiles { TransferFiles(directory: self.directory.path) }

    static func configuration(
        of server: MemberRedisServer,
        acknowledgement: ReplicaAcknowledgement? = nil
    ) throws -> RedisStoreConfiguration {
        try RedisStoreConfiguration(
            endpoint: .unixSocket(path: server.socketPath),
            username: Self.manager.name,
            password: Self.manager.password,
            acknowledgement: acknowledgement
        )
    }

    /// A store of a leader over this Redis.
    func store(acknowledgement: ReplicaAcknowledgement? = nil) throws -> RedisJobStore {
        RedisJobStore(configuration: try Self.configuration(of: self.server, acknowledgement: acknowledgement))
    }

    /// A connection of the manager.
    func connection() throws -> RedisConnection {
        try RedisConnection.open(
            .unixSocket(path: self.server.socketPath),
            with: RedisConnectionOptions(
                credentials: .init(username: Self.manager.name, password: Self.manager.password)
            )
        )
    }

    /// A number from `INFO stats`.
    func statistic(_ name: String) throws -> Int {
        var connection = try self.connection()
        let text = try #require(try connection.command("INFO", "stats").string)
        let line = try #require(text.split(whereSeparator: \.isNewline).first { $0.hasPrefix(name + ":") })
        return try #require(Int(line.dropFirst(name.count + 1)))
    }

    /// Ends the server as a crash would, and starts it anew.
    func crashAndRestart() throws {
        self.process.end(with: SIGKILL)
        try self.process.start()
        self.redis.disconnect()
    }

    /// Lets it follow a primary, and returns when it has everything that its primary has.
    func follow(_ primary: MemberFixture) throws {
        try self.redis.follow(primary.address)
        try self.waitUntilAttached()
    }

    /// Returns when the stream from the primary is up and no data set is under way, on the wire or to the disk.
    func waitUntilAttached() throws {
        try Self.poll("the replica is attached") {
            let state = try self.redis.replicationState()
            return state.isLinkUp && !state.isSynchronizing && !state.isRewritingLog
        }
    }

    /// Asks again and again until it is so; Redis tells nobody when these things happen.
    static func poll(_ what: String, _ condition: () throws -> Bool) throws {
        let deadline = ContinuousClock.now + .seconds(120)
        while try !condition() {
            try #require(ContinuousClock.now < deadline, "\(what), but not in time")
            usleep(5_000)
        }
    }
}
