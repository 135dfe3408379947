import Glibc
import Redis
import TestSupport
import Testing
import ThreadConfinement

@Suite("A Redis connection")
struct RedisConnectionTests {
    private func open(
        _ server: RedisServer,
        silenceTimeout: Duration? = .seconds(30)
    ) throws(RedisError) -> RedisConnection {
        try RedisConnection.open(
            .unixSocket(path: server.socketPath),
            with: RedisConnectionOptions(silenceTimeout: silenceTimeout)
        )
    }

    /// What a connection that must not be there says.
    private func failure(of endpoint: RedisEndpoint, with options: RedisConnectionOptions) -> RedisError? {
        do throws(RedisError) {
            _ = try RedisConnection.open(endpoint, with: options)
            return nil
        } catch {
            return error
        }
    }

    // MARK: Answers

    @Test("gives back each kind of answer as what it is")
    func kinds() throws {
        let server = try RedisServer()
        var redis = try self.open(server)

        try redis.command("SET", "text", "välue").requireOK(to: "SET")
        #expect(try redis.command("GET", "text").string == "välue")
        #expect(try redis.command("GET", "text").bytes == Array("välue".utf8))
        #expect(try redis.command("GET", "none").isNull == true)
        #expect(try redis.command("INCRBY", [UInt8]("n".utf8), -7).requireInteger(to: "INCRBY") == -7)
        #expect(try redis.command("GET", "text").integer == nil)

        try redis.command("RPUSH", arguments: ["list", "a", "b", 3]).requireSuccess()
        let list = try redis.command("LRANGE", "list", 0, -1)
        #expect(try list.requireArray(to: "LRANGE") == 3)
        #expect((0..<list.count).map { list.withElement($0) { $0.string } } == ["a", "b", "3"])
    }

