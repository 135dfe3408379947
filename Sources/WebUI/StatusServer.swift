import FaktoryWire
import Foundation
import Hummingbird
import HummingbirdCore
import HTTPTypes
import HummingbirdTLS
import JobCore
package import Logging
package import NIOSSL
import ServiceLifecycle

/// Serves `/health` and `/stats` over HTTP, as Faktory does.
package struct StatusServer: Service {
    /// What the server must be told.
    package struct Configuration: Sendable {
        package var host: String
        package var port: Int
        /// Asked for by `/stats`, with any user name; nil asks for nothing.
        package var password: String?
        package var tls: TLSConfiguration?

        package init(host: String, port: Int, password: String? = nil, tls: TLSConfiguration? = nil) {
            self.host = host
            self.port = port
            self.password = password
            self.tls = tls
        }
    }

    private let configuration: Configuration
    private let inquiry: LeaderInquiry
    private let logger: Logger
    private let onBind: @Sendable (Int) -> Void

    /// - Parameter onBind: called with the port once the server listens.
    package init(
        configuration: Configuration,
        inquiry: LeaderInquiry,
        logger: Logger,
        onBind: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.inquiry = inquiry
        self.logger = logger
        self.onBind = onBind
    }

    package func run() async throws {
        try self.inquiry.start()
        defer { self.inquiry.close() }
        let router = Router()
        router.get("health") { _, _ in await self.health() }
        router.get("stats") { request, _ in await self.statistics(request) }
        let server: HTTPServerBuilder = try self.configuration.tls.map { try .tls(tlsConfiguration: $0) } ?? .http1()
        let application = Application(
            router: router,
            server: server,
            configuration: ApplicationConfiguration(
                address: .hostname(self.configuration.host, port: self.configuration.port),
                serverName: nil
            ),
            onServerRunning: { channel in self.onBind(channel.localAddress?.port ?? 0) },
            logger: self.logger
        )
        try await application.runService(gracefulShutdownSignals: [])
    }

    /// Who and how the server is; open to everyone, and 503 while no leader answers.
    private func health() async -> Response {
        guard let document = try? await JSONValue(parsing: self.inquiry.information(), atMost: .max),
            let now = document.field("now"), let server = document.field("server")
        else { return Self.noLeader }
        let kept = ["command_count", "connections", "description", "faktory_version"]
        let members = kept.compactMap { key in server.field(key).map { JSONValue.Member(key: key, value: $0) } }
        return Self.json(
            JSONValue.object([.init(key: "now", value: now), .init(key: "server", value: .object(members))]).encoded
        )
    }

    /// What INFO answers.
    private func statistics(_ request: Request) async -> Response {
        guard self.isAuthorized(request) else {
            return Response(
                status: .unauthorized,
                headers: [.wwwAuthenticate: "Basic realm=\"Faktory\"", .contentType: "text/plain"],
                body: .init(byteBuffer: ByteBuffer(string: "Authorization required\n"))
            )
        }
        guard let document = try? await self.inquiry.information() else { return Self.noLeader }
        return Self.json(document)
    }

    private func isAuthorized(_ request: Request) -> Bool {
        guard let password = self.configuration.password else { return true }
        guard let header = request.headers[.authorization], header.hasPrefix("Basic "),
            let credentials = Data(base64Encoded: String(header.dropFirst("Basic ".count))),
            let colon = credentials.firstIndex(of: UInt8(ascii: ":"))
        else { return false }
        return ConstantTime.areEqual(Array(password.utf8), Array(credentials[credentials.index(after: colon)...]))
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
