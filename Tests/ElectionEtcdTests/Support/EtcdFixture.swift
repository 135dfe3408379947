import ElectionEtcd
import JobCore
import TestSupport

/// A monotonic clock as a test needs one.
enum TestClock {
    private static let start = ContinuousClock.now

    @Sendable static func uptime() -> Uptime {
        Uptime(nanoseconds: 0) + (ContinuousClock.now - Self.start)
    }
}

extension EtcdServer {
    /// Runs `body` with a client of this server.
    func withClient<Result: Sendable>(
        credentials: EtcdConfiguration.Credentials? = nil,
        _ body: (EtcdClient) async throws -> Result
    ) async throws -> Result {
        let configuration = try EtcdConfiguration(
            endpoints: [self.endpoint],
            credentials: credentials,
            // However slow the machine is: what an etcd that does not answer means is for other tests.
            attemptTimeout: .seconds(60),
            callTimeout: .seconds(120)
        )
        return try await EtcdClient.withClient(configuration, uptime: TestClock.uptime, body)
    }
}

extension EtcdClient {
    /// Bids under a lease of its own.
    func campaign(for key: String, as name: String, timeToLive: Duration = .seconds(30)) async throws
        -> (outcome: CampaignOutcome, lease: LeaseID)
    {
        let lease = try await self.grantLease(timeToLive: timeToLive).id
        return (try await self.campaign(for: key, as: Array(name.utf8), under: lease), lease)
    }
}

extension CampaignOutcome {
    /// The revision that was won, if it was.
    var revision: UInt64? {
        if case .won(let revision) = self { revision } else { nil }
    }

    /// Who was there before, if somebody was.
    var holder: EtcdEntry? {
        if case .held(let holder) = self { holder } else { nil }
    }
}
