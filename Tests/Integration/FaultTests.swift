import Testing

/// Jobs under load while processes die.
@Suite(.serialized)
struct FaultTests {
    /// Short, so that what dead clients held comes back within the test.
    static let settings = [
        "manager.session_timeout": "3s", "manager.release_after": "3s", "scheduler.workers_interval": "500ms",
        "scheduler.reap_interval": "500ms",
    ]

    @Test("no acknowledged job is lost, stuck, or run after it was done, whichever process is killed")
    func anyProcess() async throws {
        try await withMillrace(settings: Self.settings) { server in
            try Self.killInTurn([.front, .manager, .redis, .scheduler], rounds: 4, of: server, "all in turn")
        }
    }

    @Test("a killed redis-server loses nothing acknowledged, since the kernel has what it wrote")
    func redisAlone() async throws {
        try await withMillrace(settings: Self.settings) { server in
            try Self.killInTurn([.redis], rounds: 5, of: server, "redis-server, memory")
        }
    }

    @Test("with durability on disk, killed managers and redis-servers lose nothing acknowledged")
    func onDisk() async throws {
        let settings = Self.settings.merging(["durability": "disk"]) { _, new in new }
        try await withMillrace(settings: settings) { server in
            try Self.killInTurn([.redis, .manager], rounds: 2, of: server, "disk")
        }
    }

    @Test("the manager and its redis-server may die at the same moment")
    func bothAtOnce() async throws {
        try await withMillrace(settings: Self.settings) { server in
            let load = Load(port: server.port)
            defer { load.stop() }
            for round in 0..<3 {
                #expect(load.progresses(by: 200), "before round \(round)")
                try server.kill([.manager, .redis])
            }
            #expect(load.progresses(by: 200), "after the last round")
            try load.drainAndCheck(server, rounds: 3, "manager and redis-server at once")
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

    private static func killInTurn(_ roles: [Role], rounds: Int, of server: MillraceProcesses, _ name: String) throws {
        let load = Load(port: server.port)
        defer { load.stop() }
        for round in 0..<rounds {
            for role in roles {
                // The kill falls into the middle of work, each time elsewhere, and work goes on by itself after it.
                #expect(load.progresses(by: 150 + 97 * round), "before \(role) of round \(round)")
                try server.kill([role])
            }
        }
        #expect(load.progresses(by: 200), "after the last round")
        try load.drainAndCheck(server, rounds: rounds * roles.count, name)
    }
}
