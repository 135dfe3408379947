import JobStorageRedis
import Redis
import Testing

@Suite("The configuration of the Redis store")
struct RedisStoreConfigurationTests {
    private typealias Problem = RedisStoreConfiguration.Problem

    private static func configuration(prefix: String) throws(RedisStoreConfiguration.Problem) -> RedisStoreConfiguration
    {
        try RedisStoreConfiguration(endpoint: .unixSocket(path: "/redis.sock"), keyPrefix: prefix)
    }

    @Test("takes a prefix of visible characters", arguments: ["m", "mr:", String(repeating: "x", count: 64)])
    func legalPrefix(prefix: String) throws {
        #expect(try Self.configuration(prefix: prefix).keyPrefix == prefix)
    }

    @Test(
        "refuses a prefix that is empty, too long, or has other characters",
        arguments: ["", "a b", "é", "a\n", "{a}", "}", String(repeating: "x", count: 65)]
    )
    func illegalPrefix(prefix: String) {
        #expect(throws: Problem.illegalKeyPrefix(prefix)) { try Self.configuration(prefix: prefix) }
    }

    @Test("refuses time limits that are not positive")
    func timeLimits() {
        let endpoint = RedisEndpoint.tcp(host: "localhost", port: 6379)
        #expect(throws: Problem.illegalTimeLimit(.zero)) {
            try RedisStoreConfiguration(endpoint: endpoint, ioTimeout: .zero)
        }
        #expect(throws: Problem.illegalTimeLimit(.seconds(-1))) {
            try RedisStoreConfiguration(endpoint: endpoint, loadingPatience: .seconds(-1))
        }
    }
}
