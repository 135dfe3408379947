package import ClusterLink
import Glibc
import JobCore
package import Logging
package import NIOCore
import NIOPosix
import NIOSSL
import ServiceLifecycle
import Synchronization

/// Serves Faktory clients, and asks the leader on their behalf.
///
/// A front keeps nothing that cannot be lost. It is started once; on graceful shutdown it accepts no more clients,
/// lets each come to its end within `Configuration.drainTimeout`, tells the leader that it has gone, and returns.
package final class FrontServer: Service {
    /// How often a port that somebody else has is tried.
    private static let bindInterval = Duration.milliseconds(100)

    private let configuration: Configuration
    private let links: [any PolledPeerLink]
    private let environment: FrontEnvironment
    private let address = BoundAddress()

    /// Throws when the configuration cannot be.
    ///
    /// - Parameters:
    ///   - links: one to each manager, whichever leads; at least one.
    ///   - passwords: looks at the passwords of clients; nil for one of the front's own.
    package init(
        configuration: Configuration,
        links: [any PolledPeerLink],
        passwords: PasswordVerifier? = nil,
        logger: Logger
    ) throws(FrontError) {
        precondition(!links.isEmpty, "a front needs a link to a manager")
        try configuration.check()
        let secrets = FrontSecrets(try FrontSecrets.Values(configuration))
        self.configuration = configuration
        self.links = links
        self.environment = FrontEnvironment(
            configuration: configuration,
            counters: ConnectionCounters(),
            secrets: secrets,
            passwords: passwords ?? PasswordVerifier(limits: configuration.passwordTries, logger: logger),
            logger: logger
        )
    }

    /// Where the front listens, as soon as it does.
    package var boundAddress: SocketAddress {
        get async throws { try await self.address.value }
    }

    /// What the front has counted up to now.
    package var counters: ConnectionCounters { self.environment.counters }

    /// Whether there is a leader that answers this front.
    package var hasLeader: Bool { self.environment.hasLeader.load(ordering: .relaxed) }

    /// Takes a new password and a new certificate for the connections that come from now on, and tells which are new.
    package func reload(_ configuration: Configuration) throws(FrontError) {
        try configuration.check()
        guard (configuration.tls == nil) == (self.configuration.tls == nil) else {
            throw .configuration(field: "tls", reason: "cannot be switched on or off without a restart")
        }
        let values = try FrontSecrets.Values(configuration)
        let changes = values.changes(from: self.environment.secrets.current)
        self.environment.secrets.replace(with: values)
        guard !changes.isEmpty else { return }
        self.environment.logger.info("The front took a new \(changes.joined(separator: " and a new "))")
    }

    package func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: self.configuration.eventLoopCount)
        do {
            try await self.serve(on: group)
        } catch {
            self.address.settle(.failure(error))
            self.closeLinks()
            try await group.shutdownGracefully()
            // A front that is stopped before it could listen has ended as it should.
            if error is CancellationError { return }
            throw error
        }
        self.closeLinks()
        try await group.shutdownGracefully()
    }

    private func closeLinks() {
        for link in self.links { link.close() }
    }

    private func serve(on group: MultiThreadedEventLoopGroup) async throws {
        var generator = SystemRandomNumberGenerator()
        let session = SessionID(using: &generator)
        let lanes = try await self.makeLanes(session, on: group)
        let sessionHolder = try await self.makeSession(session, lanes)
        let watches = try await self.openLinks(lanes, sessionHolder)
        let server: any Channel
        do {
            try await sessionHolder.eventLoop.submit { sessionHolder.value.start() }.get()
            server = try await self.bindPatiently(lanes, on: group)
        } catch {
            // The leader must not keep a session for a front that never was.
            try? await sessionHolder.eventLoop.submit { sessionHolder.value.end(inGoodOrder: true) }.get()
            for watch in watches { try? await watch.close().get() }
            throw error
        }
        self.environment.logger.info(
            "The front listens",
            metadata: ["address": "\(server.localAddress?.description ?? "")"]
        )
        if let address = server.localAddress { self.address.settle(.success(address)) }

        try? await gracefulShutdown()

        // A task that was cancelled must still stop what it has started, hence futures and no child tasks here.
        try await server.close().get()
        let isDrained = try await self.drain(lanes).get()
        try await sessionHolder.eventLoop.submit { sessionHolder.value.end(inGoodOrder: isDrained) }.get()
        for watch in watches { try await watch.close().get() }
        self.environment.logger.info("The front has stopped", metadata: ["drained": "\(isDrained)"])
    }

    private func makeLanes(_ session: SessionID, on group: MultiThreadedEventLoopGroup) async throws -> [NIOLoopBound<
        Lane
    >] {
        let environment = self.environment
        let links = self.links
        var lanes: [NIOLoopBound<Lane>] = []
        for eventLoop in group.makeIterator() {
            let number = UInt16(lanes.count)
            let lane = try await eventLoop.submit {
                let lane = Lane(
                    number: number,
                    session: session,
                    environment: environment,
                    links: links,
                    eventLoop: eventLoop
                )
                lane.start()
                return NIOLoopBound(lane, eventLoop: eventLoop)
            }.get()
            lanes.append(lane)
        }
        return lanes
    }

    private func makeSession(
        _ session: SessionID,
        _ lanes: [NIOLoopBound<Lane>]
    ) async throws -> NIOLoopBound<FrontSession> {
        let environment = self.environment
        let links = self.links
        let eventLoop = lanes[0].eventLoop
        return try await eventLoop.submit {
            let holder = FrontSession(
                session: session,
                environment: environment,
                links: links,
                lanes: lanes,
                eventLoop: eventLoop
            )
            return NIOLoopBound(holder, eventLoop: eventLoop)
        }.get()
    }

    /// Connects to every manager, and watches the links from the session's event loop until the channels are closed.
    private func openLinks(
        _ lanes: [NIOLoopBound<Lane>],
        _ session: NIOLoopBound<FrontSession>
    ) async throws -> [any Channel] {
        var watches: [any Channel] = []
        for manager in self.links.indices {
            watches.append(try await self.openLink(to: manager, lanes, session))
        }
        return watches
    }

    private func openLink(
        to manager: Int,
        _ lanes: [NIOLoopBound<Lane>],
        _ session: NIOLoopBound<FrontSession>
    ) async throws -> any Channel {
        let eventLoop = session.eventLoop
        let (link, logger) = (self.links[manager], self.environment.logger)
        let inbox = try await eventLoop.submit {
            NIOLoopBound(
                LeaderInbox(manager: manager, link: link, lanes: lanes, session: session, logger: logger),
                eventLoop: eventLoop
            )
        }.get()
        let descriptor = try link.open { eventLoop.execute { inbox.value.receive() } }
        return try await NIOPipeBootstrap(group: eventLoop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(inbox.value) }
            }
            .takingOwnershipOfDescriptor(input: descriptor).get()
    }

    /// Listens, as soon as whoever has the port lets go of it; throws when it is not free in time.
    ///
    /// A front that ended a moment ago may still be there, and a program that takes a port for a moment is no reason to
    /// give up.
    private func bindPatiently(
        _ lanes: [NIOLoopBound<Lane>],
        on group: MultiThreadedEventLoopGroup
    ) async throws -> any Channel {
        let deadline = ContinuousClock.now + self.configuration.bindPatience
        var isFirst = true
        while true {
            do {
                return try await self.bind(lanes, on: group)
            } catch let error as IOError where error.errnoCode == EADDRINUSE && ContinuousClock.now < deadline {
                if isFirst {
                    self.environment.logger.warning(
                        "The port is taken, and is waited for",
                        metadata: ["address": "\(self.configuration.host):\(self.configuration.port)"]
                    )
                }
                isFirst = false
                try await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.bindInterval) }
            } catch {
                throw FrontError.bind(
                    host: self.configuration.host,
                    port: self.configuration.port,
                    code: (error as? IOError)?.errnoCode,
                    reason: String(describing: error)
                )
            }
        }
    }

    private func bind(_ lanes: [NIOLoopBound<Lane>], on group: MultiThreadedEventLoopGroup) async throws -> any Channel
    {
        let (host, port) = (self.configuration.host, self.configuration.port)
        guard host.isEmpty else {
            return try await self.bootstrap(lanes, on: group).bind(host: host, port: port).get()
        }
        do {
            return try await self.bootstrap(lanes, on: group)
                .serverChannelOption(ChannelOptions.Types.SocketOption(level: .ipv6, name: .ipv6_v6only), value: 0)
                .bind(to: try SocketAddress(ipAddress: "::", port: port)).get()
        } catch let error as IOError where [EAFNOSUPPORT, EADDRNOTAVAIL].contains(error.errnoCode) {
            // There is no IPv6 here.
            return try await self.bootstrap(lanes, on: group)
                .bind(to: try SocketAddress(ipAddress: "0.0.0.0", port: port)).get()
        }
    }

    private func bootstrap(_ lanes: [NIOLoopBound<Lane>], on group: MultiThreadedEventLoopGroup) -> ServerBootstrap {
        let environment = self.environment
        let byLoop = Dictionary(uniqueKeysWithValues: lanes.map { (ObjectIdentifier($0.eventLoop), $0) })
        return ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1_024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(
                .socketOption(NIOBSDSocket.Option(rawValue: SO_REUSEPORT)),
                value: self.configuration.reusesPort ? 1 : 0
            )
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptPause(logger: environment.logger))
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .findingDeadPeers()
            .childChannelInitializer { channel in
                guard let lane = byLoop[ObjectIdentifier(channel.eventLoop)] else { return channel.close() }
                return Self.admit(channel, to: lane, in: environment)
            }
    }

    /// Makes a connection a client of the lane, or closes it when there are too many.
    private static func admit(
        _ channel: any Channel,
        to lane: NIOLoopBound<Lane>,
        in environment: FrontEnvironment
    ) -> EventLoopFuture<Void> {
        let configuration = environment.configuration
        let bound = configuration.maximumConnectionCount + configuration.unidentifiedMargin
        guard environment.counters.admitSocket(bound: bound) else {
            environment.logger.warning("Closed a connection at once, because too many are open")
            return channel.close()
        }
        channel.closeFuture.whenComplete { _ in environment.counters.releaseSocket() }
        return channel.eventLoop.makeCompletedFuture {
            if let context = environment.secrets.current.tls {
                try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
            }
            try channel.pipeline.syncOperations.addHandler(ClientHandler(lane: lane.value))
        }
    }

    /// Lets the clients come to their end; says whether all did in time.
    private func drain(_ lanes: [NIOLoopBound<Lane>]) -> EventLoopFuture<Bool> {
        let timeout = TimeAmount(self.configuration.drainTimeout)
        let drained = lanes.map { lane in
            lane.eventLoop.flatSubmit { () -> EventLoopFuture<Bool> in
                let promise = lane.eventLoop.makePromise(of: Void.self)
                let timer = lane.eventLoop.scheduleTask(in: timeout) {
                    promise.fail(ChannelError.inappropriateOperationForState)
                }
                lane.value.drain(promise)
                return promise.futureResult.map { true }.recover { _ in false }.always { _ in
                    timer.cancel()
                    lane.value.stop()
                }
            }
        }
        return EventLoopFuture.whenAllSucceed(drained, on: lanes[0].eventLoop).map { $0.allSatisfy { $0 } }
    }
}
