import FaktoryClient
import Foundation
import Testing

/// Starting, stopping, reloading, and what a directory is guarded by.
struct LifecycleTests {
    private static let job = #"PUSH {"jid":"lifecycle-1","jobtype":"A","args":[]}"#

    @Test("signals that come again and again never crash it, and it ends with 0", arguments: [SIGTERM, SIGINT])
    func impatience(signal: Int32) async throws {
        try await withMillrace { server in
            #expect(try server.connect().ask(Self.job) == "+OK\r\n")
            // A connection that waits for a job must not hold up the end.
            let waiting = try server.connect()
            try waiting.send("FETCH nothing\r\n")
            for _ in 0..<4 { server.program.send(signal) }
            #expect(try server.program.waitForEnd() == .code(0))
            try server.startAgain()
            #expect(try server.connect().info().faktory.total_enqueued == 1)
        }
    }

    @Test("all processes killed at once leave every acknowledged job for the next start")
    func powerSwitch() async throws {
        try await withMillrace { server in
            let client = try server.connect()
            for number in 0..<100 {
                _ = try client.ask(#"PUSH {"jid":"power-switch-\#(number)","jobtype":"A","args":[]}"#)
            }
            try server.killAll()
            try server.startAgain()
            #expect(try server.connect().info().faktory.total_enqueued == 100)
        }
    }

    @Test("a supervisor that is killed and started again at once serves each time, with what was acknowledged before")
    func supervisorKilled() async throws {
        try await withMillrace { server in
            for round in 1...20 {
                let push = #"PUSH {"jid":"supervisor-killed-\#(round)","jobtype":"A","args":[]}"#
                #expect(try server.connect().ask(push) == "+OK\r\n", "round \(round)")
                // Its children hear of it, and may take a moment to end.
                server.program.kill()
                try server.startAgain()
                #expect(try server.connect().info().faktory.total_enqueued == round, "round \(round)")
            }
        }
    }

    @Test("a second server on the same directory says so and ends, and the first goes on")
    func rival() async throws {
        try await withMillrace { server in
            let rival = try server.startRival()
            #expect(try rival.waitForEnd() == .code(1))
            #expect(rival.text.contains("is in use by another millrace dev"))
            #expect(try server.connect().ask(Self.job) == "+OK\r\n")
        }
    }

    @Test("SIGHUP lets a new password take effect, and its absence, for those who come then")
    func passwordReload() async throws {
        try await withMillrace(configuration: ["millrace.toml": "[front]\npassword = \"first\"\n"]) { server in
            let early = try Self.client(at: server, password: "first")
            try await early.push(JobRequest("Early"))
            try Self.reload(server, ["millrace.toml": "[front]\npassword = \"second\"\n"])

            try await Self.client(at: server, password: "second").push(JobRequest("Late"))
            let error = await #expect(throws: FaktoryError.self) {
                try await Self.client(at: server, password: "first").push(JobRequest("Late"))
            }
            #expect(error?.code == .authenticationFailed)
            // Its password would be refused now, so this is the connection that it had before.
            try await early.push(JobRequest("Early"))

            try Self.reload(server, ["millrace.toml": "[front]\nfetch_wait = \"1s\"\n"])
            #expect(try server.open().readLine() == "+HI {\"v\":2}\r\n")
            try await early.push(JobRequest("Early"))
            #expect(try server.connect().info().faktory.total_enqueued == 4)
        }
    }

    @Test("SIGHUP lets a new certificate take effect for those who come then, and the others go on with the old one")
    func certificateReload() async throws {
        let old = try ServerCertificate()
        let new = try ServerCertificate()
        try await withMillrace(configuration: old.files) { server in
            let early = try Self.client(at: server, trusting: old)
            try await early.push(JobRequest("Early"))
            try Self.reload(server, new.files)

            try await Self.client(at: server, trusting: new).push(JobRequest("Late"))
            let error = await #expect(throws: FaktoryError.self) {
                try await Self.client(at: server, trusting: old).push(JobRequest("Late"))
            }
            #expect(error?.code == .connectionFailed)
            // It would not trust the server's new certificate, so this is the connection that it had before.
            try await early.push(JobRequest("Early"))
            #expect(try await early.info().enqueuedCount == 3)
        }
    }

    /// A client with one connection, which makes it once.
    private static func client(
        at server: MillraceProcesses,
        password: String? = nil,
        trusting certificate: ServerCertificate? = nil
    ) throws -> FaktoryClient {
        var configuration = ClientConfiguration(host: "127.0.0.1", port: server.port)
        configuration.password = password
        configuration.tls = certificate.map { TLSOptions(trustRoots: .pem($0.certificate)) }
        configuration.maximumConnectionCount = 1
        configuration.reconnection.maximumAttemptCount = 1
        return try FaktoryClient(configuration: configuration)
    }

    /// Writes files of the config directory and returns once the front has taken them.
    private static func reload(_ server: MillraceProcesses, _ files: [String: String]) throws {
        // The last of the roles to be there has read the old settings.
        try server.program.wait(forLineWith: "scheduling")
        let before = server.program.lineCount
        try server.configure(files)
        server.program.send(SIGHUP)
        try server.program.wait(forLineWith: "The front took a new", skipping: before)
    }

    @Test("a settings file that became nonsense changes nothing at SIGHUP")
    func badReload() async throws {
        try await withMillrace(configuration: ["millrace.toml": "[log]\nlevel = \"info\"\n"]) { server in
            // The last of the roles to be there has read the old settings.
            try server.program.wait(forLineWith: "scheduling")
            let before = server.program.lineCount
            try server.configure(["millrace.toml": "[front]\nno_such_key = 1\n"])
            server.program.send(SIGHUP)
            try server.program.wait(forLineWith: "no_such_key", skipping: before)
            #expect(try server.connect().ask(Self.job) == "+OK\r\n")
        }
    }
}
