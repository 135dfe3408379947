@testable import FaktoryClient
import FaktoryWire
import Foundation
import NIOCore
import Synchronization
import Testing

@Suite("Client", .timeLimit(.minutes(10)))
struct FaktoryClientTests {
    private struct Receipt: FaktoryJob {
        static let jobType = "Receipt"
        static let queue = "mail"
        let order: Int
    }

    /// Answers HELLO, and everything else as `script` says.
    private func afterHello(_ script: @escaping ScriptedServer.Script) -> ScriptedServer.Script {
        { $0.line.hasPrefix("HELLO ") ? .ok : script($0) }
    }

    private func withClient<Result>(
        answering script: @escaping ScriptedServer.Script,
        change: (inout ClientConfiguration) -> Void = { _ in },
        _ body: (FaktoryClient, ScriptedServer) async throws -> Result
    ) async throws -> Result {
        try await ScriptedServer.serving(script: self.afterHello(script)) { server in
            var configuration = server.configuration
            change(&configuration)
            let client = try FaktoryClient(configuration: configuration)
            defer { client.close() }
            return try await body(client, server)
        }
    }

    @Test("every command goes over one connection with the bytes that servers expect")
    func transcript() async throws {
        let answers: [String: ScriptedServer.Answer] = [
            "PUSHB": .bulk("{\"id-000002\":\"NOTUNIQUE Job not unique\"}"),
            "FETCH": .bulk("{\"jid\":\"id-000001\",\"jobtype\":\"T\",\"args\":[12345678901234567890,{\"a\":[1.10]}]}"),
            "QUEUE LATENCY": .bulk("{\"a\":0.5,\"b\":0}"),
            "INFO": .bulk(
                "{\"faktory\":{\"queues\":{\"a\":3},\"sets\":{\"dead\":1},\"total_processed\":7,\"total_failures\":2},"
                    + "\"server\":{\"description\":\"Millrace\",\"faktory_version\":\"1.10.0\",\"uptime\":61}}"
            ),
        ]
        let script: ScriptedServer.Script = { received in
            answers.first { received.line.hasPrefix($0.key + ($0.key == "PUSHB" ? " " : "")) }?.value ?? .ok
        }
        try await self.withClient(answering: script) { client, server in
            var one = try JobRequest("T", arguments: 1, "x")
            one.id = "id-000001"
            var two = one
            two.id = "id-000002"
            try await client.push(one)
            let rejected = try await client.push([one, two])
            let job = try await client.fetch(from: ["a", "b"])
            try await client.acknowledge("id-000001")
            try await client.fail("id-000001", because: JobFailure(errorType: "E", message: "m", backtrace: ["l"]))
            let info = try await client.info()
            try await client.flush()
            try await client.pause(queues: ["a", "b"])
            try await client.resume(queues: ["*"])
            try await client.remove(queues: ["a"])
            let latencies = try await client.latency(of: ["a", "b"])
            try await client.mutate(JobMutation(.kill, .retries, where: .init(jobType: "A B")))

            #expect(rejected == [RejectedJob(id: "id-000002", reason: "NOTUNIQUE Job not unique")])
            #expect(job?.argumentsJSON == ["12345678901234567890", "{\"a\":[1.10]}"])
            #expect(info.serverDescription == "Millrace")
            #expect(info.queueSizes == ["a": 3])
            #expect(info.setSizes == ["dead": 1])
            #expect(info.processedCount == 7)
            #expect(info.uptime == .seconds(61))
            #expect(latencies == ["a": .milliseconds(500), "b": .zero])
            let pushed = "{\"jid\":\"id-000001\",\"jobtype\":\"T\",\"args\":[1,\"x\"],\"queue\":\"default\"}"
            #expect(
                server.received.map(\.line) == [
                    "HELLO {\"v\":2}",
                    "PUSH \(pushed)",
                    "PUSHB [\(pushed),\(pushed.replacingOccurrences(of: "01", with: "02"))]",
                    "FETCH a b",
                    "ACK {\"jid\":\"id-000001\"}",
                    "FAIL {\"jid\":\"id-000001\",\"errtype\":\"E\",\"message\":\"m\",\"backtrace\":[\"l\"]}",
                    "INFO",
                    "FLUSH",
                    "QUEUE PAUSE a b",
                    "QUEUE RESUME *",
                    "QUEUE REMOVE a",
                    "QUEUE LATENCY a b",
                    "MUTATE {\"cmd\":\"kill\",\"target\":\"retries\",\"filter\":{\"jobtype\":\"A\\u0020B\"}}",
                ]
            )
            #expect(server.connectionCount == 1)
        }
    }

    @Test("a typed job goes to the queue of its type as one argument")
    func typed() async throws {
        try await self.withClient(answering: { _ in .ok }) { client, server in
            let id = try await client.push(Receipt(order: 7))
            let line = "PUSH {\"jid\":\"\(id)\",\"jobtype\":\"Receipt\",\"args\":[{\"order\":7}],\"queue\":\"mail\"}"
            #expect(server.lines("PUSH") == [line])
        }
    }

    @Test("a list longer than a batch goes in several, and an empty one not at all")
    func batches() async throws {
        try await self.withClient(answering: { _ in .bulk("{}") }) { client, server in
            let job = try JobRequest("T")
            #expect(try await client.push([]).isEmpty)
            #expect(server.connectionCount == 0)
            #expect(try await client.push(Array(repeating: job, count: FaktoryClient.maximumBatchCount)).isEmpty)
            #expect(server.lines("PUSHB").count == 1)
            #expect(try await client.push(Array(repeating: job, count: FaktoryClient.maximumBatchCount + 1)).isEmpty)
            #expect(server.lines("PUSHB").count == 3)
        }
    }

    @Test(
        "an empty fetch is nil, whether the server says nothing or says it in no bytes",
        arguments: ["$-1\r\n", "$0\r\n\r\n"]
    )
    func emptyFetch(reply: String) async throws {
        try await self.withClient(answering: { _ in .bytes(reply) }) { client, _ in
            let job = try await client.fetch(from: ["a"])
            #expect(job == nil)
        }
    }

    @Test("a refusal carries the server's code and words, and the connection is used again")
    func refused() async throws {
        try await self.withClient(answering: { _ in .bytes("-NOTUNIQUE Job not unique\r\n") }) { client, server in
            for _ in 1...2 {
                let error = await #expect(throws: FaktoryError.self) { try await client.push(JobRequest("T")) }
                #expect(error?.code == .refused)
                #expect(error?.serverCode == "NOTUNIQUE")
                #expect(error?.message == "Job not unique")
            }
            #expect(server.connectionCount == 1)
        }
    }

    @Test(
        "a queue's name that would be another command is never sent",
        arguments: [[], [""], ["a b"], ["a\r\nFLUSH"], ["ä"]]
    )
    func queueNames(names: [String]) async throws {
        try await self.withClient(answering: { _ in .ok }) { client, server in
            let error = await #expect(throws: FaktoryError.self) { try await client.fetch(from: names) }
            #expect(error?.code == .invalidName)
            #expect(server.connectionCount == 0)
        }
    }

    // MARK: Broken connections

    @Test("a push whose connection broke is sent again on a new one")
    func resend() async throws {
        let script: ScriptedServer.Script = { $0.connection == 1 ? .close("") : .ok }
        try await self.withClient(answering: script) { client, server in
            try await client.push(JobRequest("T"))
            let pushes = server.received.filter { $0.line.hasPrefix("PUSH") }
            #expect(pushes.map(\.connection) == [1, 2])
            #expect(pushes.first?.line == pushes.last?.line)
        }
    }

    @Test("a push whose connection broke is an error when resending is switched off")
    func noResend() async throws {
        let script: ScriptedServer.Script = { $0.connection == 1 ? .close("") : .ok }
        try await self.withClient(answering: script, change: { $0.resendsPushes = false }) { client, server in
            let error = await #expect(throws: FaktoryError.self) { try await client.push(JobRequest("T")) }
            #expect(error?.code == .connectionLost)
            #expect(server.lines("PUSH").count == 1)
        }
    }

    @Test("a flush is never sent twice")
    func flushOnce() async throws {
        try await self.withClient(answering: { _ in .close("") }) { client, server in
            let error = await #expect(throws: FaktoryError.self) { try await client.flush() }
            #expect(error?.code == .connectionLost)
            #expect(server.lines("FLUSH").count == 1)
        }
    }

    @Test("as many attempts are made as are allowed and no more")
    func attempts() async throws {
        try await self.withClient(answering: { _ in .close("") }) { client, server in
            let error = await #expect(throws: FaktoryError.self) { try await client.push(JobRequest("T")) }
            #expect(error?.code == .connectionLost)
            #expect(server.lines("PUSH").count == 3)
        }
    }

    @Test("a connection that broke while it was idle is replaced, even for a command that is not to be repeated")
    func idleBreaks() async throws {
        let script: ScriptedServer.Script = { $0.line.hasPrefix("PUSH") ? .close("+OK\r\n") : .ok }
        try await self.withClient(answering: script) { client, server in
            try await client.push(JobRequest("T"))
            _ = await server.first { $0 == .init(connection: 1, line: "") }
            do {
                try await client.flush()
            } catch let error as FaktoryError where error.code == .connectionLost {
                // The end of the connection had not reached the client before the command did: now it has.
                try await client.flush()
            }
            #expect(server.connectionCount == 2)
        }
    }

    @Test("a server that is not there is a failed connection after all attempts")
    func unreachable() async throws {
        let port = try await ScriptedServer.serving(script: { _ in .ok }) { $0.port }
        var configuration = ClientConfiguration(host: "127.0.0.1", port: port)
        configuration.reconnection = Backoff(initialDelay: .milliseconds(1), maximumAttemptCount: 2)
        let client = try FaktoryClient(configuration: configuration)
        let error = await #expect(throws: FaktoryError.self) { try await client.push(JobRequest("T")) }
        #expect(error?.code == .connectionFailed)
    }

    @Test("bytes that are no reply end the connection")
    func garbage() async throws {
        try await self.withClient(answering: { _ in .bytes("*1\r\n") }) { client, server in
            let error = await #expect(throws: FaktoryError.self) { try await client.push(JobRequest("T")) }
            #expect(error?.code == .protocolViolation)
            _ = await server.first { $0 == .init(connection: 1, line: "") }
        }
    }

    @Test("a server that turns a client away after the handshake is quoted")
    func turnedAway() async throws {
        let script: ScriptedServer.Script = { _ in .close("+OK\r\n-ERR too many connections: 9\r\n") }
        try await ScriptedServer.serving(script: script) { server in
            var configuration = server.configuration
            configuration.reconnection.maximumAttemptCount = 1
            let client = try FaktoryClient(configuration: configuration)
            let error = await #expect(throws: FaktoryError.self) { try await client.flush() }
            #expect(error?.code == .connectionFailed)
            #expect(error?.message.contains("too many connections: 9") == true)
        }
    }

    @Test("commands that are sent before earlier ones are answered get their own answers")
    func pipelined() async throws {
        try await ScriptedServer.serving(script: self.afterHello { .bytes("+\($0.line)\r\n") }) { server in
            let connection = try await FaktoryConnection.open(to: server.configuration, tls: nil)
            let answers = try await withThrowingTaskGroup(of: (Int, Reply).self) { group in
                for number in 0..<100 {
                    group.addTask {
                        (
                            number,
                            try await connection.send(ByteBuffer(string: "N \(number)\r\n"), timeout: .seconds(60))
                        )
                    }
                }
                return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            #expect(answers == Dictionary(uniqueKeysWithValues: (0..<100).map { ($0, .simple("N \($0)")) }))
            #expect(server.connectionCount == 1)
            connection.close()
        }
    }

    @Test("the time limit of a command that was answered does not hold for the next")
    func deadlineEnds() async throws {
        let script = self.afterHello { $0.line == "SLOW" ? .later("+OK\r\n", .milliseconds(5_500)) : .ok }
        try await ScriptedServer.serving(script: script) { server in
            let connection = try await FaktoryConnection.open(to: server.configuration, tls: nil)
            let quick = try await connection.send(ByteBuffer(string: "QUICK\r\n"), timeout: .seconds(5))
            let slow = try await connection.send(ByteBuffer(string: "SLOW\r\n"), timeout: .seconds(60))
            #expect([quick, slow] == [.simple("OK"), .simple("OK")])
            connection.close()
        }
    }

    @Test("a client that nobody holds any more takes leave")
    func released() async throws {
        try await ScriptedServer.serving(script: { $0.line == "END" ? .close("") : .ok }) { server in
            try await FaktoryClient(configuration: server.configuration).push(JobRequest("T"))
            #expect(await server.first { $0.line == "END" } != nil)
        }
    }

    // MARK: Time and cancellation

    @Test("a command without an answer times out, and its connection is not used again")
    func timeout() async throws {
        let script: ScriptedServer.Script = { $0.connection == 1 ? .silence : .ok }
        try await self.withClient(answering: script, change: { $0.commandTimeout = .seconds(3) }) {
            client,
            server in
            let error = await #expect(throws: FaktoryError.self) { try await client.push(JobRequest("T")) }
            #expect(error?.code == .timedOut)
            try await client.flush()
            #expect(server.connectionCount == 2)
        }
    }

    @Test("a server that does not greet is a failed connection")
    func noGreeting() async throws {
        try await ScriptedServer.serving(greeting: "", script: { _ in .silence }) { server in
            var configuration = server.configuration
            configuration.connectTimeout = .milliseconds(20)
            configuration.reconnection.maximumAttemptCount = 1
            let client = try FaktoryClient(configuration: configuration)
            let error = await #expect(throws: FaktoryError.self) { try await client.push(JobRequest("T")) }
            #expect(error?.code == .connectionFailed)
        }
    }

    @Test("a caller who is cancelled stops waiting, and the connection goes with the answer")
    func cancelled() async throws {
        let script: ScriptedServer.Script = { $0.line.hasPrefix("FETCH") ? .silence : .ok }
        try await self.withClient(answering: script, change: { $0.maximumConnectionCount = 1 }) { client, server in
            let fetch = Task { try await client.fetch(from: ["a"]) }
            _ = await server.first { $0.line == "FETCH a" }
            fetch.cancel()
            await #expect(throws: CancellationError.self) { try await fetch.value }
            try await client.push(JobRequest("T"))
            #expect(server.received.filter { $0.line.hasPrefix("PUSH") }.map(\.connection) == [2])
        }
    }

    @Test("a closed client takes leave and refuses commands")
    func closed() async throws {
        try await self.withClient(answering: { $0.line == "END" ? .close("") : .ok }) { client, server in
            try await client.push(JobRequest("T"))
            client.close()
            _ = await server.first { $0.line == "END" }
            let error = await #expect(throws: FaktoryError.self) { try await client.push(JobRequest("T")) }
            #expect(error?.code == .closed)
        }
    }

    @Test("no more connections are made than are allowed, however many callers there are")
    func bounded() async throws {
        let script: ScriptedServer.Script = { _ in .later("+OK\r\n", .milliseconds(1)) }
        try await self.withClient(answering: script, change: { $0.maximumConnectionCount = 3 }) { client, server in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<50 { group.addTask { try await client.push(JobRequest("T")) } }
                try await group.waitForAll()
            }
            #expect(server.lines("PUSH").count == 50)
            #expect(server.connectionCount <= 3)
        }
    }

    // MARK: Handshake

    private static let challenge = PasswordChallenge(iterations: 4000, salt: "5e1ab0f3c2d4e687")
    private static let greeting = "+HI {\"v\":2,\"i\":4000,\"s\":\"5e1ab0f3c2d4e687\"}\r\n"

    @Test("the password is proven with the hash that the server expects")
    func password() async throws {
        let hash = "8732ed71e1bdd338db8171dd386ed1b0c33dcafc9e16cd4e26646f4f01494d5a"
        try await ScriptedServer.serving(greeting: Self.greeting, script: { _ in .ok }) { server in
            var configuration = server.configuration
            configuration.password = "open-sesame"
            try await FaktoryClient(configuration: configuration).push(JobRequest("T"))
            #expect(server.lines("HELLO") == ["HELLO {\"pwdhash\":\"\(hash)\",\"v\":2}"])
        }
    }

    @Test("a wrong or missing password is told at once, and not tried again", arguments: ["wrong", nil])
    func wrongPassword(password: String?) async throws {
        let script: ScriptedServer.Script = { _ in .close("-ERR Invalid password\r\n") }
        try await ScriptedServer.serving(greeting: Self.greeting, script: script) { server in
            var configuration = server.configuration
            configuration.password = password
            let client = try FaktoryClient(configuration: configuration)
            let error = await #expect(throws: FaktoryError.self) { try await client.push(JobRequest("T")) }
            #expect(error?.code == .authenticationFailed)
            #expect(server.connectionCount == 1)
        }
    }

    @Test(
        "a greeting that cannot be answered is no server of ours",
        arguments: ["+HI {\"v\":3}\r\n", "+PONG\r\n", "$2\r\nHI\r\n"]
    )
    func wrongGreeting(greeting: String) async throws {
        try await ScriptedServer.serving(greeting: greeting, script: { _ in .ok }) { server in
            let client = try FaktoryClient(configuration: server.configuration)
            let error = await #expect(throws: FaktoryError.self) { try await client.push(JobRequest("T")) }
            #expect(error?.code == .protocolViolation)
        }
    }

    @Test("only a client with an identity has a heartbeat, and it hears the server's signal")
    func beat() async throws {
        let script: ScriptedServer.Script = { $0.line.contains("quiet") ? .bulk("{\"state\":\"terminate\"}") : .ok }
        try await self.withClient(answering: script) { client, _ in
            let error = await #expect(throws: FaktoryError.self) { try await client.beat() }
            #expect(error?.code == .invalidConfiguration)
        }
        let identity = WorkerIdentity(id: "w-1", hostname: "h", processID: 7, labels: ["l"])
        try await self.withClient(answering: script, change: { $0.identity = identity }) { client, server in
            let first = try await client.beat()
            let second = try await client.beat(in: .quiet)
            #expect([first, second] == [.running, .terminating])
            #expect(
                server.lines("HELLO").first?.hasPrefix("HELLO {\"hostname\":\"h\",\"wid\":\"w-1\",\"pid\":7,") == true
            )
            #expect(server.lines("BEAT").last?.hasPrefix("BEAT {\"wid\":\"w-1\",\"current_state\":\"quiet\"") == true)
        }
    }
}
