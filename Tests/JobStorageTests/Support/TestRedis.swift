import JobStorageRedis
import Redis
import Synchronization
import TestSupport
import Testing

/// A prefix of its own in the Redis of the suite.
struct TestRedis {
    @TaskLocal fileprivate static var server: RedisServer?
    private static let prefixCount = Atomic(0)

    let configuration: RedisStoreConfiguration

    init() throws {
        let server = try #require(Self.server, "the suite has no Redis: give it the trait .redis")
        let number = Self.prefixCount.add(1, ordering: .relaxed).newValue
        self.configuration = try RedisStoreConfiguration(
            endpoint: .unixSocket(path: server.socketPath),
            keyPrefix: "test-\(number):"
        )
    }
}

/// Starts a Redis for the tests of a suite, and ends it after the last of them.
struct RedisTrait: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await TestRedis.$server.withValue(try RedisServer()) { try await function() }
    }
}

extension Trait where Self == RedisTrait {
    static var redis: Self { RedisTrait() }
}
