import FaktoryClient
import Foundation
import Logging
import Redis

/// `millrace dev`: one process of each role and a Redis of their own, in one terminal.
///
/// The children are the same processes that run in production; nothing takes a short cut.
struct DevCommand {
    /// How often the server is asked whether it answers, until it does.
    private static let readinessProbe = Duration.milliseconds(50)

    let loaded: LoadedSettings
    let loader: SettingsLoader
    let options: CommandLineOptions

    private var settings: Settings { self.loaded.settings }

    func run() async throws {
        MillraceCommand.complain(MillraceCommand.banner)
        let logger = Logger(label: "dev")
        let lock = try StorageLock(directory: self.settings.storageDirectory)
        defer { lock.release() }
        let processes = RoleProcesses(settings: self.settings, options: self.options, frontName: "dev")
        let environment = ProcessInfo.processInfo.environment
        try processes.waitForEarlierChildren(logger)
        let redis = try self.makeRedis()
        let own = redis.map { [processes.redis($0.child(environment: environment))] } ?? []
        let watch = redis.map(RedisWatch.init(of:))
        let children = try own + processes.children(environment: environment)
        let keeper = redis.map { self.keeper(of: $0, logger: logger) }
        try await processes.run(children, watch: watch, logger: logger) {
            async let isKept: Void? = keeper?.run()
            await self.announce()
            await isKept
        }
    }

    /// The Redis of our own, ready to be started; nil when the settings name another.
    private func makeRedis() throws -> RedisServerCommand? {
        guard self.settings.ownsRedis, case .unix(let socket) = self.settings.redisEndpoint else { return nil }
        let redis = try RedisServerCommand(
            executable: self.settings.redis.server,
            directory: self.settings.storageDirectory,
            socket: socket,
            durability: self.settings.durability,
            password: self.settings.redis.password
        )
        try redis.prepare()
        return redis
    }

    private func keeper(of redis: RedisServerCommand, logger: Logger) -> LogKeeper {
        LogKeeper(
            endpoint: .unixSocket(path: redis.socket),
            options: RedisConnectionOptions(credentials: redis.password.map { .init(password: $0.value) }),
            directory: self.settings.storageDirectory,
            durability: redis.durability,
            logger: logger
        )
    }

    /// Tells where the server is, once it answers.
    private func announce() async {
        let address = self.settings.front.bind[0]
        var configuration = ClientConfiguration(host: Self.reachable(address.host), port: Int(address.port))
        configuration.password = self.settings.front.password?.value
        if let certificate = self.settings.tls.certificate {
            configuration.tls = TLSOptions(trustRoots: .file(certificate), verifiesHostname: false)
        }
        while !Task.isCancelled {
            let failure = await self.failure(of: configuration)
            guard let failure else { break }
            // The password may have been exchanged since this process read it, and the front may have the new one.
            if failure == .authenticationFailed, case .success(let loaded) = self.loader.reload() {
                configuration.password = loaded.settings.front.password?.value
            }
            try? await Task.sleep(for: failure == .authenticationFailed ? .seconds(1) : Self.readinessProbe)
        }
        guard !Task.isCancelled else { return }
        print(self.welcome)
        // Standard output may be a pipe, which would keep this to itself.
        fflush(nil)
    }

    /// What keeps a client from the leader; nil when the whole way is open.
    private func failure(of configuration: ClientConfiguration) async -> FaktoryError.Code? {
        do {
            let client = try FaktoryClient(configuration: configuration)
            defer { client.close() }
            _ = try await client.info()
            return nil
        } catch let error as FaktoryError {
            return error.code
        } catch {
            return .connectionFailed
        }
    }

    private var welcome: String {
        let address = self.settings.front.bind[0]
        let host = Self.reachable(address.host)
        var lines = [
            "",
            "  Millrace is ready.",
            "",
            "    clients   tcp\(self.settings.tls.isEnabled ? "+tls" : "")://\(host):\(address.port)",
        ]
        if self.settings.web.isEnabled {
            let web = self.settings.web.bind
            let scheme = self.settings.tls.isEnabled ? "https" : "http"
            lines.append("    health    \(scheme)://\(Self.reachable(web.host)):\(web.port)/health")
            lines.append("    stats     \(scheme)://\(Self.reachable(web.host)):\(web.port)/stats")
        }
        lines.append("    data      \(self.settings.storageDirectory)")
        if self.settings.front.password == nil, !self.settings.tls.isEnabled {
            let job = #"{"jid":"hello-millrace-1","jobtype":"Hello","args":["world"]}"#
            lines += [
                "",
                "  Push a job:",
                "",
                #"    printf 'HELLO {"v":2}\r\nPUSH \#(job)\r\nEND\r\n' > /dev/tcp/\#(host)/\#(address.port)"#,
            ]
        }
        lines += ["", "  Ctrl-C stops everything and loses nothing.", ""]
        return lines.joined(separator: "\n")
    }

    /// A host that a client on this machine can connect to.
    private static func reachable(_ host: String) -> String {
        host.isEmpty || host == "0.0.0.0" || host == "::" ? "127.0.0.1" : host
    }
}
