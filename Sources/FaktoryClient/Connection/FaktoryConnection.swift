package import FaktoryWire
package import NIOCore
import NIOPosix
import NIOSSL
import ProcessFigures

/// One connection on which the handshake has been made.
///
/// Commands may be sent before the answers to earlier ones are there; answers come in the order of the commands.
package final class FaktoryConnection: Sendable {
    private let channel: any Channel
    private let handler: NIOLoopBound<ReplyQueueHandler>
    private let greeting: EventLoopFuture<Reply>

    private init(channel: any Channel, handler: NIOLoopBound<ReplyQueueHandler>, greeting: EventLoopFuture<Reply>) {
        self.channel = channel
        self.handler = handler
        self.greeting = greeting
    }

    /// Whether the connection was still open a moment ago.
    var isOpen: Bool {
        self.channel.isActive
    }

    /// Sends a command's line and waits for its reply, an error of the server's included.
    ///
    /// A caller who is cancelled stops waiting at once. Since the answer can no longer be matched, the connection
    /// is closed; the command may have taken effect.
    func send(_ line: ByteBuffer, timeout: Duration) async throws -> Reply {
        let promise = self.channel.eventLoop.makePromise(of: Reply.self)
        self.channel.eventLoop.execute {
            self.handler.value.send(line, timeout: TimeAmount(timeout), promise: promise)
        }
        return try await self.reply(of: promise.futureResult)
    }

    /// Sends a command's line from the connection's own event loop, and calls back on it with the reply.
    ///
    /// It serves whoever drives many connections from one loop, without a task for each command. A failure is a
    /// ``FaktoryError``, and then the connection is closed.
    package func send(
        _ line: ByteBuffer,
        timeout: Duration,
        whenAnswered take: @escaping (Result<Reply, any Error>) -> Void
    ) {
        let promise = self.channel.eventLoop.makePromise(of: Reply.self)
        promise.futureResult.assumeIsolated().whenComplete(take)
        self.handler.value.send(line, timeout: TimeAmount(timeout), promise: promise)
    }

    private func reply(of future: EventLoopFuture<Reply>) async throws -> Reply {
        try await withTaskCancellationHandler {
            do {
                return try await future.get()
            } catch {
                try Task.checkCancellation()
                throw error
            }
        } onCancel: {
            self.channel.close(promise: nil)
        }
    }

    /// Takes leave of the server and closes; nobody waits for an answer.
    func end() {
        self.channel.eventLoop.execute {
            self.handler.value.sendLast(ByteBuffer(staticString: "END\r\n"))
        }
    }

    /// Closes without a word.
    package func close() {
        self.channel.close(promise: nil)
    }
}

// MARK: - Opening

extension FaktoryConnection {
    /// Connects and introduces this client, on the next event loop of the configuration's group.
    ///
    /// - Throws: as below, and ``FaktoryError/Code/invalidConfiguration`` when the TLS options cannot be.
    package static func open(to configuration: ClientConfiguration) async throws -> FaktoryConnection {
        try await Self.open(to: configuration, tls: try configuration.tls?.makeContext())
    }

    /// Connects and introduces this client.
    ///
    /// - Parameter tls: what TLS connections share; nil for plain TCP.
    /// - Throws: ``FaktoryError/Code/connectionFailed`` and ``FaktoryError/Code/authenticationFailed``, or the
    ///   server's refusal.
    static func open(
        to configuration: ClientConfiguration,
        tls: NIOSSLContext?
    ) async throws -> FaktoryConnection {
        let connection: FaktoryConnection
        do {
            connection = try await ClientBootstrap(group: configuration.eventLoopGroup.next())
                .connectTimeout(TimeAmount(configuration.connectTimeout))
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .connect(host: configuration.host, port: configuration.port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try Self.prepare(channel, for: configuration, tls: tls)
                    }
                }
        } catch {
            throw FaktoryError(.connectionFailed, "\(configuration.host):\(configuration.port): \(error)")
        }
        do {
            try await connection.introduce(configuration)
            return connection
        } catch {
            connection.close()
            throw Self.handshakeFailure(error)
        }
    }

    private static func prepare(
        _ channel: any Channel,
        for configuration: ClientConfiguration,
        tls: NIOSSLContext?
    ) throws -> FaktoryConnection {
        if let tls {
            let name = configuration.host.isIPAddress ? nil : configuration.host
            let handler = try NIOSSLClientHandler(context: tls, serverHostname: name)
            try channel.pipeline.syncOperations.addHandler(handler)
        }
        // The handler is added before the connection is made, so it waits for that and for the greeting.
        let greeting = channel.eventLoop.makePromise(of: Reply.self)
        let handler = ReplyQueueHandler(
            greeting: greeting,
            greetingTimeout: TimeAmount(configuration.connectTimeout) + TimeAmount(configuration.connectTimeout)
        )
        try channel.pipeline.syncOperations.addHandler(handler)
        return FaktoryConnection(
            channel: channel,
            handler: NIOLoopBound(handler, eventLoop: channel.eventLoop),
            greeting: greeting.futureResult
        )
    }

    private func introduce(_ configuration: ClientConfiguration) async throws {
        let greeting = try Self.greeting(in: try await self.reply(of: self.greeting))
        let hello = try Self.hello(for: configuration, answering: greeting)
        var line = ByteBuffer()
        hello.write(to: &line)

        switch try await self.send(line, timeout: configuration.connectTimeout) {
        case .simple("OK"):
            return
        case .error(_, let text) where text.lowercased().contains("invalid password"):
            throw FaktoryError(.authenticationFailed, text)
        case .error(let code, let text):
            throw FaktoryError(.refused, text, serverCode: code)
        default:
            throw FaktoryError(.protocolViolation, "the server answered HELLO with something other than OK")
        }
    }

    private static func greeting(in reply: Reply) throws(FaktoryError) -> Greeting {
        switch reply {
        case .simple(let text):
            do {
                return try Greeting(parsing: text)
            } catch {
                throw FaktoryError(.protocolViolation, "the server's greeting cannot be answered: \(error)")
            }
        case .error(let code, let text):
            throw FaktoryError(.refused, text, serverCode: code)
        default:
            throw FaktoryError(.protocolViolation, "the server did not greet")
        }
    }

    private static func hello(
        for configuration: ClientConfiguration,
        answering greeting: Greeting
    ) throws(FaktoryError) -> Hello {
        var hello = Hello(username: configuration.username)
        if let challenge = greeting.challenge {
            guard let password = configuration.password else {
                throw FaktoryError(.authenticationFailed, "the server wants a password and none is configured")
            }
            hello.passwordHash = challenge.expectedHash(password: password, version: Int(hello.version))
        }
        if let identity = configuration.identity {
            hello.workerID = identity.id
            hello.hostname = identity.hostname
            hello.processID = identity.processID
            hello.labels = identity.labels
            hello.residentKilobytes = ProcessMemory.residentKilobytes
        }
        return hello
    }

    /// During the handshake nothing of the caller's has been sent, so that a broken connection is just one that failed.
    private static func handshakeFailure(_ error: any Error) -> any Error {
        guard let error = error as? FaktoryError, [.connectionLost, .timedOut].contains(error.code) else {
            return error
        }
        return FaktoryError(.connectionFailed, "the handshake failed: \(error.message)")
    }
}

extension String {
    /// TLS names hosts only; an address is checked against the one that was connected to.
    fileprivate var isIPAddress: Bool {
        (try? SocketAddress(ipAddress: self, port: 0)) != nil
    }
}
