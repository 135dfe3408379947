import ClusterLink
import Front
import Logging
import NIOCore
import ServiceLifecycle

/// A running front whose leader is scripted.
struct FrontFixture {
    let server: FrontServer
    let address: SocketAddress
    private let services: ServiceGroup

    static func run<Result: Sendable>(
        leader: FakeLeader = FakeLeader(),
        followers: [FakeLeader] = [],
        configure: (inout FrontServer.Configuration) -> Void = { _ in },
        _ body: (FrontFixture) async throws -> Result
    ) async throws -> Result {
        try await Self.run(links: [leader] + followers, configure: configure, body)
    }

    static func run<Result: Sendable>(
        links: [any PolledPeerLink],
        configure: (inout FrontServer.Configuration) -> Void = { _ in },
        _ body: (FrontFixture) async throws -> Result
    ) async throws -> Result {
        var configuration = FrontServer.Configuration(host: "127.0.0.1", port: 0)
        // However slow the machine is.
        configuration.drainTimeout = .seconds(60)
        configuration.handshakeTimeout = .seconds(60)
        configure(&configuration)
        var logger = Logger(label: "front")
        logger.logLevel = .critical
        let server = try FrontServer(configuration: configuration, links: links, logger: logger)
        let services = ServiceGroup(services: [server], logger: logger)
        async let running: Void = services.run()
        let fixture = FrontFixture(
            server: server,
            address: try await server.boundAddress,
            services: services
        )
        do {
            let result = try await body(fixture)
            await services.triggerGracefulShutdown()
            try await running
            return result
        } catch {
            await services.triggerGracefulShutdown()
            try await running
            throw error
        }
    }

    func connect<Result>(reads: Bool = true, _ body: (TestClient) async throws -> Result) async throws -> Result {
        try await TestClient.connect(to: self.address, reads: reads, body)
    }

    /// Begins the end of the front.
    func shutDown() async {
        await self.services.triggerGracefulShutdown()
    }
}
