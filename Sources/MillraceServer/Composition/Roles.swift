import ClusterLink
import ClusterLinkZeroMQ
import Election
import FaktoryWire
import Front
import Glibc
import JobCore
import JobStorageRedis
import Logging
import Manager
import NIOCore
import NIOSSL
import Redis
import Scheduler
import ServiceLifecycle
import UnixSignals
import WebUI
import ZeroMQ

/// Builds each role from the settings, and runs it until the process is told to stop.
struct Roles {
    let loaded: LoadedSettings
    let loader: SettingsLoader
    let destination: LogDestination
    let extend: @Sendable (JobManager) -> Void

    var settings: Settings { self.loaded.settings }

    // MARK: The three processes

    func runFront() async throws {
        let logger = Logger(label: "front")
        let context = try ZeroMQContext()
        let tls = try self.makeTLS()
        let managers = try self.managers(as: .front)
        let passwords = PasswordVerifier(limits: self.passwordLimits, logger: logger)
        var fronts: [FrontServer] = []
        let connectionCount = try FileDescriptorLimit.clients(
            ofEach: self.settings.front.bind.count,
            wanted: self.settings.front.maximumConnections,
            beside: self.settings.web.isEnabled ? self.settings.web.maximumConnections : 0,
            logger: logger
        )
        for address in self.settings.front.bind {
            var configuration = FrontServer.Configuration(self.settings, at: address, tls: tls)
            configuration.maximumConnectionCount = connectionCount
            let links = managers.map { endpoint, security in
                ZeroMQPolledPeerLink(endpoint: endpoint, in: context, security: security)
            }
            fronts.append(
                try FrontServer(configuration: configuration, links: links, passwords: passwords, logger: logger)
            )
        }
        var services: [any Service] = fronts
        var web: StatusServer?
        if self.settings.web.isEnabled {
            let server = try self.makeStatusServer(
                for: fronts,
                asking: managers,
                in: context,
                passwords: passwords,
                tls: tls
            )
            services.append(server)
            web = server
        }
        services.append(self.makeReloader(of: fronts, web, passwords: passwords, logger: logger))
        try await self.run(services, logger: logger)
    }

    func runManager() async throws {
        if case .tcp(let address) = self.settings.managerEndpoint {
            let setting = self.settings.mode.hasMembers ? "cluster.manager_port" : "manager.endpoint"
            try await PortWait(setting: setting, logger: Logger(label: "manager")).untilFree(address)
        }
        if let own = self.settings.cluster.ownMember, self.settings.mode.hasMembers {
            let address = HostPort(host: own.host, port: UInt16(clamping: self.settings.cluster.peerPort))
            try await PortWait(setting: "cluster.peer_port", logger: Logger(label: "manager")).untilFree(address)
        }
        switch self.settings.mode {
        case .single: try await self.runSoleManager()
        case .replicated: try await self.runMember()
        case .shared: try await self.runSharingManager()
        }
    }

    private func runSoleManager() async throws {
        let logger = Logger(label: "manager")
        let context = try ZeroMQContext()
        let store = try self.storeConfiguration()
        let endpoint = self.endpoint
        let manager = ManagerService(
            settings: self.managerSettings,
            election: SoleElection(),
            logger: logger,
            makeLink: { try ZeroMQLeaderLink(endpoint: endpoint, in: context) },
            makeStore: { RedisJobStore(configuration: store) },
            extend: self.extend
        )
        let sync = AppendOnlyFileSync(
            endpoint: store.endpoint,
            options: RedisConnectionOptions(
                credentials: store.password.map { .init(username: store.username, password: $0) }
            ),
            logger: logger
        )
        // What is started last is stopped first: the file is synced for as long as the manager writes.
        try await self.run([sync, manager, self.makeReloader(of: [], logger: logger)], logger: logger)
    }

    func runScheduler() async throws {
        let logger = Logger(label: "scheduler")
        let context = try ZeroMQContext()
        let links = try self.managers(as: .scheduler).map { endpoint, security in
            try ZeroMQPeerLink(endpoint: endpoint, in: context, security: security)
        }
        let section = self.settings.scheduler
        let intervals: [SchedulerTask: Duration] = [
            .enqueueScheduled: section.scheduledInterval,
            .retry: section.retriesInterval,
            .reap: section.reapInterval,
            .purge: section.purgeInterval,
            .reapWorkers: section.workersInterval,
        ]
        let scheduler = SchedulerService(links: links, intervals: intervals, logger: logger)
        try await self.run([scheduler, self.makeReloader(of: [], logger: logger)], logger: logger)
    }

