/// Where etcd is, who asks, and how patiently.
package struct EtcdConfiguration: Sendable {
    /// The most endpoints that are taken; etcd itself advises against more than seven members.
    package static let endpointLimit = 16

    /// Why a configuration is not taken.
    package enum Problem: Error, Equatable {
        /// There are none, or more than ``endpointLimit``.
        case endpointCount(Int)
        /// An endpoint is `http://host:port` or `https://host:port`, and nothing behind it.
        case illegalEndpoint(String)
        /// TLS settings are there, but this endpoint begins with `http://`.
        case endpointWithoutTLS(String)
        /// A time limit is not positive.
        case illegalTimeLimit(Duration)
    }

    /// Who asks.
    package struct Credentials: Sendable {
        package var user: String
        package var password: String

        package init(user: String, password: String) {
            self.user = user
            self.password = password
        }
    }

    /// The files, all in PEM, that a connection by TLS needs.
    package struct TLS: Sendable {
        /// A client's certificate and its key, for an etcd that asks for one.
        package struct Identity: Sendable {
            package var certificateChainPath: String
            package var privateKeyPath: String

            package init(certificateChainPath: String, privateKeyPath: String) {
                self.certificateChainPath = certificateChainPath
                self.privateKeyPath = privateKeyPath
            }
        }

        /// Who vouches for etcd; nil for the authorities that the system trusts.
        package var authoritiesPath: String?
        package var identity: Identity?

        package init(authoritiesPath: String? = nil, identity: Identity? = nil) {
            self.authoritiesPath = authoritiesPath
            self.identity = identity
        }
    }

    /// Such as `http://127.0.0.1:2379`; tried in turn.
    package let endpoints: [String]
    package let credentials: Credentials?
    package let tls: TLS
    /// The longest that one endpoint may take, before the next is asked.
    package let attemptTimeout: Duration
    /// The longest that a call may take, over all endpoints.
    package let callTimeout: Duration
    /// The longest that a watch relies on a connection on which nothing comes; then it reads the state anew.
    package let watchSilence: Duration

    package init(
        endpoints: [String],
        credentials: Credentials? = nil,
        tls: TLS? = nil,
        attemptTimeout: Duration = .seconds(1),
        callTimeout: Duration = .seconds(3),
        watchSilence: Duration = .seconds(5)
    ) throws(Problem) {
        guard (1...Self.endpointLimit).contains(endpoints.count) else { throw .endpointCount(endpoints.count) }
        for endpoint in endpoints {
            guard Self.isLegal(endpoint) else { throw .illegalEndpoint(endpoint) }
            guard tls == nil || endpoint.hasPrefix("https://") else { throw .endpointWithoutTLS(endpoint) }
        }
        for limit in [attemptTimeout, callTimeout, watchSilence] where limit <= .zero {
            throw .illegalTimeLimit(limit)
        }
        self.endpoints = endpoints
        self.credentials = credentials
        self.tls = tls ?? TLS()
        self.attemptTimeout = min(attemptTimeout, callTimeout)
        self.callTimeout = callTimeout
        self.watchSilence = watchSilence
    }

    private static func isLegal(_ endpoint: String) -> Bool {
        for scheme in ["http://", "https://"] where endpoint.hasPrefix(scheme) {
            let authority = endpoint.dropFirst(scheme.count)
            // A path, a query or credentials in an endpoint would go where nobody expects them.
            let isPlain = authority.utf8.allSatisfy { byte in
                (0x21...0x7E).contains(byte) && !"/?#@\\".utf8.contains(byte)
            }
            guard isPlain, let colon = authority.lastIndex(of: ":"), colon > authority.startIndex else { return false }
            return UInt16(authority[authority.index(after: colon)...]).map { $0 > 0 } ?? false
        }
        return false
    }
}
