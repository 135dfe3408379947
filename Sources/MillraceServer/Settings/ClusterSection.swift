import Election
import ElectionEtcd
import JobStorageRedis

/// How the hosts of an installation with several managers find each other; of no meaning in single mode.
package struct ClusterSection: Sendable, Equatable {
    /// A host that has a manager, and in replicated mode a copy of everything, as `1@10.0.0.1`.
    package struct Member: Sendable, Hashable {
        /// Belongs to this host for the life of the cluster: between 1 and 63.
        package var number: UInt8
        /// A name or an address, the same for all members.
        package var host: String

        package init(number: UInt8, host: String) {
            self.number = number
            self.host = host
        }
    }

    static let numberRange = 1...Int(MemberID.greatestNumber)
    /// How many hosts may have a copy each; an even number is for the time between two changes of the list.
    static let memberCounts = 1...5
    /// How many managers may share one Redis.
    static let sharedMemberCounts = 1...9
    static let portRange = 1...65_535
    static let endpointRange = 1...16
    static let passwordRange = MemberRedisServer.passwordByteCounts
    static let leaseRange: ClosedRange<Duration> = .seconds(2)...(.seconds(60))
    static let heartbeatRange: ClosedRange<Duration> = .milliseconds(20)...(.seconds(10))
    /// A leader that missed so many heartbeats may be suspected, and not before.
    static let silentHeartbeatCount = 2
    /// What an election has that is not told otherwise.
    private static let usual = TakeOverTerms()

    /// What the cluster's keys in etcd are called, so that several clusters can share one.
    package var name = "millrace"
    /// Which of the members this host is; nil on a host that only has a front.
    package var member: Int?
    /// All hosts that have a manager, the same list everywhere.
    package var members: [Member] = []
    /// Where fronts and schedulers reach the leader.
    package var managerPort = 7421
    /// Where members and the operator's commands reach a member.
    package var peerPort = 7422
    /// Where the members' Redis copy from each other.
    package var redisPort = 7423
    /// Where etcd is; one after the other is tried.
    package var etcd = ["http://127.0.0.1:2379"]
    package var etcdUser: String?
    package var etcdPassword: Secret?
    /// The file of the authorities that vouch for etcd, in PEM.
    package var etcdAuthorities: String?
    /// The file of our own certificate for an etcd that asks for one, in PEM.
    package var etcdCertificate: String?
    /// The file of the certificate's key.
    package var etcdPrivateKey: String?
    /// What one member's Redis shows another's, the same for all.
    package var redisPassword: Secret?
    /// The file of this host's secret key for the links between hosts; without one they are plain.
    package var curveKey: String?
    /// The file that lists the public keys of everybody who may take part in these links.
    package var curveAllowed: String?
    /// How long a leader that fell silent keeps its place if nobody suspects it.
    package var leaseTimeToLive = Self.usual.leaseTimeToLive
    /// How often a leader says that it is there.
    package var heartbeatInterval = Self.usual.heartbeatInterval
    /// How long the others hear nothing before they take its place.
    package var heartbeatSilence = Self.usual.heartbeatSilence

    package init() {}

    /// This host's entry in the list, if it has one.
    package var ownMember: Member? { self.members.first { Int($0.number) == self.member } }

    /// What does not fit together in this group, in whatever mode it is used.
    package func problems() -> [SettingProblem] {
        self.listProblems() + self.portProblems() + self.etcdProblems() + self.timeProblems() + self.keyProblems()
    }

    /// What is missing or does not fit together in replicated mode.
    package func problemsWhenReplicated() -> [SettingProblem] {
        var problems: [SettingProblem] = []
        func add(_ setting: String, _ reason: String) {
            problems.append(SettingProblem(setting: setting, reason: reason))
        }
        if self.members.isEmpty {
            add("cluster.members", "must list the hosts in replicated mode")
        } else if !Self.memberCounts.contains(self.members.count) {
            add("cluster.members", "must list 1 to 5 hosts, better an odd number, not \(self.members.count)")
        }
        return problems + self.problemsOfMembersAndEtcd()
    }

    /// What is missing or does not fit together in shared mode.
    package func problemsWhenShared() -> [SettingProblem] {
        var problems: [SettingProblem] = []
        func add(_ setting: String, _ reason: String) {
            problems.append(SettingProblem(setting: setting, reason: reason))
        }
        let counts = Self.sharedMemberCounts
        if self.members.isEmpty {
            add("cluster.members", "must list the hosts that have a manager in shared mode")
        } else if !counts.contains(self.members.count) {
            let bounds = "\(counts.lowerBound) to \(counts.upperBound)"
            add("cluster.members", "must list \(bounds) hosts, not \(self.members.count)")
        }
        return problems + self.problemsOfMembersAndEtcd()
    }

    private func problemsOfMembersAndEtcd() -> [SettingProblem] {
        var problems: [SettingProblem] = []
        func add(_ setting: String, _ reason: String) {
            problems.append(SettingProblem(setting: setting, reason: reason))
        }
        if let member, self.ownMember == nil, !self.members.isEmpty {
            add("cluster.member", "must be one of cluster.members, not \(member)")
        }
        let hasTLS = self.etcdAuthorities != nil || self.etcdCertificate != nil
        if hasTLS, self.etcd.contains(where: { $0.hasPrefix("http://") }) {
            add("cluster.etcd", "must begin with https:// when certificates are set")
        }
        return problems
    }

    /// What a process that is a member, and not only a front, cannot do without in this mode.
    package func problemsOfMember(in mode: Settings.Mode) -> [SettingProblem] {
        var problems: [SettingProblem] = []
        if self.member == nil {
            let reason = "must say which of cluster.members this host is"
            problems.append(SettingProblem(setting: "cluster.member", reason: reason))
        }
        if mode == .replicated, self.redisPassword == nil {
            problems.append(SettingProblem(setting: "cluster.redis_password", reason: "must be set in replicated mode"))
        }
        return problems
    }

    private func listProblems() -> [SettingProblem] {
        var problems: [SettingProblem] = []
        let count = self.members.count
        if Set(self.members.map(\.number)).count < count {
            problems.append(SettingProblem(setting: "cluster.members", reason: "must not have a number twice"))
        }
        if Set(self.members.map(\.host)).count < count {
            problems.append(SettingProblem(setting: "cluster.members", reason: "must not have a host twice"))
        }
        return problems
    }

    private func portProblems() -> [SettingProblem] {
        var problems: [SettingProblem] = []
        if self.peerPort == self.managerPort {
            let reason = "must differ from cluster.manager_port"
            problems.append(SettingProblem(setting: "cluster.peer_port", reason: reason))
        }
        if self.redisPort == self.managerPort || self.redisPort == self.peerPort {
            let reason = "must differ from cluster.manager_port and cluster.peer_port"
            problems.append(SettingProblem(setting: "cluster.redis_port", reason: reason))
        }
        return problems
    }

    private func etcdProblems() -> [SettingProblem] {
        var problems: [SettingProblem] = []
        func add(_ setting: String, _ reason: String) {
            problems.append(SettingProblem(setting: setting, reason: reason))
        }
        for endpoint in self.etcd where !Self.isEndpoint(endpoint) {
            add(
                "cluster.etcd",
                "must be like \"http://127.0.0.1:2379\" or \"https://etcd:2379\", not \"\(MaskedEndpoint.text(endpoint))\""
            )
        }
        if (self.etcdUser == nil) != (self.etcdPassword == nil) {
            add("cluster.etcd_user", "needs cluster.etcd_password, and the other way round")
        }
        if (self.etcdCertificate == nil) != (self.etcdPrivateKey == nil) {
            add("cluster.etcd_certificate", "needs cluster.etcd_private_key, and the other way round")
        }
        return problems
    }

    private func timeProblems() -> [SettingProblem] {
        var problems: [SettingProblem] = []
        if self.heartbeatSilence < self.heartbeatInterval * Self.silentHeartbeatCount {
            let reason = "must be at least twice cluster.heartbeat_interval"
            problems.append(SettingProblem(setting: "cluster.heartbeat_silence", reason: reason))
        }
        return problems
    }

    private func keyProblems() -> [SettingProblem] {
        guard (self.curveKey == nil) != (self.curveAllowed == nil) else { return [] }
        let (given, missing) =
            self.curveKey == nil
            ? ("cluster.curve_allowed", "cluster.curve_key") : ("cluster.curve_key", "cluster.curve_allowed")
        return [SettingProblem(setting: given, reason: "needs \(missing) as well")]
    }

    /// Whether one host less would do as well: more than half of them are as many as of the next odd number.
    var hasIdleMember: Bool { !self.members.isEmpty && self.members.count.isMultiple(of: 2) }

    /// Whether what is said between the hosts could be read on its way, or come from anybody.
    var isExposed: Bool {
        self.curveKey == nil && !self.members.allSatisfy(\.isLoopback)
    }

    /// Whether the text is a scheme, a host and a port, and nothing else.
    private static func isEndpoint(_ text: String) -> Bool {
        for scheme in ["http://", "https://"] where text.hasPrefix(scheme) {
            guard let address = HostPort(parsing: text.dropFirst(scheme.count)) else { return false }
            return !address.host.isEmpty && address.port > 0
        }
        return false
    }
}

extension ClusterSection.Member {
    /// Whether only this very host reaches it.
    var isLoopback: Bool {
        self.host == "localhost" || self.host.hasPrefix("127.") || self.host == "[::1]" || self.host == "::1"
    }
}

extension ClusterSection.Member: CustomStringConvertible {
    package var description: String { "\(self.number)@\(self.host)" }

    /// Reads `number@host`; nil when the text is anything else, or the number none that a member can have.
    package init?(parsing text: some StringProtocol) {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let number = UInt8(parts[0]), ClusterSection.numberRange.contains(Int(number)) else {
            return nil
        }
        // What a port can be put behind, without brackets.
        guard let address = HostPort(parsing: "\(parts[1]):1"), !address.host.isEmpty, address.host == parts[1] else {
            return nil
        }
        self.init(number: number, host: address.host)
    }
}
