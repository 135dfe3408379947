import Foundation
import JobCore
import JobStorage
import JobStorageRedis
import Redis
import TestSupport
import Testing

@Suite("The Redis of a member")
struct MemberRedisTests {
    @Test("starts as a replica of the void, empty, and takes no writes")
    func boot() throws {
        let member = try MemberFixture()

        let state = try member.redis.replicationState()
        #expect(state.role == .replica(of: MemberRedis.void))
        #expect(!state.isLinkUp)
        #expect(!state.isSynchronizing)
        #expect(!state.isRewritingLog)
        #expect(state.replicas.isEmpty)
        #expect(try member.redis.position() == Position(epoch: Epoch(0), sequence: 0))
        #expect(try !member.files.exist())
        var connection = try member.connection()
        let error = #expect(throws: RedisError.self) { _ = try connection.command("SET", "k", "v") }
        #expect(error?.text.hasPrefix("READONLY") == true)
    }

    @Test("is promoted with a marker that counts the data on, and stays as it is if its data is of a later epoch")
    func promotion() throws {
        let member = try MemberFixture()

        #expect(try member.redis.promote(to: Epoch(7)) == Position(epoch: Epoch(7), sequence: 1))
        #expect(try member.redis.position() == Position(epoch: Epoch(7), sequence: 1))
        #expect(try member.redis.replicationState().role == .primary)
        // A leader can begin with what the marker has made.
        #expect(try member.store().load().position == Position(epoch: Epoch(7), sequence: 1))

        try member.redis.detach()
        for epoch in [UInt64(6), 7] {
            let error = #expect(throws: StorageError.self) { try member.redis.promote(to: Epoch(epoch)) }
            #expect(error?.refusal != nil)
            #expect(try member.redis.replicationState().role == .replica(of: MemberRedis.void))
        }
        #expect(try member.redis.promote(to: Epoch(8)) == Position(epoch: Epoch(8), sequence: 2))
    }

    @Test("a replica that was detached goes on in the stream where it was, without a new data set")
    func partialResynchronization() throws {
        let (leader, follower) = (try MemberFixture(), try MemberFixture())
        _ = try leader.redis.promote(to: Epoch(1))
        try follower.follow(leader)
        #expect(try leader.statistic("sync_full") == 1)

        try follower.redis.detach()
        #expect(try follower.redis.replicationState().role == .replica(of: MemberRedis.void))
        let store = try leader.store()
        _ = try store.load()
        try store.commit(.turn(2))
        try follower.follow(leader)

        #expect(try leader.statistic("sync_full") == 1)
        #expect(try leader.statistic("sync_partial_ok") == 1)
        try MemberFixture.poll("the follower has the transaction") {
            try follower.redis.position() == Position(epoch: Epoch(1), sequence: 2)
        }
    }

    @Test("a replica whose sibling was promoted goes on in the stream, without a new data set")
    func promotedSibling() throws {
        let members = try (0..<3).map { _ in try MemberFixture() }
        _ = try members[0].redis.promote(to: Epoch(1))
        try members[1].follow(members[0])
        try members[2].follow(members[0])

        for member in members { try member.redis.detach() }
        let position = try members[1].redis.promote(to: Epoch(2))
        try members[2].follow(members[1])
        try members[0].follow(members[1])
        let held = try members[1].redis.waitForReplicas(
            2,
            among: Set(members.map(\.address)),
            within: .seconds(60)
        )

        #expect(position == Position(epoch: Epoch(2), sequence: 2))
        #expect(held == [members[0].address, members[2].address])
        #expect(try members.map { try $0.redis.position() } == Array(repeating: position, count: 3))
        #expect(try members[1].statistic("sync_full") == 0)
        #expect(try members[1].statistic("sync_partial_ok") == 2)
        let state = try members[1].redis.replicationState()
        #expect(state.replicas(among: held, heardWithin: .seconds(2)) == held)
        #expect(state.replicas(among: [members[0].address], heardWithin: .seconds(2)) == [members[0].address])
        #expect(state.replicas(among: held, atLeastAt: state.offset + 1, heardWithin: .seconds(2)).isEmpty)
    }

    @Test("detaching drops everybody else's connection, and what they had sent but not seen carried out")
    func dropped() throws {
        let (leader, follower) = (try MemberFixture(), try MemberFixture())
        _ = try leader.redis.promote(to: Epoch(1))
        try follower.follow(leader)
        let store = try leader.store()
        _ = try store.load()

        try leader.redis.detach()

        let error = #expect(throws: StorageError.self) { try store.commit(.turn(2)) }
        #expect(error?.isDisconnected == true, "\(String(describing: error))")
        #expect(try leader.redis.replicationState().replicas.isEmpty)
        #expect(try leader.redis.position().sequence == 1)
    }

    @Test("says in time that too few have what was written, and counts a member that is connected twice once")
    func waiting() throws {
        let (leader, follower) = (try MemberFixture(), try MemberFixture())
        #expect(throws: StorageError.self) { try leader.redis.waitForReplicas(1, within: .seconds(1)) }
        _ = try leader.redis.promote(to: Epoch(1))
        #expect(try leader.redis.waitForReplicas(1, within: .milliseconds(20)) == 0)
        try follower.follow(leader)
        #expect(try leader.redis.waitForReplicas(1, within: .seconds(60)) == 1)

        let double = try MemberFixture()
        var connection = try double.connection()
        _ = try connection.command("CONFIG", "SET", "replica-announce-port", follower.address.port)
        try double.follow(leader)
        #expect(try leader.redis.waitForReplicas(2, within: .seconds(60)) == 2)
        let members: Set = [follower.address, RedisAddress(host: "127.0.0.1", port: 1)]
        #expect(try leader.redis.waitForReplicas(2, among: members, within: .seconds(1)) == [follower.address])

        try leader.redis.detach()
        #expect(throws: StorageError.self) { try leader.redis.waitForReplicas(1, within: .seconds(1)) }
    }