    @Test("throws what Redis refuses, and goes on")
    func refused() throws {
        let server = try RedisServer()
        var redis = try self.open(server)
        try redis.command("SET", "text", "x").requireOK(to: "SET")
        #expect(throws: RedisError.refused("ERR value is not an integer or out of range")) {
            _ = try redis.command("INCR", "text")
        }
        #expect(redis.isUsable == true)
        #expect(try redis.command("PING").string == "PONG")
    }

    @Test("says so when the answer is not what the command promises")
    func unexpected() throws {
        let server = try RedisServer()
        var redis = try self.open(server)
        #expect(throws: RedisError.unexpectedReply(to: "PING")) { try redis.command("PING").requireOK(to: "PING") }
        #expect(throws: RedisError.unexpectedReply(to: "PING")) {
            _ = try redis.command("PING").requireInteger(to: "PING")
        }
        #expect(throws: RedisError.unexpectedReply(to: "PING")) {
            _ = try redis.command("PING").requireArray(to: "PING")
        }
    }

    @Test("shows the errors inside the answer of a transaction")
    func nestedErrors() throws {
        let server = try RedisServer()
        var redis = try self.open(server)
        var commands = RedisCommandBuffer()
        commands.begin("MULTI", argumentCount: 0)
        commands.begin("SET", argumentCount: 2)
        commands.append("text")
        commands.append("x")
        commands.begin("INCR", argumentCount: 1)
        commands.append("text")
        commands.begin("EXEC", argumentCount: 0)
        try redis.send(commands)
        try redis.nextReply().requireOK(to: "MULTI")
        #expect(try redis.nextReply().string == "QUEUED")
        #expect(try redis.nextReply().string == "QUEUED")
        let results = try redis.nextReply()
        #expect(results.count == 2)
        #expect(results.withElement(0) { $0.string } == "OK")
        #expect(results.withElement(1) { $0.error } == "ERR value is not an integer or out of range")
        #expect(redis.awaitedReplyCount == 0)
    }

    // MARK: Sizes

    @Test("carries eight mebibytes there and back, over TCP as well")
    func bigPayload() throws {
        let server = try RedisServer(listeningOnTCP: true)
        let port = try #require(server.port)
        let payload = patternedBytes(8 << 20)
        var writer = try self.open(server)
        var reader = try RedisConnection.open(.tcp(host: "127.0.0.1", port: port))
        try writer.command("SET", "big", payload).requireOK(to: "SET")
        let answer = try reader.command("GET", "big")
        let isEqual = answer.bytes == payload
        #expect(isEqual)
    }

    @Test("takes ten thousand answers that are larger than the buffers of the sockets")
    func pipeline() throws {
        let server = try RedisServer()
        var redis = try self.open(server)
        let filler = String(repeating: "x", count: 1_024)
        var commands = RedisCommandBuffer()
        for number in 0..<10_000 {
            commands.begin("ECHO", argumentCount: 1)
            commands.append("\(number):\(filler)")
        }
        try redis.send(commands)
        #expect(redis.awaitedReplyCount == 10_000)
        for number in 0..<10_000 {
            let reply = try redis.nextReply()
            try #require(reply.string == "\(number):\(filler)", "at answer \(number)")
        }
        #expect(try redis.command("PING").string == "PONG")
    }

    @Test("takes answers while it sends, so that a peer that does the same never stands still with it")
    func noDeadlock() throws {
        let peer = try EchoPeer()
        let filler = [UInt8](repeating: 120, count: 1_024)
        do {
            var redis = try RedisConnection.open(.unixSocket(path: peer.path))
            var commands = RedisCommandBuffer()
            for number in 0..<10_000 {
                commands.begin("ECHO", argumentCount: 2)
                commands.append(number)
                commands.append(filler)
            }
            try redis.send(commands)
            for number in 0..<10_000 {
                let reply = try redis.nextReply()
                try #require(reply.withElement(1) { $0.string } == String(number))
            }
        }
        peer.join()
    }

    @Test("frees the answers that nobody takes")
    func untaken() throws {
        let peer = try EchoPeer()
        do {
            var redis = try RedisConnection.open(.unixSocket(path: peer.path))
            var commands = RedisCommandBuffer()
            for _ in 0..<2_000 {
                commands.begin("ECHO", argumentCount: 1)
                commands.append([UInt8](repeating: 0, count: 1_024))
            }
            try redis.send(commands)
            #expect(redis.awaitedReplyCount == 2_000)
        }
        peer.join()
    }

    // MARK: Failures

    @Test("throws disconnected when the server dies, then and ever after")
    func killed() throws {
        let server = try RedisServer()
        var redis = try self.open(server)
        var commands = RedisCommandBuffer()
        commands.begin("PING", argumentCount: 0)
        commands.begin("BLPOP", argumentCount: 2)
        commands.append("nothing")
        commands.append(0)
        try redis.send(commands)
        #expect(try redis.nextReply().string == "PONG")
        server.kill()

        let closed = RedisError.disconnected(reason: "Redis closed the connection")
        #expect(throws: closed) { _ = try redis.nextReply() }
        #expect(redis.isUsable == false)
        #expect(throws: closed) { try redis.send(commands) }
        #expect(throws: closed) { _ = try redis.nextReply() }

        try server.restart()
        #expect(throws: closed) { try redis.send(commands) }
    }

    @Test("throws disconnected when it writes to a server that has died")
    func killedBeforeWrite() throws {
        let server = try RedisServer()
        var redis = try self.open(server)
        server.kill()
        #expect(throws: RedisError.disconnected(reason: "Broken pipe")) { _ = try redis.command("PING") }
    }

    @Test("times out when the server is silent, and is of no use afterwards")
    func paused() throws {
        let server = try RedisServer()
        var redis = try self.open(server, silenceTimeout: .milliseconds(500))
        server.pause()
        #expect(throws: RedisError.timedOut) { _ = try redis.command("PING") }
        server.resume()
        #expect(throws: RedisError.disconnected(reason: "Redis was silent for too long")) {
            _ = try redis.command("ECHO", "x")
        }
    }

    @Test("times out when the server takes nothing of what is sent")
    func pausedWhileWriting() throws {
        let server = try RedisServer()
        var redis = try self.open(server, silenceTimeout: .milliseconds(500))
        server.pause()
        #expect(throws: RedisError.timedOut) {
            _ = try redis.command("SET", "big", [UInt8](repeating: 0, count: 8 << 20))
        }
        #expect(redis.isUsable == false)
    }

    @Test("breaks at bytes that are no answer")
    func garbage() throws {
        let peer = try EchoPeer(greeting: "HTTP/1.1 400 Bad Request\r\n")
        do {
            var redis = try RedisConnection.open(.unixSocket(path: peer.path))
            #expect(throws: RedisError.disconnected(reason: "Protocol error, got \"H\" as reply type byte")) {
                _ = try redis.command("PING")
            }
            #expect(redis.isUsable == false)
        }
        peer.join()
    }

    // MARK: Connecting

    @Test("throws disconnected where nobody listens")
    func nobody() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("none.sock")
        #expect(
            self.failure(of: .unixSocket(path: path), with: RedisConnectionOptions())
                == .disconnected(reason: "No such file or directory")
        )
        #expect(
            self.failure(of: .tcp(host: "127.0.0.1", port: try freePort()), with: RedisConnectionOptions())
                == .disconnected(reason: "Connection refused")
        )
    }

    @Test("takes a socket path of 107 bytes and none that is longer")
    func pathLimit() {
        let longest = "/" + String(repeating: "p", count: RedisEndpoint.socketPathByteLimit - 1)
        #expect(
            self.failure(of: .unixSocket(path: longest), with: RedisConnectionOptions())
                == .disconnected(reason: "No such file or directory")
        )
        #expect(
            self.failure(of: .unixSocket(path: longest + "p"), with: RedisConnectionOptions())
                == .disconnected(reason: "the path \(longest)p is too long for a socket")
        )
    }

    @Test("is refused with a wrong password, and let in with the right one")
    func authentication() throws {
        let server = try RedisServer(arguments: ["--requirepass", "open sesame"])
        let endpoint = RedisEndpoint.unixSocket(path: server.socketPath)
        var options = RedisConnectionOptions(credentials: .init(password: "wrong"))
        let wrong = RedisError.refused("WRONGPASS invalid username-password pair or user is disabled.")
        #expect(self.failure(of: endpoint, with: options) == wrong)

        options.credentials = .init(username: "nobody", password: "open sesame")
        #expect(self.failure(of: endpoint, with: options) == wrong)

        options.credentials = .init(username: "default", password: "open sesame")
        var redis = try RedisConnection.open(endpoint, with: options)
        #expect(try redis.command("PING").string == "PONG")

        options.credentials = nil
        var anonymous = try RedisConnection.open(endpoint, with: options)
        #expect(throws: RedisError.refused("NOAUTH Authentication required.")) { _ = try anonymous.command("PING") }
    }

    @Test("finds what was written before a restart in a new connection")
    func restart() throws {
        let server = try RedisServer()
        var before = try self.open(server)
        try before.command("SET", "kept", "yes").requireOK(to: "SET")
        try server.restart()
        var after = try self.open(server)
        #expect(try after.command("GET", "kept").string == "yes")
    }
}
