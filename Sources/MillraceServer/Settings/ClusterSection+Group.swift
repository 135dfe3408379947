import ElectionEtcd

extension ClusterSection {
    static let group = SettingGroup(
        "cluster",
        "In replicated and shared mode: how the hosts find each other. All but member is the same on all hosts.",
        Self.hosts + Self.etcdSettings + Self.secrets + Self.times
    )

    private static let everyRole: [Setting.Reader] = [.front, .manager, .scheduler]
    private static let member: [Setting.Reader] = [.manager, .supervisor]

    private static let hosts = [
        Setting(
            "cluster.name",
            \.cluster.name,
            .text.that(
                mustBe: "1 to \(ElectionKeys.nameByteLimit) letters, digits, hyphens, underscores and dots",
                ElectionKeys.isLegal
            ),
            readBy: Self.member,
            "What the keys in etcd are called, so that several clusters can share one."
        ),
        Setting(
            "cluster.member",
            optional: \.cluster.member,
            .integer(Self.numberRange),
            readBy: Self.member,
            example: "1",
            "Which of the members this host is. A host that only has a front needs no number."
        ),
        Setting(
            "cluster.members",
            \.cluster.members,
            .members,
            readBy: Self.everyRole,
            example: #"["1@10.0.0.1", "2@10.0.0.2", "3@10.0.0.3"]"#,
            """
            Every host that has a manager, each with a number from 1 to 63 that it keeps for good: 3 or 5 of them, each of \
            which keeps a copy in replicated mode (1, 2 and 4 are possible, too); up to 9 in shared mode. The list is in etcd \
            as well, and is changed there by `millrace cluster members change`, one member at a time; see docs/operations.md.
            """
        ),
        Setting(
            "cluster.manager_port",
            \.cluster.managerPort,
            .integer(Self.portRange),
            readBy: Self.everyRole,
            "Where fronts and schedulers reach the leader."
        ),
        Setting(
            "cluster.peer_port",
            \.cluster.peerPort,
            .integer(Self.portRange),
            readBy: Self.member,
            "Where members reach each other."
        ),
        Setting(
            "cluster.redis_port",
            \.cluster.redisPort,
            .integer(Self.portRange),
            readBy: Self.member,
            "In replicated mode, where the members' Redis reach each other."
        ),
    ]

    private static let etcdSettings = [
        Setting(
            "cluster.etcd",
            \.cluster.etcd,
            .endpoints.counting(Self.endpointRange, "endpoints"),
            readBy: [.manager],
            "Where etcd is, which elects the leader; one after the other is tried. In shared mode it must be set."
        ),
        Setting(
            "cluster.etcd_user",
            optional: \.cluster.etcdUser,
            .text,
            readBy: [.manager],
            example: #""millrace""#,
            "Who logs in to etcd; needs a password."
        ),
        Setting(
            "cluster.etcd_password",
            optional: \.cluster.etcdPassword,
            .secret,
            readBy: [.manager],
            example: #""/etc/faktory/etcd-password""#,
            "A password, or the absolute path of a file that holds it."
        ),
        Setting(
            "cluster.etcd_authorities",
            optional: \.cluster.etcdAuthorities,
            .text,
            readBy: [.manager],
            example: #""/etc/faktory/etcd-ca.pem""#,
            "For https: the file of those who vouch for etcd, in PEM."
        ),
        Setting(
            "cluster.etcd_certificate",
            optional: \.cluster.etcdCertificate,
            .text,
            readBy: [.manager],
            example: #""/etc/faktory/etcd.cert.pem""#,
            "For https: the file of our own certificate, if etcd asks for one, in PEM."
        ),
        Setting(
            "cluster.etcd_private_key",
            optional: \.cluster.etcdPrivateKey,
            .text,
            readBy: [.manager],
            example: #""/etc/faktory/etcd.key.pem""#,
            "The file of that certificate's key, in PEM."
        ),
    ]

    private static let secrets = [
        Setting(
            "cluster.redis_password",
            optional: \.cluster.redisPassword,
            .secret.that(
                mustBe: "\(Self.passwordRange.lowerBound) to \(Self.passwordRange.upperBound) "
                    + "visible ASCII characters, or the path of a file that holds them"
            ) { password in
                // An absolute path stands for what is in the file.
                if password.value.hasPrefix("/") { return true }
                let isVisible = password.value.utf8.allSatisfy { (0x21...0x7E).contains($0) }
                return isVisible && Self.passwordRange.contains(password.value.utf8.count)
            },
            readBy: Self.member,
            example: #""/etc/faktory/cluster-password""#,
            "In replicated mode, what the members' Redis show each other; the same for all members."
        ),
        Setting(
            "cluster.curve_key",
            optional: \.cluster.curveKey,
            .text,
            readBy: Setting.Reader.allCases,
            example: #""/etc/faktory/link.key""#,
            """
            Encryption of the links between hosts (not of Redis and etcd, see docs/SECURITY.md): the file of this host's own \
            key, made by `millrace keys`. Without it they are plain.
            """
        ),
        Setting(
            "cluster.curve_allowed",
            optional: \.cluster.curveAllowed,
            .text,
            readBy: Setting.Reader.allCases,
            isReloaded: true,
            example: #""/etc/faktory/link.allowed""#,
            "The file that lists the public keys of all hosts, which SIGHUP reads again."
        ),
    ]

    private static let times = [
        Setting(
            "cluster.lease_ttl",
            \.cluster.leaseTimeToLive,
            .duration(Self.leaseRange),
            readBy: [.manager],
            "How long a leader that fell silent keeps its place if nobody suspects it; etcd counts in whole seconds."
        ),
        Setting(
            "cluster.heartbeat_interval",
            \.cluster.heartbeatInterval,
            .duration(Self.heartbeatRange),
            readBy: [.manager],
            "How often the leader says that it is there."
        ),
        Setting(
            "cluster.heartbeat_silence",
            \.cluster.heartbeatSilence,
            .duration(Self.heartbeatRange),
            readBy: [.manager],
            "How long the others hear nothing before they take its place; at least twice heartbeat_interval."
        ),
    ]
}
