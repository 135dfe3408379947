import Foundation
import Testing

/// Jobs under load while processes die.
@Suite(.serialized)
struct FaultTests {
    /// How often each fault strikes; `MILLRACE_FAULT_ROUNDS` asks for more in a long run.
    private static let rounds = ProcessInfo.processInfo.environment["MILLRACE_FAULT_ROUNDS"].flatMap { Int($0) } ?? 3

    /// Short, so that what dead clients held comes back within the test.
    static let settings = [
        "manager.session_timeout": "3s", "manager.release_after": "3s", "scheduler.workers_interval": "500ms",
        "scheduler.reap_interval": "500ms",
    ]

    @Test("no acknowledged job is lost, stuck, or run after it was done, whichever process is killed")
    func anyProcess() async throws {
        try await withMillrace(settings: Self.settings) { server in
            try Self.strike([[.front], [.manager], [.redis], [.scheduler]], at: server, "one at a time")
        }
    }

    @Test("processes may be killed several at the same moment")
    func severalAtOnce() async throws {
        // The supervisor's waits grow with each death; a worker's jobs wait for it for longer than any of them, since one
        // that comes back after its jobs were failed for it is too late with its ACK.
        let settings = Self.settings.merging(["manager.release_after": "30s"]) { _, new in new }
        try await withMillrace(settings: settings) { server in
            try Self.strike(
                [[.manager, .redis], [.front, .manager], [.front, .redis], Role.allCases],
                at: server,
                "several at once"
            )
        }
    }

    @Test("a killed redis-server loses nothing acknowledged, since the kernel has what it wrote")
    func redisAlone() async throws {
        try await withMillrace(settings: Self.settings) { server in
            try Self.strike([[.redis], [.redis]], at: server, "redis-server, memory")
        }
    }

    @Test("with durability on disk, killed managers and redis-servers lose nothing acknowledged")
    func onDisk() async throws {
        let settings = Self.settings.merging(["durability": "disk"]) { _, new in new }
        try await withMillrace(settings: settings) { server in
            try Self.strike([[.redis], [.manager]], at: server, "disk")
        }
    }

    @Test("an orderly stop under load keeps everything for the next start")
    func stopAndStart() async throws {
        try await withMillrace(settings: Self.settings) { server in
            let load = Load(port: server.port)
            defer { load.stop() }
            for round in 0..<2 {
                #expect(load.progresses(by: 200), "before round \(round)")
                #expect(try server.stop() == .code(0))
                try server.startAgain()
            }
            #expect(load.progresses(by: 200), "after the last start")
            try load.drainAndCheck(server, rounds: 2, "stop and start")
        }
    }

    /// Kills each of these groups of processes in turn, round after round, and checks what came of every job.
    private static func strike(_ groups: [[Role]], at server: MillraceProcesses, _ name: String) throws {
        let load = Load(port: server.port)
        defer { load.stop() }
        for round in 0..<Self.rounds {
            for roles in groups {
                // The kill falls into the middle of work, each time elsewhere, and work goes on by itself after it.
                #expect(load.progresses(by: 150 + 97 * (round % 5)), "before \(roles) of round \(round)")
                try server.kill(roles)
            }
        }
        #expect(load.progresses(by: 200), "after the last round")
        try load.drainAndCheck(server, rounds: Self.rounds * groups.count, name)
    }
}