    func run(_ services: [any Service], logger: Logger) async throws {
        let configuration = ServiceGroupConfiguration(
            services: (services + [EndWatchdog(logger: logger)]).map { service in
                .init(
                    service: service,
                    successTerminationBehavior: .gracefullyShutdownGroup,
                    failureTerminationBehavior: .gracefullyShutdownGroup
                )
            },
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        try await ServiceGroup(configuration: configuration).run()
        logger.info("stopped")
    }

    // MARK: From settings to configurations

    var endpoint: String { self.settings.managerEndpoint.description }

    /// Where fronts and schedulers look for the leader, and what they need to be heard there.
    private func managers(as role: LinkRole) throws -> [(endpoint: String, security: PeerSecurity?)] {
        let endpoints = self.settings.managerEndpoints.map(\.description)
        guard let keys = try LinkKeys(self.settings) else { return endpoints.map { ($0, nil) } }
        try keys.require(role)
        return try zip(endpoints, self.settings.cluster.members).map { ($0, try keys.connecting(to: $1)) }
    }

    var managerSettings: ManagerSettings {
        let section = self.settings.manager
        return ManagerSettings(
            maximumQueueLength: section.maximumQueueLength,
            maximumStoreBytes: UInt64(section.maximumMemory),
            mirrorByteBound: section.mirrorMemory,
            sessionTimeout: section.sessionTimeout,
            workerTimeout: section.workerTimeout,
            releaseAfter: section.releaseAfter,
            vanished: section.vanished,
            outcomeMemory: section.outcomeMemory,
            turnMessageBound: section.batchLimit
        )
    }

    private func storeConfiguration() throws -> RedisStoreConfiguration {
        try RedisStoreConfiguration(
            endpoint: RedisEndpoint(self.settings.redisEndpoint),
            username: self.settings.redis.username,
            password: self.settings.redis.password?.value,
            keyPrefix: self.settings.redis.prefix
        )
    }

    /// What a wrong password costs, at every port.
    private var passwordLimits: PasswordTries.Limits {
        var limits = PasswordTries.Limits()
        limits.width = max(2, System.coreCount)
        limits.attempts = self.settings.front.passwordAttempts
        return limits
    }

    private func makeTLS() throws -> TLSConfiguration? {
        guard let certificate = self.settings.tls.certificate, let key = self.settings.tls.privateKey else {
            return nil
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem))
        )
        configuration.minimumTLSVersion = .tlsv12
        // Of those of TLS 1.2 only the ones that authenticate what they encrypt; TLS 1.3 has no others.
        configuration.cipherSuiteValues = [
            .TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, .TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
            .TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, .TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
            .TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, .TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        ]
        Logger(label: "front").info("TLS activated", metadata: ["certificate": "\(certificate)"])
        return configuration
    }

    private func makeStatusServer(
        for fronts: [FrontServer],
        asking managers: [(endpoint: String, security: PeerSecurity?)],
        in context: ZeroMQContext,
        passwords: PasswordVerifier,
        tls: TLSConfiguration?
    ) throws -> StatusServer {
        var generator = SystemRandomNumberGenerator()
        let logger = Logger(label: "web")
        let inquiry = LeaderInquiry(
            links: try managers.map { endpoint, security in
                try ZeroMQPeerLink(endpoint: endpoint, in: context, security: security)
            },
            session: SessionID(using: &generator),
            software: "millrace/\(Millrace.version)"
        )
        let address = self.settings.web.bind
        let configuration = self.webConfiguration(of: self.settings, passwords: passwords, tls: tls)
        return try StatusServer(
            configuration: configuration,
            inquiry: inquiry,
            logger: logger,
            isServing: { fronts.allSatisfy(\.hasLeader) },
            explain: { error in
                guard error.errnoCode == EADDRINUSE else { return "\(error)" }
                return "\(PortTaken(setting: "web.bind", address: "\(address)", port: Int(address.port)))"
            },
            onListen: { channel in
                channel.eventLoop.execute {
                    try? channel.pipeline.syncOperations.addHandler(AcceptPause(logger: logger), position: .first)
                }
            },
            onBind: { port in
                logger.info("Web server now listening", metadata: ["address": "\(address.host):\(port)"])
            }
        )
    }

    private func webConfiguration(
        of settings: Settings,
        passwords: PasswordVerifier,
        tls: TLSConfiguration?
    ) -> StatusServer.Configuration {
        let address = settings.web.bind
        var limits = WebLimits()
        limits.connectionCount = settings.web.maximumConnections
        return StatusServer.Configuration(
            host: address.host.isEmpty ? EveryInterface.host : address.host,
            port: Int(address.port),
            password: settings.web.password?.value,
            tls: tls,
            limits: limits,
            admits: { await passwords.admits(from: PasswordVerifier.group(of: $0), isRight: $1) }
        )
    }

    // MARK: SIGHUP

    func makeReloader(
        of fronts: [FrontServer],
        _ web: StatusServer? = nil,
        passwords: PasswordVerifier? = nil,
        gates: [KeyGate] = [],
        logger: Logger
    ) -> Reloader {
        let destination = self.destination
        return Reloader(loader: self.loader, loaded: self.loaded, logger: logger) { loaded in
            try LinkKeys.reload(gates, from: loaded.settings.cluster)
            destination.setLevel(loaded.settings.log.level)
            let roles = Roles(
                loaded: loaded,
                loader: self.loader,
                destination: destination,
                extend: self.extend
            )
            let tls = try roles.makeTLS()
            for (front, address) in zip(fronts, self.settings.front.bind) {
                try front.reload(FrontServer.Configuration(loaded.settings, at: address, tls: tls))
            }
            guard let web, let passwords else { return }
            try web.reload(roles.webConfiguration(of: loaded.settings, passwords: passwords, tls: tls))
        }
    }
}

extension RedisEndpoint {
    init(_ endpoint: RedisSection.Endpoint) {
        switch endpoint {
        case .unix(let path): self = .unixSocket(path: path)
        case .tcp(let address): self = .tcp(host: address.host, port: Int(address.port))
        }
    }
}
