import ElectionEtcd
import TestSupport
import Testing

@Suite("An etcd that fails in part")
struct EtcdFailureTests {
    private let cluster: EtcdCluster
    private let keys: ElectionKeys

    init() throws {
        self.cluster = try EtcdCluster()
        self.keys = try ElectionKeys(cluster: "test")
    }

    private func withClient<Result: Sendable>(
        attemptTimeout: Duration = .seconds(1),
        callTimeout: Duration = .seconds(3),
        _ body: (EtcdClient) async throws -> Result
    ) async throws -> Result {
        let configuration = try EtcdConfiguration(
            endpoints: self.cluster.endpoints,
            attemptTimeout: attemptTimeout,
            callTimeout: callTimeout,
            watchSilence: .seconds(1)
        )
        return try await EtcdClient.withClient(configuration, uptime: TestClock.uptime, body)
    }

    /// Tries until it succeeds: while its members elect a leader, etcd may decline for a moment.
    private func eventually<Result>(_ body: () async throws -> Result) async throws -> Result {
        for _ in 0..<120 {
            do {
                return try await body()
            } catch EtcdError.unavailable {
                continue
            }
        }
        return try await body()
    }

    @Test("another endpoint is asked when the first is dead, or hangs", arguments: [true, false])
    func failover(dies: Bool) async throws {
        try await self.withClient { client in
            let lease = try await self.eventually { try await client.grantLease(timeToLive: .seconds(120)) }
            let first = self.cluster.members[0]
            if dies { first.kill() } else { first.pause() }
            defer { first.resume() }

            let renewed = try await self.eventually { try await client.keepAlive(lease.id) }
            let outcome = try await self.eventually {
                try await client.campaign(for: self.keys.leader, as: Array("m".utf8), under: lease.id)
            }

            #expect(renewed.id == lease.id)
            #expect(outcome.revision != nil)
        }
    }

    @Test(
        "a watch goes on at another endpoint when the one it is at dies, or only falls silent",
        arguments: [true, false]
    )
    func watch(dies: Bool) async throws {
        try await self.withClient { client in
            var states = client.watch(prefix: self.keys.prefix).makeAsyncIterator()
            #expect(try #require(try await states.next()).entries.isEmpty)
            let first = self.cluster.members[0]
            if dies { first.kill() } else { first.pause() }
            defer { first.resume() }

            _ = try await self.eventually { try await client.transact(if: [], [.put(self.keys.leader, [1])]) }

            #expect(try #require(try await states.next()).entries[self.keys.leader]?.value == [1])
        }
    }

    @Test("a minority is an error in time, for reading as for writing")
    func minority() async throws {
        self.cluster.members[0].kill()
        self.cluster.members[1].kill()
        try await self.withClient(callTimeout: .milliseconds(1_500)) { client in
            for isReading in [true, false] {
                let error = await #expect(throws: EtcdError.self) {
                    if isReading {
                        _ = try await client.get(prefix: self.keys.prefix)
                    } else {
                        _ = try await client.transact(if: [], [.put(self.keys.leader, [1])])
                    }
                }
                #expect(error?.isUnavailable == true, "\(String(describing: error))")
            }
        }
    }

    @Test("a call that is cancelled ends at once")
    func cancelled() async throws {
        for member in self.cluster.members { member.pause() }
        defer { for member in self.cluster.members { member.resume() } }
        let prefix = self.keys.prefix
        try await self.withClient(attemptTimeout: .seconds(300), callTimeout: .seconds(300)) { client in
            let start = ContinuousClock.now
            let call = Task { try await client.get(prefix: prefix) }
            call.cancel()

            let error = await #expect(throws: EtcdError.self) { try await call.value }
            #expect(error?.isUnavailable == true)
            // None of the times that it would have waited for has passed.
            #expect(ContinuousClock.now - start < .seconds(300))
        }
    }
}

extension EtcdError {
    var isUnavailable: Bool {
        if case .unavailable = self { true } else { false }
    }

    var isUnauthorized: Bool {
        if case .unauthorized = self { true } else { false }
    }
}
