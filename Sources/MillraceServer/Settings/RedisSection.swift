/// Which Redis holds the data, and how it is entered.
package struct RedisSection: Sendable, Equatable {
    /// Where a Redis answers.
    package enum Endpoint: Sendable, Equatable {
        case unix(path: String)
        case tcp(HostPort)
    }

    static let longestPrefix = 64

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

    /// What is wrong with the values of this group.
    package func problems() -> [SettingProblem] {
        var problems: [SettingProblem] = []
        func add(_ setting: String, _ reason: String) {
            problems.append(SettingProblem(setting: setting, reason: reason))
        }
        if self.socket != nil, self.address != nil {
            add("redis.socket", "cannot be set together with redis.address")
        }
        if let socket = self.socket, !socket.hasPrefix("/") {
            add("redis.socket", "must be an absolute path, not \"\(socket)\"")
        }
        if let address = self.address, address.host.isEmpty || address.port == 0 {
            add("redis.address", "must name a host and a port, not \"\(address)\"")
        }
        if self.username != nil, self.password == nil {
            add("redis.username", "needs redis.password as well")
        }
        let allowed = self.prefix.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x7B && $0 != 0x7D }
        if self.prefix.utf8.count > Self.longestPrefix || !allowed {
            add("redis.prefix", "must be at most \(Self.longestPrefix) visible ASCII characters without braces")
        }
        if self.server.isEmpty {
            add("redis.server", "must not be empty")
        }
        return problems
    }
}

extension RedisSection.Endpoint: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unix(let path): path
        case .tcp(let address): address.description
        }
    }
}
