import Foundation
import TestSupport
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
            let processIDs = try Role.allCases.map { try server.processID(of: $0) }
            server.program.send(SIGKILL)
            for processID in processIDs { kill(processID, SIGKILL) }
            #expect(try server.program.waitForEnd() == .signal(SIGKILL))
            try server.startAgain()
            #expect(try server.connect().info().faktory.total_enqueued == 100)
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

    @Test("SIGHUP lets a new password take effect without a connection being lost")
    func reload() async throws {
        let configuration = ["millrace.toml": "[front]\npassword = \"first\"\n"]
        try await onThread {
            let server = try MillraceProcesses(configuration: configuration)
            let old = try server.open()
            let greeting = try old.readLine()
            #expect(greeting.hasPrefix(#"+HI {"v":2,"i":"#))
            // The last of the roles to be there has read the old settings.
            try server.program.wait(forLineWith: "scheduling")
            let before = server.program.lineCount
            try "[front]\nfetch_wait = \"1s\"\n".write(
                toFile: server.directory.file("config/millrace.toml"),
                atomically: true,
                encoding: .utf8
            )
            server.program.send(SIGHUP)
            try server.program.wait(forLineWith: "Took a new password and certificate", skipping: before)
            let client = try server.open()
            #expect(try client.readLine() == "+HI {\"v\":2}\r\n")
        }
    }

    @Test("a settings file that became nonsense changes nothing at SIGHUP")
    func badReload() async throws {
        try await withMillrace(configuration: ["millrace.toml": "[log]\nlevel = \"info\"\n"]) { server in
            // The last of the roles to be there has read the old settings.
            try server.program.wait(forLineWith: "scheduling")
            let before = server.program.lineCount
            try "[front]\nno_such_key = 1\n".write(
                toFile: server.directory.file("config/millrace.toml"),
                atomically: true,
                encoding: .utf8
            )
            server.program.send(SIGHUP)
            try server.program.wait(forLineWith: "no_such_key", skipping: before)
            #expect(try server.connect().ask(Self.job) == "+OK\r\n")
        }
    }
}
