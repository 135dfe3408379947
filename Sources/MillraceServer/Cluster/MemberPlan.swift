import Election
import ElectionEtcd
import JobCore
import JobStorageRedis
import Redis

/// What the settings say of one member of a cluster, in the words of the parts that make it up.
struct MemberPlan {
    /// Why a member cannot be put together; in words.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// How long a transaction waits for the other members before they are asked again.
    private static let confirmationSlice = Duration.milliseconds(500)
    /// The longest that a leader waits for an answer of its own Redis.
    private static let leaderPatience = Duration.seconds(3)
    /// The longest that the agent does; after that long the machine has given up on it.
    private static let agentPatience = Duration.seconds(2)
    /// How long a leader waits for a Redis that reads its file; one that was detached for a leader has read it.
    private static let loadingPatience = Duration.seconds(2)
    private static let managerUser = "manager"
    private static let replicationUser = "replication"

    private let settings: Settings
    private let own: ClusterSection.Member

    init(_ settings: Settings) throws {
        guard let own = settings.cluster.ownMember else {
            throw Failure(description: "cluster.member does not say which of cluster.members this host is")
        }
        self.settings = settings
        self.own = own
    }

    var id: MemberID { MemberID(self.own.number) }

    var membership: Membership {
        Membership(
            self.settings.cluster.members.map { MemberID($0.number) },
            sharesStore: self.settings.mode == .shared
        )
    }

    var terms: TakeOverTerms {
        var terms = TakeOverTerms()
        terms.leaseTimeToLive = self.settings.cluster.leaseTimeToLive
        terms.leaseRenewalInterval = self.settings.cluster.leaseTimeToLive / 3
        terms.heartbeatInterval = self.settings.cluster.heartbeatInterval
        terms.heartbeatSilence = self.settings.cluster.heartbeatSilence
        // Nobody can have more than the Redis that all of them use.
        if self.settings.mode == .shared { terms.laggardGrace = .zero }
        return terms
    }

    /// The members that this one is not.
    var others: [ClusterSection.Member] {
        self.settings.cluster.members.filter { $0.number != self.own.number }
    }

    // MARK: Redis

    /// Where the Redis of each other member is.
    var otherStores: [MemberID: RedisAddress] {
        let pairs = self.others.map { (MemberID($0.number), self.redisAddress(of: $0)) }
        return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    }

    private func redisAddress(of member: ClusterSection.Member) -> RedisAddress {
        RedisAddress(host: member.host, port: self.settings.cluster.redisPort)
    }

    /// When this member's Redis confirms a write.
    var durability: MemberRedisServer.Durability { self.settings.durability == .disk ? .disk : .memory }

    /// This member's `redis-server`.
    ///
    /// - Parameter password: what the manager of this host shows it.
    func redisServer(password: String) throws -> MemberRedisServer {
        try MemberRedisServer(
            executable: self.settings.redis.server,
            directory: self.settings.storageDirectory,
            socketPath: self.redisSocket,
            address: self.redisAddress(of: self.own),
            listenAddresses: [self.own.host],
            durability: self.durability,
            manager: MemberRedisServer.User(name: Self.managerUser, password: password),
            replication: MemberRedisServer.User(
                name: Self.replicationUser,
                password: self.settings.cluster.redisPassword?.value ?? ""
            )
        )
    }

    /// How the agent enters this member's Redis.
    func agentConfiguration(password: String) throws -> RedisStoreConfiguration {
        try self.storeConfiguration(password: password, patience: Self.agentPatience, acknowledgement: nil)
    }

    /// How a leader does, and whom it waits for.
    ///
    /// - Parameter roster: which replicas are those of the other members.
    func leaderConfiguration(password: String, roster: ReplicaRoster) throws -> RedisStoreConfiguration {
        let count = self.membership.quorum - 1
        let acknowledgement = ReplicaAcknowledgement(
            replicaCount: count,
            timeout: Self.confirmationSlice,
            // One that is connected twice must not be taken for two, nor one that was a member once for one that is, nor
            // anybody for one who has no more than the password for replication.
            roster: roster
        )
        return try self.storeConfiguration(
            password: password,
            patience: Self.leaderPatience,
            acknowledgement: count > 0 ? acknowledgement : nil
        )
    }

    private func storeConfiguration(
        password: String,
        patience: Duration,
        acknowledgement: ReplicaAcknowledgement?
    ) throws -> RedisStoreConfiguration {
        try RedisStoreConfiguration(
            endpoint: .unixSocket(path: self.redisSocket),
            username: Self.managerUser,
            password: password,
            keyPrefix: self.settings.redis.prefix,
            ioTimeout: patience,
            loadingPatience: Self.loadingPatience,
            acknowledgement: acknowledgement
        )
    }

    private var redisSocket: String { self.settings.ownRedisSocket }

    // MARK: The others

    /// Where this member listens for the others.
    var peerEndpoint: String { self.peerEndpoint(of: self.own) }

    /// Where each other member does.
    var otherPeers: [MemberID: String] {
        let pairs = self.others.map { (MemberID($0.number), self.peerEndpoint(of: $0)) }
        return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    }

    private func peerEndpoint(of member: ClusterSection.Member) -> String {
        "tcp://\(member.host):\(self.settings.cluster.peerPort)"
    }

    // MARK: etcd

    var memberList: String { MemberChange.text(of: self.settings.cluster.members) }

    var keys: ElectionKeys {
        get throws { try ElectionKeys(cluster: self.settings.cluster.name) }
    }

    var etcdConfiguration: EtcdConfiguration {
        get throws {
            // A member that has to wait for longer has lost its place anyway.
            try self.settings.cluster.etcdConfiguration(
                attemptTimeout: self.terms.leaseRenewalInterval,
                callTimeout: self.terms.bidBound
            )
        }
    }
}

extension ClusterSection {
    /// How etcd is reached.
    func etcdConfiguration(attemptTimeout: Duration, callTimeout: Duration) throws -> EtcdConfiguration {
        var credentials: EtcdConfiguration.Credentials?
        if let user = self.etcdUser, let password = self.etcdPassword {
            credentials = EtcdConfiguration.Credentials(user: user, password: password.value)
        }
        var tls: EtcdConfiguration.TLS?
        if self.etcdAuthorities != nil || self.etcdCertificate != nil {
            var identity: EtcdConfiguration.TLS.Identity?
            if let certificate = self.etcdCertificate, let key = self.etcdPrivateKey {
                identity = .init(certificateChainPath: certificate, privateKeyPath: key)
            }
            tls = EtcdConfiguration.TLS(authoritiesPath: self.etcdAuthorities, identity: identity)
        }
        return try EtcdConfiguration(
            endpoints: self.etcd,
            credentials: credentials,
            tls: tls,
            attemptTimeout: attemptTimeout,
            callTimeout: callTimeout
        )
    }
}
