import ElectionEtcd
import JobCore
import TestSupport
import Testing

@Suite("Bids and leases in a real etcd")
struct CampaignTests {
    private let server: EtcdServer
    private let keys: ElectionKeys

    init() throws {
        self.server = try EtcdServer()
        self.keys = try ElectionKeys(cluster: "test")
    }

    @Test("of many who bid at once, one has the key, and the others are told who")
    func exclusive() async throws {
        let key = self.keys.leader
        let outcomes = try await self.server.withClient { client in
            try await withThrowingTaskGroup(of: CampaignOutcome.self) { group in
                for bidder in 0..<8 {
                    group.addTask { try await client.campaign(for: key, as: "m\(bidder)").outcome }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
        }

        let won = outcomes.compactMap(\.revision)
        let holders = outcomes.compactMap(\.holder)
        #expect(won.count == 1)
        #expect(holders.count == 7)
        #expect(holders.allSatisfy { $0.createRevision == won.first && $0.text == holders.first?.text })
    }

    @Test("a bid that is repeated because its answer was lost finds that it had won")
    func repeated() async throws {
        try await self.server.withClient { client in
            let (first, lease) = try await client.campaign(for: self.keys.leader, as: "m1")
            let again = try await client.campaign(for: self.keys.leader, as: Array("m1".utf8), under: lease)

            #expect(first.revision != nil)
            #expect(again == first)
        }
    }

    @Test("a key goes with its lease, and each that comes to be has a greater revision")
    func revoked() async throws {
        try await self.server.withClient { client in
            let (first, lease) = try await client.campaign(for: self.keys.leader, as: "m1")
            let firstRevision = try #require(first.revision)

            try await client.revoke(lease)
            let second = try await client.campaign(for: self.keys.leader, as: "m2").outcome

            #expect(try #require(second.revision) > firstRevision)
            try await client.revoke(lease)
        }
    }

    @Test("a lease that nobody renews ends and frees its key, and cannot be renewed any more")
    func expired() async throws {
        try await self.server.withClient { client in
            let lease = try await self.shortLease(of: client)

            for try await snapshot in client.watch(prefix: self.keys.prefix) where snapshot.entries.isEmpty { break }

            #expect(TestClock.uptime() >= lease.trustedUntil)
            await #expect(throws: EtcdError.leaseNotFound) { try await client.keepAlive(lease.id) }
            await #expect(throws: EtcdError.leaseNotFound) {
                try await client.campaign(for: self.keys.leader, as: Array("m1".utf8), under: lease.id)
            }
        }
    }

    /// A lease of a second that has won the key; on a busy machine it may be over before that.
    private func shortLease(of client: EtcdClient) async throws -> EtcdLease {
        var lease = try await client.grantLease(timeToLive: .seconds(1))
        while try await !self.hasWon(under: lease.id, through: client) {
            lease = try await client.grantLease(timeToLive: .seconds(1))
        }
        return lease
    }

    /// Whether the key was won; not so when the lease is over by then.
    private func hasWon(under lease: LeaseID, through client: EtcdClient) async throws -> Bool {
        do {
            let outcome = try await client.campaign(for: self.keys.leader, as: Array("m1".utf8), under: lease)
            return outcome.revision != nil
        } catch EtcdError.leaseNotFound {
            return false
        }
    }

    @Test("a lease counts from when it was asked for")
    func trust() async throws {
        try await self.server.withClient { client in
            let before = TestClock.uptime()
            let lease = try await client.grantLease(timeToLive: .milliseconds(2_500))
            let between = TestClock.uptime()
            let renewed = try await client.keepAlive(lease.id)

            #expect(lease.timeToLive == .seconds(3))
            #expect(lease.sentAt >= before)
            #expect(lease.sentAt < between)
            #expect(lease.trustedUntil == lease.sentAt + .seconds(3))
            #expect(renewed.id == lease.id)
            #expect(renewed.sentAt >= between)
        }
    }

    @Test("a key is removed or changed only by who knows when it was created")
    func compared() async throws {
        try await self.server.withClient { client in
            let key = self.keys.leader
            let outcome = try await client.campaign(for: key, as: "m1").outcome
            let revision = try #require(outcome.revision)

            #expect(try await !client.put(key, [1], ifCreatedAt: revision + 1))
            #expect(try await !client.delete(key, ifCreatedAt: revision - 1))
            #expect(try await client.get(prefix: key).entries[key]?.text == "m1")

            #expect(try await client.put(key, [1], ifCreatedAt: revision))
            let changed = try await client.get(prefix: key).entries[key]
            #expect(changed?.value == [1])
            #expect(changed?.createRevision == revision)

            #expect(try await client.delete(key, ifCreatedAt: revision))
            #expect(try await client.get(prefix: key).entries.isEmpty)
            #expect(try await !client.delete(key, ifCreatedAt: revision))
        }
    }

    @Test("a transaction does all or nothing, by every kind of condition")
    func transaction() async throws {
        try await self.server.withClient { client in
            let (leader, primary) = (self.keys.leader, self.keys.primary)
            let outcome = try await client.campaign(for: leader, as: "m1").outcome
            let revision = try #require(outcome.revision)
            let mine = EtcdCondition.wasCreated(leader, at: revision)

            #expect(
                try await client.transact(if: [mine, .isAbsent(primary)], [.put(primary, [7]), .delete("nothing")])
            )
            #expect(try await !client.transact(if: [mine, .isAbsent(primary)], [.put(primary, [8]), .delete(leader)]))
            let state = try await client.get(prefix: self.keys.prefix)
            #expect(state.entries.keys.sorted() == [leader, primary])
            let put = try #require(state.entries[primary])
            #expect(put.value == [7])
            #expect(put.lease == nil)

            #expect(try await client.transact(if: [.wasPut(primary, at: put.modRevision)], [.put(primary, [9])]))
            #expect(try await !client.transact(if: [.wasPut(primary, at: put.modRevision)], [.put(primary, [10])]))
            #expect(try await client.get(prefix: primary).entries[primary]?.value == [9])
        }
    }

    @Test("more keys than are read at once are an error, and as many are not")
    func bounded() async throws {
        try await self.server.withClient { client in
            let prefix = self.keys.members
            func put(_ numbers: Range<Int>) async throws {
                // etcd takes 128 operations in a transaction.
                for start in stride(from: numbers.lowerBound, to: numbers.upperBound, by: 100) {
                    let end = min(start + 100, numbers.upperBound)
                    _ = try await client.transact(if: [], (start..<end).map { .put(prefix + "\($0)", []) })
                }
            }
            try await put(0..<EtcdClient.keyCountLimit)
            #expect(try await client.get(prefix: prefix).entries.count == EtcdClient.keyCountLimit)

            try await put(EtcdClient.keyCountLimit..<EtcdClient.keyCountLimit + 1)
            await #expect(throws: EtcdError.self) { try await client.get(prefix: prefix) }
        }
    }
}