    @Test("keeps its position over a crash, as a primary and as a replica, and starts as a replica of the void")
    func crash() throws {
        let (leader, follower) = (try MemberFixture(), try MemberFixture())
        _ = try leader.redis.promote(to: Epoch(1))
        try follower.follow(leader)
        let store = try leader.store(acknowledgement: ReplicaAcknowledgement(replicaCount: 1, timeout: .seconds(9)))
        _ = try store.load()
        for sequence in UInt64(2)...9 { #expect(try store.commit(.turn(sequence)) == .confirmed) }

        for member in [leader, follower] {
            try member.crashAndRestart()
            #expect(try member.redis.replicationState().role == .replica(of: MemberRedis.void))
            #expect(try member.redis.position() == Position(epoch: Epoch(1), sequence: 9))
        }
    }

    @Test(
        "a transaction of several commands is there after a crash, though Redis loads it as a user that nobody can be"
    )
    func severalCommands() throws {
        let member = try MemberFixture()
        // The marker of an empty data set has four.
        let position = try member.redis.promote(to: Epoch(3))
        try member.crashAndRestart()
        #expect(try member.redis.position() == position)
    }

    @Test("the file of a data set that was received stays until it is removed")
    func transferFile() throws {
        let (leader, follower) = (try MemberFixture(), try MemberFixture())
        _ = try leader.redis.promote(to: Epoch(1))
        try follower.follow(leader)

        #expect(try follower.files.exist())
        #expect(try !leader.files.exist())
        try follower.files.remove()
        #expect(try !follower.files.exist())
        try follower.crashAndRestart()
        #expect(try follower.redis.position() == Position(epoch: Epoch(1), sequence: 1))

        try Data().write(to: URL(fileURLWithPath: follower.path + "/temp-1.2.rdb"))
        #expect(try follower.files.exist())
    }

    @Test("the user of the other members can replicate and do nothing else")
    func replicationUser() throws {
        let member = try MemberFixture()
        var connection = try RedisConnection.open(
            .tcp(host: "127.0.0.1", port: member.address.port),
            with: RedisConnectionOptions(
                credentials: .init(
                    username: MemberFixture.replication.name,
                    password: MemberFixture.replication.password
                )
            )
        )
        #expect(try connection.command("PING").string == "PONG")
        for command in [
            ["GET", "k"], ["SET", "k", "v"], ["REPLICAOF", "NO", "ONE"], ["INFO"], ["CONFIG", "GET", "*"],
            ["WAIT", "1", "1"],
            ["CLIENT", "KILL", "TYPE", "normal"], ["ACL", "LIST"], ["EVAL", "return 1", "0"], ["SHUTDOWN"],

            ["KEYS", "*"], ["PUBLISH", "c", "m"], ["FLUSHALL"],
        ] {
            let error = #expect(throws: RedisError.self) {
                _ = try connection.command(command[0], arguments: Array(command.dropFirst()))
            }
            #expect(error?.text.hasPrefix("NOPERM") == true, "\(command): \(String(describing: error))")
        }
    }

    @Test("nobody comes in without a password, by the port or by the socket", arguments: [true, false])
    func unauthenticated(bySocket: Bool) throws {
        let member = try MemberFixture()
        let endpoint: RedisEndpoint =
            bySocket
            ? .unixSocket(path: member.server.socketPath) : .tcp(host: "127.0.0.1", port: member.address.port)
        var connection = try RedisConnection.open(endpoint)
        let error = #expect(throws: RedisError.self) { _ = try connection.command("PING") }
        #expect(error?.text.hasPrefix("NOAUTH") == true)
        for credentials in [
            RedisConnectionOptions.Credentials(password: ""), .init(username: "manager", password: "wrong"),
        ] {
            #expect(throws: RedisError.self) {
                _ = try RedisConnection.open(endpoint, with: RedisConnectionOptions(credentials: credentials))
            }
        }
    }

    @Test("does not start with a log whose end is missing")
    func tornLog() throws {
        let member = try MemberFixture()
        _ = try member.redis.promote(to: Epoch(1))
        member.process.end(with: SIGKILL)
        let logs = try FileManager.default.contentsOfDirectory(atPath: member.path + "/millrace-aof")
        let log = try #require(logs.first { $0.hasSuffix(".incr.aof") })
        let handle = try #require(FileHandle(forUpdatingAtPath: member.path + "/millrace-aof/" + log))
        try handle.truncate(atOffset: try handle.seekToEnd() - 3)
        try handle.close()

        #expect(throws: TestSupportError.self) { try member.process.start() }
    }
}

extension RedisError {
    /// The text of a refusal; empty for everything else.
    var text: String {
        if case .refused(let text) = self { text } else { "" }
    }
}

extension StorageError {
    var isDisconnected: Bool {
        if case .disconnected = self { true } else { false }
    }
}
