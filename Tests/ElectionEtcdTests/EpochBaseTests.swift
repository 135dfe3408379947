import Election
import ElectionEtcd
import JobCore
import TestSupport
import Testing

@Suite("Epochs after an etcd was emptied")
struct EpochBaseTests {
    private static let askedAt = Uptime(nanoseconds: 7)
    private static let floor = Epoch(1_000_000)

    private let server: EtcdServer
    private let keys: ElectionKeys

    init() throws {
        self.server = try EtcdServer()
        self.keys = try ElectionKeys(cluster: "test")
    }

    private func register(of number: UInt8, over client: EtcdClient) async throws -> EtcdLeaderRegister {
        let register = EtcdLeaderRegister(
            client: client,
            keys: self.keys,
            member: MemberID(number),
            memberList: "1@a,2@b,3@c",
            timeToLive: .seconds(30)
        )
        let (states, told) = AsyncStream.makeStream(of: ClusterState.self)
        let watch = Task { try await register.watch { told.yield($0) } }
        defer { watch.cancel() }
        var iterator = states.makeAsyncIterator()
        _ = try #require(await iterator.next())
        return register
    }

    private static func bid(of register: EtcdLeaderRegister) async throws -> Epoch {
        let event = await register.perform(.campaign(askedAt: Self.askedAt))
        guard case .won(let epoch, _) = event else { throw Unexpected(event: event) }
        return epoch
    }

    private static func raise(_ register: EtcdLeaderRegister, above floor: Epoch) async throws -> ClusterState {
        let event = await register.perform(.raiseEpochs(above: floor, askedAt: Self.askedAt))
        guard case .read(let state, Self.askedAt) = event else { throw Unexpected(event: event) }
        return state
    }

    private struct Unexpected: Error {
        let event: EtcdEvent?
    }

    @Test("are greater than the one that a member knows, and the leader key of a lower one is gone")
    func raise() async throws {
        try await self.server.withClient { client in
            let register = try await self.register(of: 1, over: client)
            let low = try await Self.bid(of: register)
            #expect(low < Self.floor)
            let state = try await Self.raise(register, above: Self.floor)
            #expect(state.revision > Self.floor.number)
            #expect(state.leader == nil)
            #expect(state.wasRestarted)
            #expect(await register.perform(.publish(low)) == .expired(low))

            let epoch = try await Self.bid(of: register)
            #expect(epoch > Self.floor)
            #expect(await register.perform(.publish(epoch)) == .published(epoch))
            let renewal = EtcdAction.keepAlive(epoch, askedAt: Self.askedAt)
            #expect(await register.perform(renewal) == .kept(epoch, askedAt: Self.askedAt))
            let later = await register.perform(.readState(askedAt: Self.askedAt))
            guard case .read(let after, _) = later else { throw Unexpected(event: later) }
            let holder = ClusterState.Holder(epoch: epoch, member: MemberID(1))
            #expect(after.leader == holder && after.primary == holder)
        }
    }

    @Test("are raised once, however many members ask")
    func once() async throws {
        try await self.server.withClient { client in
            let register = try await self.register(of: 1, over: client)
            let first = try await Self.raise(register, above: Self.floor)
            let epoch = try await Self.bid(of: register)
            let second = try await Self.raise(register, above: Self.floor)
            #expect(second.leader?.epoch == epoch)
            #expect(second.revision < first.revision + 100)
        }
    }

    @Test("are not won by a member that knows another base, and a leader of theirs can be removed by any member")
    func otherBase() async throws {
        try await self.server.withClient { client in
            let (first, second) = (
                try await self.register(of: 1, over: client), try await self.register(of: 2, over: client)
            )
            _ = try await Self.raise(first, above: Self.floor)
            #expect(await second.perform(.campaign(askedAt: Self.askedAt)) == .lost(askedAt: Self.askedAt))
            let epoch = try await Self.bid(of: first)
            _ = await second.perform(.readState(askedAt: Self.askedAt))
            #expect(await second.perform(.removeLeader(epoch)) == nil)
            let event = await first.perform(.readState(askedAt: Self.askedAt))
            guard case .read(let state, _) = event else { throw Unexpected(event: event) }
            #expect(state.leader == nil)
        }
    }

    @Test("let the list of members be changed under the leader that was elected under it")
    func memberList() async throws {
        try await self.server.withClient { client in
            let register = try await self.register(of: 1, over: client)
            _ = try await Self.raise(register, above: Self.floor)
            _ = try await Self.bid(of: register)
            let list = EtcdMemberList(client: client, keys: self.keys)
            let reading = try #require(try await list.read())
            #expect(reading.leaderOfList != nil)
            #expect(try await list.replace(reading, with: "1@a,2@b,3@d"))
            let stale = try #require(try await list.read())
            #expect(stale.leaderOfList == nil)
        }
    }
}
