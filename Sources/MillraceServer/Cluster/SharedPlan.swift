import JobStorage
import JobStorageRedis
import Logging
import Redis

/// What the settings say of a manager in shared mode, in the words of the parts that make it up.
struct SharedPlan {
    /// Why there is no use in starting; in words.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// The longest that a leader waits for an answer of Redis.
    private static let leaderPatience = Duration.seconds(3)
    /// How long Redis may be silent before this manager counts it as gone.
    private static let agentPatience = Duration.seconds(2)
    /// How long a leader waits for a Redis that reads its file before it looks again whether it still leads.
    private static let loadingPatience = Duration.seconds(2)

    private let settings: Settings
    /// What concerns the election, which is that of a member of a replicated cluster.
    let member: MemberPlan

    init(_ settings: Settings) throws {
        self.settings = settings
        self.member = try MemberPlan(settings)
    }

    var agentConfiguration: RedisStoreConfiguration {
        get throws { try self.configuration(patience: Self.agentPatience) }
    }

    var leaderConfiguration: RedisStoreConfiguration {
        get throws { try self.configuration(patience: Self.leaderPatience) }
    }

    private func configuration(patience: Duration) throws -> RedisStoreConfiguration {
        try RedisStoreConfiguration(
            endpoint: RedisEndpoint(self.settings.redisEndpoint),
            username: self.settings.redis.username,
            password: self.settings.redis.password?.value,
            keyPrefix: self.settings.redis.prefix,
            ioTimeout: patience,
            loadingPatience: Self.loadingPatience,
            isShared: true
        )
    }

    /// Makes sure that a Redis that is there lets this manager in; one that is not there is waited for.
    func checkEntry(logger: Logger) throws {
        let configuration = try self.agentConfiguration
        do throws(StorageError) {
            try SharedRedis(configuration: configuration).checkEntry()
        } catch {
            let place = self.settings.redisEndpoint.description
            switch error {
            case .refused(let reason):
                let remedy = "check redis.password and redis.username"
                throw Failure(description: "the Redis at \(place) does not let this manager in: \(reason); \(remedy)")
            case .disconnected(let reason):
                logger.warning(
                    "the shared Redis is not there yet",
                    metadata: ["at": "\(place)", "reason": "\(reason)"]
                )
            case .fenced, .incompatible:
                throw Failure(description: "the Redis at \(place) cannot be used: \(error)")
            }
        }
    }
}
