import JobStorageRedis

/// Which Redis holds the data, and how it is entered.
package struct RedisSection: Sendable, Equatable {
    /// Where a Redis answers.
    package enum Endpoint: Sendable, Equatable {
        case unix(path: String)
        case tcp(HostPort)
    }

    /// The Unix socket of a server that is already there.
    package var socket: String?
    /// The address of a server that is already there.
    package var address: HostPort?
    /// The user to authenticate as; the default user when `nil`.
    package var username: String?
    package var password: Secret?
    /// What every key begins with, so that one Redis can be shared.
    package var prefix = "mr:"
    /// The executable of the server that we start ourselves.
    package var server = "redis-server"

    package init() {}

    /// What does not fit together in this group.
    package func problems() -> [SettingProblem] {
        var problems: [SettingProblem] = []
        func add(_ setting: String, _ reason: String) {
            problems.append(SettingProblem(setting: setting, reason: reason))
        }
        if self.socket != nil, self.address != nil {
            add("redis.socket", "cannot be set together with redis.address")
        }
        if self.username != nil, self.password == nil {
            add("redis.username", "needs redis.password as well")
        }
        return problems
    }
}

extension RedisSection {
    static let group = SettingGroup(
        "redis",
        "Where the data is. Without socket and address Millrace starts a redis-server of its own in the storage directory.",
        [
            Setting(
                "redis.socket",
                optional: \.redis.socket,
                .text.that(mustBe: "an absolute path") { $0.hasPrefix("/") },
                readBy: [.manager],
                example: #""/run/redis/redis.sock""#,
                "The Unix socket of a Redis that is already there."
            ),
            Setting(
                "redis.address",
                optional: \.redis.address,
                .address.that(mustBe: "a host and a port") { !$0.host.isEmpty && $0.port != 0 },
                readBy: [.manager],
                example: #""127.0.0.1:6379""#,
                "The address of a Redis that is already there; not together with socket."
            ),
            Setting(
                "redis.username",
                optional: \.redis.username,
                .text,
                readBy: [.manager],
                example: #""millrace""#,
                "Who logs in there; needs a password. Without it Redis's default user."
            ),
            Setting(
                "redis.password",
                optional: \.redis.password,
                .secret,
                readBy: [.manager, .supervisor],
                example: #""secret""#,
                "In shared mode also the absolute path of a file that holds it."
            ),
            Setting(
                "redis.prefix",
                \.redis.prefix,
                .text.that(
                    mustBe: "1 to \(RedisStoreConfiguration.maximumPrefixByteCount) visible ASCII characters "
                        + "without braces",
                    RedisStoreConfiguration.isLegal(keyPrefix:)
                ),
                readBy: [.manager],
                "What each key begins with, so that a Redis can be shared."
            ),
            Setting(
                "redis.server",
                \.redis.server,
                .text.that(mustBe: "the name or the path of a program") { !$0.isEmpty },
                readBy: [.supervisor],
                "The program that is started as our own Redis."
            ),
        ]
    )
}

extension RedisSection.Endpoint: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unix(let path): path
        case .tcp(let address): address.description
        }
    }
}
