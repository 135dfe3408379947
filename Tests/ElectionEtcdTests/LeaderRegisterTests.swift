import Election
import ElectionEtcd
import JobCore
import TestSupport
import Testing

@Suite("Who leads, in a real etcd")
struct LeaderRegisterTests {
    private static let askedAt = Uptime(nanoseconds: 7)

    private let server: EtcdServer

    init() throws {
        self.server = try EtcdServer()
    }

    /// A register that agrees with the others on who the members are.
    private func register(of number: UInt8, over client: EtcdClient) async throws -> EtcdLeaderRegister {
        let register = try self.newRegister(of: number, over: client)
        let (states, told) = AsyncStream.makeStream(of: ClusterState.self)
        let watch = Task { try await register.watch { told.yield($0) } }
        defer { watch.cancel() }
        var iterator = states.makeAsyncIterator()
        _ = try #require(await iterator.next())
        return register
    }

    private func newRegister(
        of number: UInt8,
        over client: EtcdClient,
        memberList: String = "1@a,2@b,3@c"
    ) throws -> EtcdLeaderRegister {
        EtcdLeaderRegister(
            client: client,
            keys: try ElectionKeys(cluster: "test"),
            member: MemberID(number),
            memberList: memberList,
            timeToLive: .seconds(30)
        )
    }

    private static func bid(of register: EtcdLeaderRegister) async throws -> Epoch {
        let event = await register.perform(.campaign(askedAt: Self.askedAt))
        guard case .won(let epoch, Self.askedAt) = event else { throw Unexpected(event: event) }
        return epoch
    }

    private static func state(in register: EtcdLeaderRegister) async throws -> ClusterState {
        let event = await register.perform(.readState(askedAt: Self.askedAt))
        guard case .read(let state, Self.askedAt) = event else { throw Unexpected(event: event) }
        return state
    }

    private struct Unexpected: Error {
        let event: EtcdEvent?
    }

    @Test("one bid wins, the other loses, and both see who leads in which epoch")
    func campaign() async throws {
        try await self.server.withClient { client in
            let (first, second) = (
                try await self.register(of: 1, over: client), try await self.register(of: 2, over: client)
            )
            #expect(try await Self.state(in: first).leader == nil)
            let epoch = try await Self.bid(of: first)
            #expect(await second.perform(.campaign(askedAt: Self.askedAt)) == .lost(askedAt: Self.askedAt))
            let state = try await Self.state(in: second)
            #expect(state.leader == ClusterState.Holder(epoch: epoch, member: MemberID(1)))
            #expect(state.primary == nil)
            #expect(state.revision >= epoch.number)
        }
    }

    @Test("a leader is published as the primary, which takes the preference away")
    func publication() async throws {
        try await self.server.withClient { client in
            let (first, second) = (
                try await self.register(of: 1, over: client), try await self.register(of: 2, over: client)
            )
            let older = try await Self.bid(of: first)
            _ = await first.perform(.resign(older, preferring: MemberID(2)))
            let resigned = try await Self.state(in: second)
            #expect(resigned.leader == nil)
            #expect(resigned.preferred == MemberID(2))

            let epoch = try await Self.bid(of: second)
            #expect(epoch > older)
            #expect(await second.perform(.publish(epoch)) == .published(epoch))
            let state = try await Self.state(in: first)
            #expect(state.primary == ClusterState.Holder(epoch: epoch, member: MemberID(2)))
            #expect(state.preferred == nil)
        }
    }

    @Test("the lease of an epoch is renewed until it is given up")
    func lease() async throws {
        try await self.server.withClient { client in
            let register = try await self.register(of: 1, over: client)
            let epoch = try await Self.bid(of: register)
            let renewal = EtcdAction.keepAlive(epoch, askedAt: Self.askedAt)
            #expect(await register.perform(renewal) == .kept(epoch, askedAt: Self.askedAt))
            _ = await register.perform(.resign(epoch, preferring: nil))
            #expect(await register.perform(renewal) == .expired(epoch))
        }
    }

    @Test("a leader that others removed can neither publish itself nor take its successor's key away")
    func removal() async throws {
        try await self.server.withClient { client in
            let (first, second) = (
                try await self.register(of: 1, over: client), try await self.register(of: 2, over: client)
            )
            let older = try await Self.bid(of: first)
            #expect(await second.perform(.removeLeader(older)) == nil)
            #expect(await first.perform(.publish(older)) == .expired(older))
            let epoch = try await Self.bid(of: second)
            _ = await first.perform(.removeLeader(older))
            _ = await first.perform(.resign(older, preferring: MemberID(1)))
            let state = try await Self.state(in: first)
            #expect(state.leader == ClusterState.Holder(epoch: epoch, member: MemberID(2)))
            #expect(state.preferred == nil)
        }
    }

    @Test("the watch tells the state at once and after each change")
    func watch() async throws {
        try await self.server.withClient { client in
            let register = try await self.register(of: 1, over: client)
            let (states, told) = AsyncStream.makeStream(of: ClusterState.self)
            let watch = Task { try await register.watch { told.yield($0) } }
            defer { watch.cancel() }
            var iterator = states.makeAsyncIterator()
            #expect(await iterator.next()?.leader == nil)
            let epoch = try await Self.bid(of: register)
            #expect(await iterator.next()?.leader?.epoch == epoch)
            _ = await register.perform(.resign(epoch, preferring: nil))
            let vacant = await iterator.next()
            #expect(vacant != nil)
            #expect(vacant?.leader == nil)
        }
    }

    @Test("a member with another list of members does nothing, and says so")
    func otherList() async throws {
        try await self.server.withClient { client in
            _ = try await self.register(of: 1, over: client)
            let other = try self.newRegister(of: 4, over: client, memberList: "1@a,2@b,4@d")
            #expect(await other.perform(.campaign(askedAt: Self.askedAt)) == .lost(askedAt: Self.askedAt))
            #expect(await other.perform(.readState(askedAt: Self.askedAt)) == nil)
            let error = await #expect(throws: EtcdError.self) { try await other.watch { _ in } }
            guard case .refused(let reason)? = error else { throw Unexpected(event: nil) }
            #expect(reason.hasPrefix("the members are 1@a,2@b,3@c in etcd, and 1@a,2@b,4@d in the settings of this"))
            #expect(await other.perform(.readState(askedAt: Self.askedAt)) == nil)
        }
    }

    @Test("without etcd a bid is lost, and nothing is said of anything else")
    func outage() async throws {
        try await self.server.withClient { client in
            let register = try await self.register(of: 1, over: client)
            let epoch = try await Self.bid(of: register)
            self.server.kill()
            #expect(await register.perform(.campaign(askedAt: Self.askedAt)) == .lost(askedAt: Self.askedAt))
            #expect(await register.perform(.keepAlive(epoch, askedAt: Self.askedAt)) == nil)
            #expect(await register.perform(.publish(epoch)) == nil)
            #expect(await register.perform(.readState(askedAt: Self.askedAt)) == nil)
        }
    }

    @Test("what no member can have written counts as nothing")
    func foreignValues() async throws {
        try await self.server.withClient { client in
            let keys = try ElectionKeys(cluster: "test")
            let values = [(keys.leader, "64"), (keys.primary, "1 2 3"), (keys.prefer, "x")]
            for (key, value) in values {
                #expect(try await client.transact(if: [], [.put(key, Array(value.utf8))]))
            }
            let state = try await Self.state(in: try await self.register(of: 1, over: client))
            #expect(state.leader == nil && state.primary == nil && state.preferred == nil)
        }
    }
}
