import FaktoryWire
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import JobCore
package import Logging
package import NIOCore
package import NIOSSL
import ServiceLifecycle

/// Serves `/health` and `/stats` over HTTP, as Faktory does.
package final class StatusServer: Service {
    /// Whether a password is right, which it says when the answer may be given: a wrong one costs its sender time.
    ///
    /// It is told who sent the password, and how to compare it.
    package typealias Admission = @Sendable (SocketAddress?, @escaping @Sendable () -> Bool) async -> Bool

    /// What the server must be told.
    package struct Configuration: Sendable {
        package var host: String
        package var port: Int
        /// Asked for by `/stats`, with any user name; nil asks for nothing.
        package var password: String?
        package var tls: TLSConfiguration?
        package var limits: WebLimits
        package var admits: Admission

        package init(
            host: String,
            port: Int,
            password: String? = nil,
            tls: TLSConfiguration? = nil,
            limits: WebLimits = WebLimits(),
            admits: @escaping Admission
        ) {
            self.host = host
            self.port = port
            self.password = password
            self.tls = tls
            self.limits = limits
            self.admits = admits
        }
    }

    private let configuration: Configuration
    private let secrets: WebSecrets
    private let inquiry: LeaderInquiry
    private let isServing: @Sendable () -> Bool
    private let logger: Logger
    private let onBind: @Sendable (Int) -> Void
    private let onListen: @Sendable (any Channel) -> Void
    private let explain: @Sendable (IOError) -> String

    /// How often an address that cannot be listened on is tried.
    private static let bindInterval = Duration.seconds(1)
    /// How often that is told.
    private static let quietTime = Duration.seconds(60)

    /// Throws when the certificate cannot be used.
    ///
    /// - Parameters:
    ///   - isServing: whether clients are served, which their own way to the leader decides and not the inquiry's.
    ///   - explain: says for people why the address cannot be listened on.
    ///   - onListen: called with the channel that listens, to prepare it for trouble.
    ///   - onBind: called with the port once the server listens.
    package init(
        configuration: Configuration,
        inquiry: LeaderInquiry,
        logger: Logger,
        isServing: @escaping @Sendable () -> Bool = { true },
        explain: @escaping @Sendable (IOError) -> String = { "\($0)" },
        onListen: @escaping @Sendable (any Channel) -> Void = { _ in },
        onBind: @escaping @Sendable (Int) -> Void = { _ in }
    ) throws {
        self.configuration = configuration
        self.secrets = WebSecrets(try WebSecrets.Values(configuration))
        self.inquiry = inquiry
        self.logger = logger
        self.isServing = isServing
        self.explain = explain
        self.onListen = onListen
        self.onBind = onBind
    }

    /// Takes a new password and a new certificate for what comes from now on, and tells which of them are new.
    ///
    /// TLS is switched neither on nor off.
    package func reload(_ configuration: Configuration) throws {
        let changes = self.secrets.replace(with: try WebSecrets.Values(configuration))
        guard !changes.isEmpty else { return }
        self.logger.info("The web server took a new \(changes.joined(separator: " and a new "))")
    }

    package func run() async throws {
        try self.inquiry.start()
        defer { self.inquiry.close() }
        let router = Router(context: WebContext.self, options: .autoGenerateHeadEndpoints)
        for method in [HTTPRequest.Method.get, .post, .put, .patch, .delete, .options] {
            router.on("health", method: method) { _, _ in await self.health() }
            router.on("stats", method: method) { request, context in await self.statistics(request, context) }
        }
        let limits = self.configuration.limits
        let connections = WebConnections(bound: limits.connectionCount, logger: self.logger)
        let responder = ScriptNameResponder(router.buildResponder())
        try await self.listenPatiently {
            let application = Application(
                responder: responder,
                server: HTTPServerBuilder { responder in
                    WebChannel(responder: responder, connections: connections, secrets: self.secrets, limits: limits)
                },
                configuration: ApplicationConfiguration(
                    address: .hostname(self.configuration.host, port: self.configuration.port),
                    serverName: nil
                ),
                onServerRunning: { channel in
                    self.onListen(channel)
                    self.onBind(channel.localAddress?.port ?? 0)
                },
                logger: self.logger
            )
            try await application.runService(gracefulShutdownSignals: [])
        }
    }

    /// Serves, as soon as the address can be listened on, until the end.
    ///
    /// An address that somebody else has costs the pages, and no jobs: it is told, and tried again for as long as it takes.
    private func listenPatiently(_ serve: () async throws -> Void) async throws {
        var toldAt: ContinuousClock.Instant?
        while true {
            do {
                return try await serve()
            } catch let error as IOError where !Task.isCancelled {
                let now = ContinuousClock.now
                if toldAt.map({ now - $0 >= Self.quietTime }) ?? true {
                    toldAt = now
                    self.logger.error(
                        "The web server cannot listen, and tries again; clients are served without it",
                        metadata: [
                            "address": "\(self.configuration.host):\(self.configuration.port)",
                            "reason": "\(self.explain(error))",
                        ]
                    )
                }
            }
            guard (try? await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.bindInterval) }) != nil
            else { return }
        }
    }

    /// Who and how the server is; open to everyone, and 503 while no leader answers, or none answers the clients' side.
    private func health() async -> Response {
        // The clients' side finds a new leader at the same time as the inquiry, and is looked at behind it.
        guard let document = try? await JSONValue(parsing: self.inquiry.information(), atMost: .max),
            let now = document.field("now"), let server = document.field("server"), self.isServing()
        else { return Self.noLeader }
        let kept = ["command_count", "connections", "description", "faktory_version"]
        let members = kept.compactMap { key in server.field(key).map { JSONValue.Member(key: key, value: $0) } }
        return Self.json(
            JSONValue.object([.init(key: "now", value: now), .init(key: "server", value: .object(members))]).encoded
        )
    }

    /// What INFO answers.
    private func statistics(_ request: Request, _ context: WebContext) async -> Response {
        guard await self.isAuthorized(request, context) else {
            return Response(
                status: .unauthorized,
                headers: [.wwwAuthenticate: "Basic realm=\"Faktory\"", .contentType: "text/plain"],
                body: .init(byteBuffer: ByteBuffer(string: "Authorization required\n"))
            )
        }
        guard let document = try? await self.inquiry.information() else { return Self.noLeader }
        return Self.json(document)
    }

    /// A browser that sends no password yet has not tried any.
    private func isAuthorized(_ request: Request, _ context: WebContext) async -> Bool {
        guard let password = self.secrets.current.password else { return true }
        guard let header = request.headers[.authorization], header.hasPrefix("Basic "),
            let credentials = Data(base64Encoded: String(header.dropFirst("Basic ".count))),
            let colon = credentials.firstIndex(of: UInt8(ascii: ":"))
        else { return false }
        let given = Array(credentials[credentials.index(after: colon)...])
        return await self.configuration.admits(context.remoteAddress) {
            ConstantTime.areEqual(Array(password.utf8), given)
        }
    }

    private static let noLeader = Response(
        status: .serviceUnavailable,
        headers: [.contentType: "application/json", .cacheControl: "no-cache"],
        body: .init(byteBuffer: ByteBuffer(string: "{\"error\":\"no leader answers\"}"))
    )

    private static func json(_ document: [UInt8]) -> Response {
        Response(
            status: .ok,
            headers: [.contentType: "application/json", .cacheControl: "no-cache"],
            body: .init(byteBuffer: ByteBuffer(bytes: document))
        )
    }
}
