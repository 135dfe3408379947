import FaktoryClient
import Foundation
import Logging
import ServiceLifecycle
import UnixSignals

/// `millrace dev`: one process of each role and a Redis of their own, in one terminal.
///
/// The children are the same processes that run in production; nothing takes a short cut.
struct DevCommand {
    /// Through which program children are started, so that they end with this process.
    private static let executable = "/proc/self/exe"
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
        let redis = try self.makeRedis()
        let watch = redis.map(RedisWatch.init(of:))
        let supervisor = Supervisor(children: try self.makeChildren(redis), launcher: Self.executable) { event in
            Self.log(event, logger)
            watch?.take(event)
        }
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup)
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await signal in signals { await supervisor.receive(signal.rawValue) }
            }
            group.addTask { await self.announce() }
            if let watch {
                group.addTask {
                    if await watch.findsUnreadableData() { supervisor.stop() }
                }
            }
            await supervisor.run()
            group.cancelAll()
        }
        if let failure = watch?.failure { throw failure }
        logger.info("stopped")
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

    private func makeChildren(_ redis: RedisServerCommand?) throws -> [ChildProcess] {
        let environment = ProcessInfo.processInfo.environment
        var children = redis.map { [$0.child(environment: environment)] } ?? []
        let path = try FileManager.default.destinationOfSymbolicLink(atPath: Self.executable)
        // A front that takes the place of one that died takes its session's place, too.
        let name = [
            "--set",
            "front.session_name=\(self.settings.front.sessionName.isEmpty ? "dev" : self.settings.front.sessionName)",
        ]
        for (role, more) in [("manager", []), ("scheduler", []), ("front", name)] {
            children.append(
                ChildProcess(
                    name: role,
                    executable: path,
                    arguments: [role] + self.options.arguments + more,
                    environment: environment
                )
            )
        }
        return children
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
            if await self.answers(configuration) { break }
            try? await Task.sleep(for: Self.readinessProbe)
        }
        guard !Task.isCancelled else { return }
        print(self.welcome)
        // Standard output may be a pipe, which would keep this to itself.
        fflush(nil)
    }

    /// Whether the whole way to the leader is open.
    private func answers(_ configuration: ClientConfiguration) async -> Bool {
        guard let client = try? FaktoryClient(configuration: configuration) else { return false }
        defer { client.close() }
        return (try? await client.info()) != nil
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

    private static func log(_ event: SupervisorEvent, _ logger: Logger) {
        switch event {
        case .started(let name, let processID):
            logger.info("started", metadata: ["process": "\(name)", "pid": "\(processID)"])
        case .failedToStart(let name, let reason):
            logger.error("could not be started", metadata: ["process": "\(name)", "reason": "\(reason)"])
        case .exited(let name, let end):
            logger.info("ended", metadata: ["process": "\(name)", "how": "\(end)"])
        case .restarting(let name, let wait):
            logger.warning("starts again", metadata: ["process": "\(name)", "in": "\(wait)"])
        case .stopping(let name):
            logger.info("stopping", metadata: ["process": "\(name)"])
        case .killed(let name):
            logger.error("did not stop in time and was killed", metadata: ["process": "\(name)"])
        }
    }
}
