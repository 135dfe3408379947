import ElectionEtcd
import TestSupport
import Testing

@Suite("Watching keys in a real etcd")
struct WatchTests {
    private let server: EtcdServer
    private let keys: ElectionKeys

    init() throws {
        self.server = try EtcdServer()
        self.keys = try ElectionKeys(cluster: "test")
    }

    @Test("tells the state that is there, and then each change of it, but nothing of other keys")
    func changes() async throws {
        try await self.server.withClient { client in
            let (leader, primary) = (self.keys.leader, self.keys.primary)
            _ = try await client.transact(if: [], [.put(leader, [1])])
            var states = client.watch(prefix: self.keys.prefix).makeAsyncIterator()

            let first = try #require(try await states.next())
            #expect(first.entries.mapValues(\.value) == [leader: [1]])

            _ = try await client.transact(if: [], [.put("/elsewhere", [1])])
            _ = try await client.transact(if: [], [.put(leader, [2]), .put(primary, [3])])
            let second = try #require(try await states.next())
            #expect(second.entries.mapValues(\.value) == [leader: [2], primary: [3]])
            #expect(second.entries[leader]?.createRevision == first.entries[leader]?.createRevision)
            #expect(second.revision > first.revision)

            _ = try await client.transact(if: [], [.delete(leader)])
            let third = try #require(try await states.next())
            #expect(third.entries.mapValues(\.value) == [primary: [3]])
        }
    }

    @Test("outlives a restart of etcd, and tells what was changed afterwards")
    func restart() async throws {
        try await self.server.withClient { client in
            let leader = self.keys.leader
            _ = try await client.transact(if: [], [.put(leader, [1])])
            var states = client.watch(prefix: self.keys.prefix).makeAsyncIterator()
            _ = try await states.next()

            try self.server.restart()
            _ = try await client.transact(if: [], [.put(leader, [2])])

            let state = try #require(try await states.next())
            #expect(state.entries[leader]?.value == [2])
        }
    }

    @Test("ends when its task is cancelled")
    func cancellation() async throws {
        let prefix = self.keys.prefix
        try await self.server.withClient { client in
            let (told, tell) = AsyncStream.makeStream(of: Void.self)
            let watching = Task {
                var count = 0
                for try await _ in client.watch(prefix: prefix) {
                    count += 1
                    tell.yield()
                }
                return count
            }
            for await _ in told { break }

            watching.cancel()

            let count = try await watching.value
            #expect(count == 1)
        }
    }
}
