import JobStorage
import Redis

/// A connection that may be lost and made anew, with Redis's errors put as the store's.
///
/// It is package only so that a reader can name it.
package final class RedisLink {
    private let endpoint: RedisEndpoint
    private let options: RedisConnectionOptions
    private let loadingPatience: Duration
    private var connection: RedisConnection?

    init(configuration: RedisStoreConfiguration) {
        self.endpoint = configuration.endpoint
        self.options = RedisConnectionOptions(
            connectTimeout: configuration.ioTimeout,
            silenceTimeout: configuration.ioTimeout,
            credentials: configuration.password.map { .init(username: configuration.username, password: $0) }
        )
        self.loadingPatience = configuration.loadingPatience
    }

    /// Whether something can be sent: there is a connection, and no reply of an abandoned exchange is still to come.
    var isConnected: Bool {
        switch self.connection {
        case .some(let connection): connection.isUsable && connection.awaitedReplyCount == 0
        case .none: false
        }
    }

    /// The socket of the connection, if there is one.
    var fileDescriptor: Int32? {
        switch self.connection {
        case .some(let connection): connection.fileDescriptor
        case .none: nil
        }
    }

    /// Connects anew, and waits while Redis is reading its file, unless that is of no interest.
    func connect(waitsWhileLoading: Bool = true) throws(StorageError) {
        self.connection = nil
        do {
            self.connection = try RedisConnection.open(self.endpoint, with: self.options)
        } catch {
            throw error.asStorageError
        }
        if waitsWhileLoading { try self.waitWhileLoading() }
    }

    /// Lets the connection go.
    func disconnect() {
        self.connection = nil
    }

    /// Sends commands; the reply to each has to be taken with ``nextReply()``.
    func send(_ commands: borrowing RedisCommandBuffer) throws(StorageError) {
        guard self.isConnected else { throw .notLoaded }
        do {
            try self.connection?.send(commands)
        } catch {
            self.connection = nil
            throw error.asStorageError
        }
    }

    func nextReply() throws(StorageError) -> RedisReply {
        do {
            guard let reply = try self.connection?.nextReply() else { throw StorageError.notLoaded }
            return reply
        } catch let error as RedisError {
            self.connection = nil
            throw error.asStorageError
        } catch {
            throw .notLoaded
        }
    }

    /// The reply to a single command.
    func reply(to commands: borrowing RedisCommandBuffer) throws(StorageError) -> RedisReply {
        precondition(commands.commandCount == 1, "\(commands.commandCount) commands have as many replies")
        try self.send(commands)
        return try self.nextReply()
    }

    private func waitWhileLoading() throws(StorageError) {
        let start = ContinuousClock.now
        var ping = RedisCommandBuffer(reserving: 64)
        ping.begin("PING", argumentCount: 0)
        while true {
            guard let text = try self.reply(to: ping).error else { return }
            // It has loaded, and says even to this that it takes no writes; what it has can be read.
            guard !text.hasPrefix("MISCONF") else { return }
            guard text.hasPrefix("LOADING") else {
                self.connection = nil
                throw .refused(text)
            }
            guard ContinuousClock.now - start < self.loadingPatience else {
                self.connection = nil
                throw .disconnected(reason: "Redis has been loading for \(self.loadingPatience)")
            }
            BlockingPause.between(tries: .milliseconds(100))
        }
    }
}

extension RedisError {
    var asStorageError: StorageError {
        switch self {
        case .disconnected(let reason): .disconnected(reason: reason)
        case .timedOut: .disconnected(reason: "Redis did not answer in time")
        case .refused(let text): .refused(text)
        case .unexpectedReply(let command): .incompatible("Redis answered \(command) with something unexpected")
        }
    }
}
