import Foundation

/// What one endpoint of etcd says of itself, to anybody who asks.
package struct EtcdHealth: Sendable, Equatable {
    package var endpoint: String
    /// Nil when it does not say.
    package var version: EtcdVersion?
    /// Nil when it does not answer.
    package var isHealthy: Bool?
    /// Why it is not, in its words.
    package var reason: String

    package init(endpoint: String, version: EtcdVersion?, isHealthy: Bool?, reason: String) {
        self.endpoint = endpoint
        self.version = version
        self.isHealthy = isHealthy
        self.reason = reason
    }

    /// What an operator ought to know of these endpoints, in words; each once.
    package static func troubles(of endpoints: [EtcdHealth]) -> [String] {
        var troubles: [String] = []
        for health in endpoints {
            if health.isHealthy == false, let trouble = EtcdTrouble(saying: health.reason) {
                troubles.append(trouble.text)
            } else if health.isHealthy == false {
                let reason = health.reason.isEmpty ? "" : ": \(health.reason)"
                troubles.append("etcd at \(health.endpoint) says that it is not healthy\(reason)")
            }
            if let advice = health.version?.advice { troubles.append(advice) }
        }
        return troubles.reduce(into: []) { known, trouble in
            if !known.contains(trouble) { known.append(trouble) }
        }
    }
}

/// What keeps etcd from letting anybody be elected, until an operator does something.
package enum EtcdTrouble: Sendable, Equatable {
    /// Its database has reached its quota.
    case noSpace

    /// Reads etcd's words; nil when they say nothing of the kind.
    package init?(saying text: String) {
        guard text.contains("database space exceeded") || text.contains("NOSPACE") else { return nil }
        self = .noSpace
    }

    /// For an operator.
    package var text: String {
        "etcd has no space left: whoever leads goes on, but no other member can be elected until its history is compacted, "
            + "its database defragmented and the alarm NOSPACE disarmed"
    }
}

extension EtcdClient {
    private struct Version: Decodable {
        var etcdserver: String?
    }

    private struct Health: Decodable {
        var health: String?
        var reason: String?
    }

    /// Asks each endpoint how it is, one after the other; none takes longer than one endpoint may.
    package func health() async -> [EtcdHealth] {
        var endpoints: [EtcdHealth] = []
        for endpoint in self.endpoints {
            let version: Version? = await self.page("/version", at: endpoint)
            let health: Health? = await self.page("/health", at: endpoint)
            endpoints.append(
                EtcdHealth(
                    endpoint: endpoint,
                    version: version?.etcdserver.flatMap { EtcdVersion(parsing: $0) },
                    isHealthy: health?.health.map { $0 == "true" },
                    reason: health?.reason ?? ""
                )
            )
        }
        return endpoints
    }

    private func page<Page: Decodable>(_ path: String, at endpoint: String) async -> Page? {
        guard let data = await self.page(endpoint + path) else { return nil }
        return try? JSONDecoder().decode(Page.self, from: data)
    }
}
