package import Redis

/// Where the jobs' Redis is, and how long to wait for it.
package struct RedisStoreConfiguration: Sendable {
    /// The longest prefix in bytes.
    package static let maximumPrefixByteCount = 64

    /// Why a configuration is not taken.
    package enum Problem: Error, Equatable {
        /// A prefix is 1 to ``maximumPrefixByteCount`` visible ASCII characters other than braces, which would mean
        /// something to a Redis cluster.
        case illegalKeyPrefix(String)
        /// A time limit is not positive.
        case illegalTimeLimit(Duration)
        /// Replicas are asked to confirm, but none, or within a time that is not positive or not shorter than that for
        /// any answer.
        case illegalAcknowledgement(ReplicaAcknowledgement)
    }

    package let endpoint: RedisEndpoint
    /// The user to log in as; nil for the default user.
    package let username: String?
    package let password: String?
    /// What the names of all keys begin with.
    package let keyPrefix: String
    /// How long connecting, or any answer, may take before the connection is given up.
    package let ioTimeout: Duration
    /// How long a Redis may read its file before it serves.
    package let loadingPatience: Duration
    /// Who has to confirm each transaction; nil for nobody but the Redis itself.
    package let acknowledgement: ReplicaAcknowledgement?
    /// Whether other managers may write to this Redis too, so that each transaction is carried out only if none has.
    package let isShared: Bool

    package init(
        endpoint: RedisEndpoint,
        username: String? = nil,
        password: String? = nil,
        keyPrefix: String = "mr:",
        ioTimeout: Duration = .seconds(10),
        loadingPatience: Duration = .seconds(600),
        acknowledgement: ReplicaAcknowledgement? = nil,
        isShared: Bool = false
    ) throws(Problem) {
        guard Self.isLegal(keyPrefix: keyPrefix) else { throw .illegalKeyPrefix(keyPrefix) }
        for limit in [ioTimeout, loadingPatience] where limit <= .zero { throw .illegalTimeLimit(limit) }
        if let acknowledgement {
            let isInTime = acknowledgement.timeout > .zero && acknowledgement.timeout < ioTimeout
            guard isInTime, acknowledgement.replicaCount > 0 else { throw .illegalAcknowledgement(acknowledgement) }
        }
        self.endpoint = endpoint
        self.username = username
        self.password = password
        self.keyPrefix = keyPrefix
        self.ioTimeout = ioTimeout
        self.loadingPatience = loadingPatience
        self.acknowledgement = acknowledgement
        self.isShared = isShared
    }

    /// Whether the names of keys can begin so; see ``Problem/illegalKeyPrefix(_:)``.
    package static func isLegal(keyPrefix: String) -> Bool {
        let isLegal = keyPrefix.utf8.allSatisfy { byte in
            (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "{") && byte != UInt8(ascii: "}")
        }
        return isLegal && (1...Self.maximumPrefixByteCount).contains(keyPrefix.utf8.count)
    }
}
