import Election
import ElectionEtcd
import JobCore
import TestSupport
import Testing

@Suite("The list of members, in a real etcd", .serialized)
struct MemberListTests {
    private static let first = "1@a,2@b,3@c"
    private static let second = "1@a,2@b,3@d"

    private let server: EtcdServer
    private let keys: ElectionKeys

    init() throws {
        self.server = try EtcdServer()
        self.keys = try ElectionKeys(cluster: "test")
    }

    private func register(of number: UInt8, over client: EtcdClient, _ list: String) -> EtcdLeaderRegister {
        EtcdLeaderRegister(
            client: client,
            keys: self.keys,
            member: MemberID(number),
            memberList: list,
            timeToLive: .seconds(30)
        )
    }

    /// Watches until a state was told, and watches no more: a register that hears nothing of what comes.
    private static func agree(_ register: EtcdLeaderRegister) async throws {
        let (states, told) = AsyncStream.makeStream(of: ClusterState.self)
        let watch = Task { try await register.watch { told.yield($0) } }
        defer { watch.cancel() }
        var iterator = states.makeAsyncIterator()
        _ = try #require(await iterator.next())
    }

    private static func bid(of register: EtcdLeaderRegister) async -> Epoch? {
        let event = await register.perform(.campaign(askedAt: Uptime(nanoseconds: 7)))
        return if case .won(let epoch, _) = event { epoch } else { nil }
    }

    @Test("a list is changed while the leader leads that was elected under it, and takes the leader's key away")
    func change() async throws {
        try await self.server.withClient { client in
            let list = EtcdMemberList(client: client, keys: self.keys)
            #expect(try await list.read() == nil)
            let member = self.register(of: 1, over: client, Self.first)
            try await Self.agree(member)
            let vacant = try #require(try await list.read())
            #expect(vacant.text == Self.first)
            #expect(vacant.leader == nil)
            #expect(try await !list.replace(vacant, with: Self.second), "nobody leads")

            let epoch = try #require(await Self.bid(of: member))
            let reading = try #require(try await list.read())
            #expect(reading.leaderOfList == ClusterState.Holder(epoch: epoch, member: MemberID(1)))
            #expect(try await list.replace(reading, with: Self.second))
            let changed = try #require(try await list.read())
            #expect(changed.text == Self.second)
            #expect(changed.leader == nil)
            #expect(changed.revision > epoch.number)
            #expect(await member.perform(.publish(epoch)) == .expired(epoch))
        }
    }

    @Test("a list that was read is changed only while it and its leader are the same")
    func outrun() async throws {
        try await self.server.withClient { client in
            let list = EtcdMemberList(client: client, keys: self.keys)
            let member = self.register(of: 1, over: client, Self.first)
            try await Self.agree(member)
            let epoch = try #require(await Self.bid(of: member))
            let reading = try #require(try await list.read())
            _ = await member.perform(.resign(epoch, preferring: nil))
            #expect(try await !list.replace(reading, with: Self.second))
            _ = try #require(await Self.bid(of: member))
            #expect(try await !list.replace(reading, with: Self.second), "another epoch")

            let later = try #require(try await list.read())
            #expect(try await list.replace(later, with: Self.second))
            // The same step again, as after an answer that was lost, is done; another one is not.
            #expect(try await list.replace(later, with: Self.second))
            #expect(try await !list.replace(later, with: "1@a,2@b,3@e"))
        }
    }

    @Test("a leader that was elected before the list was put does for no change of it")
    func oldLeader() async throws {
        try await self.server.withClient { client in
            let list = EtcdMemberList(client: client, keys: self.keys)
            let member = self.register(of: 1, over: client, Self.first)
            try await Self.agree(member)
            _ = try #require(await Self.bid(of: member))
            #expect(try await client.transact(if: [], [.put(self.keys.membership, Array(Self.second.utf8))]))
            let reading = try #require(try await list.read())
            #expect(reading.leader != nil)
            #expect(reading.leaderOfList == nil)
            #expect(try await !list.replace(reading, with: "1@a,2@b,3@e"))
        }
    }

    @Test("a member that has not heard of a change wins no bid with its old list")
    func unheard() async throws {
        try await self.server.withClient { client in
            let list = EtcdMemberList(client: client, keys: self.keys)
            let (old, new) = (
                self.register(of: 1, over: client, Self.first), self.register(of: 2, over: client, Self.second)
            )
            try await Self.agree(old)
            _ = try #require(await Self.bid(of: old))
            let reading = try #require(try await list.read())
            #expect(try await list.replace(reading, with: Self.second))

            #expect(await Self.bid(of: old) == nil)
            #expect(try await list.read()?.leader == nil)
            try await Self.agree(new)
            #expect(await Self.bid(of: new) != nil)
        }
    }

    @Test("a member whose list is changed ends its watch, names both lists, and bids no more")
    func refused() async throws {
        try await self.server.withClient { client in
            let list = EtcdMemberList(client: client, keys: self.keys)
            let member = self.register(of: 1, over: client, Self.first)
            let (states, told) = AsyncStream.makeStream(of: ClusterState.self)
            let watch = Task { try await member.watch { told.yield($0) } }
            var iterator = states.makeAsyncIterator()
            _ = await iterator.next()
            _ = try #require(await Self.bid(of: member))
            let reading = try #require(try await list.read())
            #expect(try await list.replace(reading, with: Self.second))

            let error = await #expect(throws: EtcdError.self) { try await watch.value }
            let text = error.map { "\($0)" } ?? ""
            #expect(text.contains(Self.first) && text.contains(Self.second), "\(text)")
            #expect(await Self.bid(of: member) == nil)
        }
    }
}
