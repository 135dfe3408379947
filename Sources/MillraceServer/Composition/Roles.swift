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
        var fronts: [FrontServer] = []
        for address in self.settings.front.bind {
            let configuration = FrontServer.Configuration(self.settings, at: address, tls: tls)
            let links = managers.map { endpoint, security in
                ZeroMQPolledPeerLink(endpoint: endpoint, in: context, security: security)
            }
            fronts.append(try FrontServer(configuration: configuration, links: links, logger: logger))
        }
        FileDescriptorLimit.makeRoom(
            forSockets: fronts.count * self.settings.front.maximumConnections,
            logger: logger
        )
        var services: [any Service] = fronts
        if self.settings.web.isEnabled {
            services.append(try self.makeStatusServer(asking: managers, in: context, tls: tls))
        }
        services.append(self.makeReloader(of: fronts, logger: logger))
        try await self.run(services, logger: logger)
    }

    func runManager() async throws {
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
            services: services.map { service in
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
            sessionTimeout: section.sessionTimeout,
            workerTimeout: section.workerTimeout,
            releaseAfter: section.releaseAfter,
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

    private func makeTLS() throws -> TLSConfiguration? {
        guard let certificate = self.settings.tls.certificate, let key = self.settings.tls.privateKey else {
            return nil
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem))
        )
        configuration.minimumTLSVersion = .tlsv12
        Logger(label: "front").info("TLS activated", metadata: ["certificate": "\(certificate)"])
        return configuration
    }

    private func makeStatusServer(
        asking managers: [(endpoint: String, security: PeerSecurity?)],
        in context: ZeroMQContext,
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
        let configuration = StatusServer.Configuration(
            host: address.host.isEmpty ? "0.0.0.0" : address.host,
            port: Int(address.port),
            password: self.settings.web.password?.value,
            tls: tls
        )
        return StatusServer(configuration: configuration, inquiry: inquiry, logger: logger) { port in
            logger.info("Web server now listening", metadata: ["address": "\(address.host):\(port)"])
        }
    }

    // MARK: SIGHUP

    func makeReloader(of fronts: [FrontServer], gates: [KeyGate] = [], logger: Logger) -> Reloader {
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
