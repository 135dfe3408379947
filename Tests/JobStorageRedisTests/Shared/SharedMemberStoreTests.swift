import Election
import JobCore
import JobStorageRedis
import Redis
import TestSupport
import ThreadConfinement
import Testing

@Suite("A manager's look at the Redis of all managers", .timeLimit(.minutes(10)))
struct SharedMemberStoreTests {
    private static let epoch = Epoch(7)

    private let server: RedisServer
    private let events = Told<TakeOverEvent>()
    private let warnings = Told<String>()

    init() throws {
        self.server = try RedisServer()
    }

    private func withStore(password: String? = nil, _ body: (SharedMemberStore) async throws -> Void) async throws {
        let (events, warnings) = (self.events, self.warnings)
        let store = SharedMemberStore(
            configuration: try RedisStoreConfiguration(
                endpoint: .unixSocket(path: self.server.socketPath),
                password: password,
                ioTimeout: .seconds(2),
                isShared: true
            ),
            membership: Membership([MemberID(1), MemberID(2)], sharesStore: true)
        ) { warnings.put($0) }
        store.start({ events.put($0) }, failing: { _ in })
        defer { store.stop() }
        try await body(store)
    }

    private func redis(_ name: String, _ arguments: String...) throws {
        var connection = try RedisConnection.open(.unixSocket(path: self.server.socketPath))
        var commands = RedisCommandBuffer(reserving: 128)
        commands.begin(name, argumentCount: arguments.count)
        for argument in arguments { commands.append(argument) }
        try connection.send(commands)
        _ = try connection.nextReply()
    }

    private func waitForStart(skipping count: Int = 0) async {
        await self.events.next(skipping: count) { event in
            if case .redis(.started(isIntact: true, run: nil)) = event { () } else { nil }
        }
    }

    private func waitForStop() async {
        await self.events.next { if case .redis(.stopped) = $0 { () } else { nil } }
    }

    @Test("it is there, gone when its process is, and another one when that has started again")
    func comesAndGoes() async throws {
        try await self.withStore { _ in
            await self.waitForStart()
            self.server.kill()
            await self.waitForStop()
            try self.server.restart()
            await self.waitForStart(skipping: 2)
        }
    }

    @Test("one that stands still counts as gone")
    func silent() async throws {
        try await self.withStore { _ in
            await self.waitForStart()
            self.server.pause()
            await self.waitForStop()
            self.server.resume()
            await self.waitForStart(skipping: 2)
        }
    }

    @Test("a replica is none")
    func replica() async throws {
        try await self.withStore { _ in
            await self.waitForStart()
            try self.redis("REPLICAOF", "127.0.0.1", "1")
            await self.waitForStop()
            #expect(self.warnings.elements.contains { $0.contains("the Redis at this address is a replica") })
            try self.redis("REPLICAOF", "NO", "ONE")
            await self.waitForStart(skipping: 2)
        }
    }

    @Test("one that would drop jobs when its memory is full is none; one that refuses, or drops what expires, is")
    func eviction() async throws {
        try self.redis("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        try await self.withStore { _ in
            await self.waitForStart()
            try self.redis("CONFIG", "SET", "maxmemory", "100mb")
            await self.waitForStop()
            #expect(self.warnings.elements.contains { $0.contains("maxmemory-policy allkeys-lru") })
            for (number, policy) in ["volatile-lru", "noeviction"].enumerated() {
                try self.redis("CONFIG", "SET", "maxmemory-policy", policy)
                await self.waitForStart(skipping: 2 + 2 * number)
                try self.redis("CONFIG", "SET", "maxmemory-policy", "allkeys-random")
                await self.events.next(skipping: 2 + 2 * number) { if case .redis(.stopped) = $0 { () } else { nil } }
            }
        }
    }

    @Test("a leader begins over an empty Redis, and over one whose data is of an earlier epoch, but of no later one")
    func promotion() async throws {
        try await self.withStore { store in
            await self.waitForStart()
            store.perform(.detach(operation: 1))
            let vote = await self.events.next { if case .redis(.detached(1, let report)) = $0 { report } else { nil } }
            #expect(vote.position > Position(epoch: Epoch(0), sequence: 0), "an empty Redis has a vote")
            for (operation, found) in [(UInt64(2), ""), (3, "6"), (4, "7"), (5, "8")] {
                if !found.isEmpty { try self.redis("HSET", "mr:cluster", "epoch", found, "sequence", "1") }
                store.perform(.promote(operation: operation, Self.epoch))
                let isPromoted = await self.events.next { event -> Bool? in
                    switch event {
                    case .redis(.promoted(operation, _)): true
                    case .redis(.failed(operation)): false
                    default: nil
                    }
                }
                #expect(isPromoted == (operation < 4), "epoch \(found)")
            }
            #expect(self.warnings.elements.contains { $0.contains("was etcd emptied") })
        }
    }

    @Test("less data than there was is said")
    func loss() async throws {
        try self.redis("HSET", "mr:cluster", "epoch", "3", "sequence", "9")
        try await self.withStore { _ in
            await self.waitForStart()
            try self.redis("HSET", "mr:cluster", "epoch", "3", "sequence", "4")
            let warning = await self.warnings.next { $0.contains("has lost transactions") ? $0 : nil }
            #expect(warning.hasSuffix("it was at epoch 3, sequence 9, and is at epoch 3, sequence 4"))
        }
    }
}
