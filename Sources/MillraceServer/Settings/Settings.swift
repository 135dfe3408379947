/// Everything that an operator can decide about a Millrace process.
///
/// A plain tree of values: reading files, variables and flags is the work of ``SettingsLoader``, and turning a group
/// into the configuration of a role is the work of the composition root. The defaults written here are the defaults
/// that the documentation and `config/millrace.toml` name.
package struct Settings: Sendable, Equatable {
    /// What kind of installation this is; it decides the default directories and whether a password is required.
    package enum Environment: String, Sendable, CaseIterable {
        case development
        case staging
        case production
    }

    /// How many hosts share the work, and how they agree.
    package enum Mode: String, Sendable, CaseIterable {
        /// One manager with a Redis of its own.
        case single
        /// A manager with a Redis on each of 3 or 5 hosts, of which one leads.
        case replicated
        /// Several managers, of which one leads, over one Redis that somebody else keeps available.
        case shared

        /// Whether there are several managers, which are listed as members.
        package var hasMembers: Bool { self != .single }
    }

    /// What an acknowledged job survives.
    package enum Durability: String, Sendable, CaseIterable {
        /// Redis has it in memory and writes it to disk within a second.
        case memory
        /// It is on disk before it is acknowledged.
        case disk
    }

    package var environment: Environment
    package var mode = Mode.single
    package var durability = Durability.memory
    /// Where the data, and by default the sockets between the processes, live.
    package var storageDirectory: String
    /// Where `millrace.toml`, `conf.d/` and the TLS files are looked for.
    package var configurationDirectory: String
    package var front = FrontSection()
    package var web = WebSection()
    package var manager = ManagerSection()
    package var redis = RedisSection()
    package var cluster = ClusterSection()
    package var scheduler = SchedulerSection()
    package var log = LogSection()
    package var tls = TLSSection()

    /// Makes the defaults for one environment.
    ///
    /// - Parameter home: the home directory, where a development installation keeps its files; without one the
    ///   directories are those of production.
    package init(environment: Environment = .development, home: String? = nil) {
        self.environment = environment
        if environment == .development, let home, !home.isEmpty {
            self.storageDirectory = home + "/.faktory/db"
            self.configurationDirectory = home + "/.faktory"
        } else {
            self.storageDirectory = "/var/lib/faktory/db"
            self.configurationDirectory = "/etc/faktory"
        }
    }

    /// Where the manager of this host listens for fronts and schedulers.
    ///
    /// It is as set; else, with several managers, the port of this host's member, or of the first one on a host without;
    /// else a socket in the storage directory.
    package var managerEndpoint: ManagerSection.Endpoint {
        if let endpoint = self.manager.endpoint { return endpoint }
        if self.mode.hasMembers, let member = self.cluster.ownMember ?? self.cluster.members.first {
            return .tcp(HostPort(host: member.host, port: UInt16(clamping: self.cluster.managerPort)))
        }
        return .ipc(path: self.storageDirectory + "/" + StorageFiles.managerSocket)
    }

    /// Where fronts and schedulers look for the leader: as set, or at every member.
    package var managerEndpoints: [ManagerSection.Endpoint] {
        guard self.manager.endpoint == nil, self.mode.hasMembers, !self.cluster.members.isEmpty else {
            return [self.managerEndpoint]
        }
        return self.cluster.members.map { member in
            .tcp(HostPort(host: member.host, port: UInt16(clamping: self.cluster.managerPort)))
        }
    }

    /// Where the manager reaches Redis: as set, or the socket of our own server in the storage directory.
    package var redisEndpoint: RedisSection.Endpoint {
        if let address = self.redis.address { return .tcp(address) }
        return .unix(path: self.redis.socket ?? self.ownRedisSocket)
    }

    /// The socket of a Redis that we start ourselves.
    var ownRedisSocket: String { self.storageDirectory + "/" + StorageFiles.redisSocket }

    /// Whether Redis is a server that we start ourselves rather than one that was named.
    package var ownsRedis: Bool { self.redis.address == nil && self.redis.socket == nil }

    /// What is wrong with the values, each with the setting that it concerns; nothing when they can be used.
    package func problems() -> [SettingProblem] {
        var problems = SettingsCatalogue.all.compactMap { $0.problem(in: self) }
        if self.configurationDirectory.isEmpty {
            problems.append(SettingProblem(setting: "config_directory", reason: "must not be empty"))
        }
        problems += self.redis.problems()
        problems += self.cluster.problems()
        switch self.mode {
        case .single: break
        case .replicated: problems += self.problemsWhenReplicated()
        case .shared: problems += self.cluster.problemsWhenShared()
        }
        if self.mode.hasMembers, self.cluster.curveKey != nil, self.manager.endpoint != nil {
            // Whose key to expect there, nobody could say.
            let reason = "cannot be set together with cluster.curve_key, which goes by cluster.members"
            problems.append(SettingProblem(setting: "manager.endpoint", reason: reason))
        }
        problems += self.tls.problems()
        if case .ipc(let path) = self.managerEndpoint, let problem = UnixSocketPath.problem(with: path) {
            problems.append(SettingProblem(setting: "manager.endpoint", reason: problem))
        }
        if case .unix(let path) = self.redisEndpoint, let problem = UnixSocketPath.problem(with: path) {
            problems.append(SettingProblem(setting: "redis.socket", reason: problem))
        }
        return problems
    }

    private func problemsWhenReplicated() -> [SettingProblem] {
        var problems = self.cluster.problemsWhenReplicated()
        let reason = "cannot be set in replicated mode, in which each member starts a Redis of its own"
        if self.redis.socket != nil { problems.append(SettingProblem(setting: "redis.socket", reason: reason)) }
        if self.redis.address != nil { problems.append(SettingProblem(setting: "redis.address", reason: reason)) }
        return problems
    }
}

extension Settings {
    /// What stands before any table.
    static let group = SettingGroup(
        "",
        "",
        [
            Setting(
                "mode",
                \.mode,
                .choice,
                readBy: Setting.Reader.allCases,
                """
                How many hosts share the work: "single" is one manager with a Redis of its own, "replicated" keeps a copy of \
                everything on each of 3 or 5 hosts, of which one leads, and "shared" is several managers, of which one leads, \
                over one Redis that somebody else keeps available; see [cluster].
                """
            ),
            Setting(
                "durability",
                \.durability,
                .choice,
                readBy: [.manager, .supervisor],
                """
                What an acknowledged job survives: "memory" may lose the last second in a power cut, "disk" loses nothing and \
                costs throughput. In replicated mode the default is "disk"; in shared mode it is the Redis that decides.
                """
            ),
            Setting(
                "storage_directory",
                \.storageDirectory,
                .text.that(mustBe: "the path of a directory") { !$0.isEmpty },
                readBy: Setting.Reader.allCases,
                "Where the data, and the sockets between the processes, are kept; in development ~/.faktory/db."
            ),
        ]
    )
}
