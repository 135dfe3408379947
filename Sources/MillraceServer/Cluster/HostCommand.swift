import ClusterLinkZeroMQ
import Foundation
import JobStorageRedis
import Logging
import Redis

/// `millrace host`: everything that one member of a cluster needs, kept running by one supervisor.
///
/// Its Redis starts as a replica of nobody each time; what becomes of it is decided by the manager beside it. In shared
/// mode there is none.
struct HostCommand {
    /// Why there is nothing to run; in words.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// How long Redis may take to write out its log.
    private static let redisStopTimeout = Duration.seconds(30)

    let loaded: LoadedSettings
    let options: CommandLineOptions

    private var settings: Settings { self.loaded.settings }

    func run() async throws {
        MillraceCommand.complain(MillraceCommand.banner)
        let logger = Logger(label: "host")
        switch self.settings.mode {
        case .single:
            let reason = "millrace host needs mode = \"replicated\" or \"shared\"; millrace dev runs a single host"
            throw Failure(description: reason)
        case .replicated: break
        case .shared: try SharedPlan(self.settings).checkEntry(logger: logger)
        }
        // The supervisor would start processes again and again that cannot use their keys.
        if let keys = try LinkKeys(self.settings) {
            for role in LinkRole.allCases { try keys.require(role) }
        }
        let lock = try StorageLock(directory: self.settings.storageDirectory)
        defer { lock.release() }
        let environment = ProcessInfo.processInfo.environment
        let processes = RoleProcesses(
            settings: self.settings,
            options: self.options,
            frontName: "host-\(self.settings.cluster.member ?? 0)"
        )
        let ownsRedis = self.settings.mode == .replicated
        try processes.waitForEarlierChildren(logger)
        if ownsRedis, let own = self.settings.cluster.ownMember {
            let address = HostPort(host: own.host, port: UInt16(clamping: self.settings.cluster.redisPort))
            try await PortWait(setting: "cluster.redis_port", logger: logger).untilFree(address)
        }
        let own = ownsRedis ? [processes.redis(try self.makeRedis(environment: environment))] : []
        let children = try own + processes.children(environment: environment)
        let keeper = ownsRedis ? try self.makeKeeper(logger: logger) : nil
        try await processes.run(children, logger: logger) { await keeper?.run() }
    }

    private func makeKeeper(logger: Logger) throws -> LogKeeper {
        let password = try HostPassword(directory: self.settings.storageDirectory).make()
        let configuration = try MemberPlan(self.settings).agentConfiguration(password: password)
        return LogKeeper(
            endpoint: configuration.endpoint,
            options: RedisConnectionOptions(
                credentials: .init(username: configuration.username, password: password)
            ),
            directory: self.settings.storageDirectory,
            durability: self.settings.durability,
            logger: logger
        )
    }

    private func makeRedis(environment: [String: String]) throws -> ChildProcess {
        let password = try HostPassword(directory: self.settings.storageDirectory).make()
        let server = try MemberPlan(self.settings).redisServer(password: password)
        try server.prepare()
        return ChildProcess(
            name: RedisServerCommand.childName,
            executable: server.executable,
            // The port again, so that a Redis that has not read our configuration does not serve where nobody expects it.
            arguments: [RedisServerDirectives.standardInput, "--port", "\(server.address.port)"],
            environment: environment,
            stopTimeout: Self.redisStopTimeout,
            attemptBound: RedisServerCommand.attemptBound,
            input: server.configurationPath
        )
    }
}
