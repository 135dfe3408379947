import FaktoryWire
import Logging
import NIOCore
import NIOSSL

/// A client of one Faktory server, to be shared by everything in a process that pushes jobs or asks about them.
///
/// It keeps a bounded number of connections, makes them when they are needed and makes them anew when they break.
/// A command whose connection fails is tried again, with growing pauses, as often as
/// ``ClientConfiguration/reconnection`` allows; a command that would do harm when it is carried out twice only when
/// it was certainly not sent.
///
/// Cancelling a task that waits for an answer ends the wait at once; the command may have taken effect.
public final class FaktoryClient: Sendable {
    /// What the client was made with.
    public let configuration: ClientConfiguration

    private let pool: ConnectionPool<FaktoryConnection>
    private let tls: NIOSSLContext?

    /// Prepares a client; nothing is connected before the first command.
    ///
    /// - Throws: ``FaktoryError/Code/invalidConfiguration`` when the TLS trust roots cannot be read.
    public init(configuration: ClientConfiguration) throws(FaktoryError) {
        self.configuration = configuration
        self.tls = try configuration.tls?.makeContext()
        self.pool = ConnectionPool(
            maximumConnectionCount: configuration.maximumConnectionCount,
            maximumWaiterCount: configuration.maximumWaiterCount
        )
    }

    /// Prepares a client for the server at a URL such as `tcp://:password@faktory.example.com:7419`.
    public convenience init(url: String) throws(FaktoryError) {
        try self.init(configuration: ClientConfiguration(url: url))
    }

    /// Prepares a client for the server that `FAKTORY_PROVIDER` or `FAKTORY_URL` names, or the one on this host.
    public convenience init() throws(FaktoryError) {
        try self.init(configuration: .fromEnvironment())
    }

    /// Takes leave of the server on all idle connections and refuses further commands.
    ///
    /// Commands that are under way are finished, and their connections closed after them.
    public func close() {
        for connection in self.pool.close() {
            connection.end()
        }
    }

    /// Closes connections that are idle, so that the next command introduces this client anew.
    func dropIdleConnections() {
        for connection in self.pool.removeIdle() {
            connection.end()
        }
    }

    /// Sends a command as often as is needed and allowed, and returns the reply unless it is an error.
    func perform(_ command: Command) async throws -> Reply {
        var failureCount = 0
        while true {
            do {
                return try await self.attempt(command)
            } catch let error as FaktoryError where command.canBeRepeated(after: error) {
                failureCount += 1
                guard failureCount < self.configuration.reconnection.maximumAttemptCount else { throw error }
                self.configuration.logger.debug("trying a command again", metadata: ["error": "\(error)"])
                var generator = SystemRandomNumberGenerator()
                let delay = self.configuration.reconnection.delay(afterFailures: failureCount, using: &generator)
                try await Task.sleep(for: delay)
            }
        }
    }

    private func attempt(_ command: Command) async throws -> Reply {
        let permit = try await self.pool.acquire()
        var connection = permit.connection
        defer {
            let reusable = connection.flatMap { $0.isOpen ? $0 : nil }
            self.pool.release(reusable)?.end()
        }

        let open: FaktoryConnection
        if let idle = connection, idle.isOpen {
            open = idle
        } else {
            connection = nil
            open = try await FaktoryConnection.open(to: self.configuration, tls: self.tls)
            connection = open
        }
        switch try await open.send(command.line, timeout: self.configuration.commandTimeout) {
        case .error(let code, let text): throw FaktoryError(.refused, text, serverCode: code)
        case let reply: return reply
        }
    }
}

extension Command {
    fileprivate func canBeRepeated(after error: FaktoryError) -> Bool {
        switch error.code {
        case .connectionFailed: true
        case .connectionLost: self.isRepeatable
        default: false
        }
    }
}
