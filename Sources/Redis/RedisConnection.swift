import CHiredis
import Glibc

/// A connection to Redis that blocks its thread, and closes when it is let go.
///
/// It belongs to the thread that opened it. It never connects anew and never repeats a command: once it broke or
/// fell silent, every call throws `.disconnected`, and the caller decides what that means.
///
/// hiredis makes the connection and parses the answers. The socket is written to and read from here, because
/// hiredis writes everything before it reads anything: with a peer that stops reading until its own
/// answers are taken, both would wait for ever.
package struct RedisConnection: ~Copyable {
    /// Bytes read at once.
    ///
    /// hiredis moves what is left in its buffer at each kilobyte parsed, so more is not better.
    private static let chunkByteCount = 16 * 1024
    /// What the reader's buffer may keep for later when it is empty.
    private static let idleReaderByteLimit = 256 * 1024

    private let context: UnsafeMutablePointer<redisContext>
    private let chunk: UnsafeMutableRawPointer
    private let silenceTimeout: Duration?
    /// Answers that arrived while commands were being written, oldest first; hiredis owns none of them.
    private var early: [UnsafeMutablePointer<redisReply>] = []
    private var takenEarlyCount = 0
    private var brokenBecause: String?
    /// Answers that Redis still owes for the commands sent.
    package private(set) var awaitedReplyCount = 0

    /// Connects, and authenticates if there are credentials.
    ///
    /// Throws `.disconnected` or `.timedOut` if there is no connection, `.refused` if the credentials are not accepted.
    package static func open(
        _ endpoint: RedisEndpoint,
        with options: RedisConnectionOptions = RedisConnectionOptions()
    ) throws(RedisError) -> RedisConnection {
        let context = try Self.connect(to: endpoint, within: options.connectTimeout)
        var connection = RedisConnection(adopting: context, silenceTimeout: options.silenceTimeout)
        try connection.applySilenceTimeout()
        if let credentials = options.credentials { try connection.authenticate(credentials) }
        return connection
    }

    private init(adopting context: UnsafeMutablePointer<redisContext>, silenceTimeout: Duration?) {
        context.pointee.reader.pointee.maxbuf = Self.idleReaderByteLimit
        self.context = context
        self.chunk = .allocate(byteCount: Self.chunkByteCount, alignment: 1)
        self.silenceTimeout = silenceTimeout
    }

    deinit {
        for reply in self.early[self.takenEarlyCount...] { freeReplyObject(reply) }
        self.chunk.deallocate()
        redisFree(self.context)
    }

    /// Whether no call has found the connection broken yet.
    package var isUsable: Bool { self.brokenBecause == nil }

    /// The socket, for whoever waits for several things at once.
    ///
    /// While no answer is awaited it becomes readable only when Redis closes the connection. It belongs to the connection.
    package var fileDescriptor: Int32 { self.context.pointee.fd }

    /// Sends commands; the answer to each is to be taken with `nextReply()`, in the same order.
    ///
    /// Returns when the system has taken the bytes, and takes in answers that arrive meanwhile. When it throws, some of
    /// the commands may have run.
    package mutating func send(_ commands: borrowing RedisCommandBuffer) throws(RedisError) {
        precondition(commands.isComplete, "the last command lacks arguments")
        try self.requireUsable()
        self.awaitedReplyCount += commands.commandCount
        var rest = commands.written
        while !rest.isEmpty {
            let sentCount = Glibc.send(
                self.context.pointee.fd,
                rest.baseAddress,
                rest.count,
                Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
            )
            if sentCount >= 0 {
                rest = UnsafeRawBufferPointer(rebasing: rest[sentCount...])
            } else if errno == EAGAIN {
                try self.takeRepliesUntilWritable()
            } else if errno != EINTR {
                throw self.broken(because: String(cString: strerror(errno)))
            }
        }
    }

    /// Takes the next answer, waiting for it if need be.
    ///
    /// An answer that is an error is an answer like any other, and does not throw. Asking for more answers than
    /// commands were sent is a mistake in our own code.
    package mutating func nextReply() throws(RedisError) -> RedisReply {
        try self.requireUsable()
        precondition(self.awaitedReplyCount > 0, "no reply is awaited")
        while true {
            if let reply = try self.takeRead() {
                self.awaitedReplyCount -= 1
                return RedisReply(adopting: reply)
            }
            guard try self.read() else { throw self.silent() }
        }
    }

    /// Runs one command and takes its answer; an answer that is an error is thrown as `.refused`.
    ///
    /// All earlier answers must have been taken.
    package mutating func command(
        _ name: String,
        _ arguments: any RedisArgument...
    ) throws(RedisError) -> RedisReply {
        try self.command(name, arguments: arguments)
    }

    /// Runs one command, as above.
    package mutating func command(
        _ name: String,
        arguments: [any RedisArgument]
    ) throws(RedisError) -> RedisReply {
        try self.requireUsable()
        precondition(self.awaitedReplyCount == 0, "\(self.awaitedReplyCount) replies were not taken before \(name)")
        var commands = RedisCommandBuffer(reserving: 256)
        commands.begin(name, argumentCount: arguments.count)
        for argument in arguments { argument.append(to: &commands) }
        try self.send(commands)
        let reply = try self.nextReply()
        try reply.requireSuccess()
        return reply
    }

    private mutating func authenticate(_ credentials: RedisConnectionOptions.Credentials) throws(RedisError) {
        let arguments = [credentials.username, credentials.password].compactMap { $0 }
        try self.command("AUTH", arguments: arguments).requireOK(to: "AUTH")
    }
}

// MARK: - Reading

extension RedisConnection {
    /// Waits until something more can be sent, and takes in whatever arrives until then.
    private mutating func takeRepliesUntilWritable() throws(RedisError) {
        var descriptor = pollfd(fd: self.context.pointee.fd, events: Int16(POLLIN | POLLOUT), revents: 0)
        let milliseconds = self.silenceTimeout.map(\.pollMilliseconds) ?? -1
        switch poll(&descriptor, 1, milliseconds) {
        case 0:
            throw self.silent()
        case -1 where errno != EINTR:
            throw self.broken(because: String(cString: strerror(errno)))
        case 1 where descriptor.revents & Int16(POLLIN) != 0:
            _ = try self.read(flags: Int32(MSG_DONTWAIT))
            while let reply = try self.parse() { self.early.append(reply) }
        default:
            break
        }
    }

    /// The oldest answer that has been read completely.
    private mutating func takeRead() throws(RedisError) -> UnsafeMutablePointer<redisReply>? {
        guard self.takenEarlyCount < self.early.count else { return try self.parse() }
        defer {
            self.takenEarlyCount += 1
            if self.takenEarlyCount == self.early.count {
                self.early.removeAll(keepingCapacity: true)
                self.takenEarlyCount = 0
            }
        }
        return self.early[self.takenEarlyCount]
    }

    /// The next answer that is complete in the reader's buffer.
    private mutating func parse() throws(RedisError) -> UnsafeMutablePointer<redisReply>? {
        var reply: UnsafeMutableRawPointer?
        guard redisReaderGetReply(self.context.pointee.reader, &reply) == REDIS_OK else {
            throw self.broken(because: self.context.pointee.reader.pointee.reason)
        }
        return reply?.assumingMemoryBound(to: redisReply.self)
    }

    /// Reads what there is, waiting for the first byte; false if there was none in time.
    private mutating func read(flags: Int32 = 0) throws(RedisError) -> Bool {
        while true {
            let count = recv(self.context.pointee.fd, self.chunk, Self.chunkByteCount, flags)
            if count > 0 {
                guard redisReaderFeed(self.context.pointee.reader, self.chunk, count) == REDIS_OK else {
                    throw self.broken(because: self.context.pointee.reader.pointee.reason)
                }
                return true
            }
            guard count < 0 else { throw self.broken(because: "Redis closed the connection") }
            if errno == EAGAIN { return false }
            guard errno == EINTR else { throw self.broken(because: String(cString: strerror(errno))) }
        }
    }

    // MARK: Failing

    private func requireUsable() throws(RedisError) {
        if let brokenBecause { throw .disconnected(reason: brokenBecause) }
    }

    private mutating func broken(because reason: String) -> RedisError {
        self.brokenBecause = reason
        return .disconnected(reason: reason)
    }

    private mutating func silent() -> RedisError {
        self.brokenBecause = "Redis was silent for too long"
        return .timedOut
    }
}

// MARK: - Connecting

extension RedisConnection {
    private static func connect(
        to endpoint: RedisEndpoint,
        within timeout: Duration
    ) throws(RedisError) -> UnsafeMutablePointer<redisContext> {
        let context: UnsafeMutablePointer<redisContext>?
        switch endpoint {
        case .unixSocket(let path):
            guard path.utf8.count <= RedisEndpoint.socketPathByteLimit else {
                throw .disconnected(reason: "the path \(path) is too long for a socket")
            }
            context = redisConnectUnixWithTimeout(path, timeout.timeInterval)
        case .tcp(let host, let port):
            context = redisConnectWithTimeout(host, Int32(clamping: port), timeout.timeInterval)
        }
        let code = errno
        guard let context else { throw .disconnected(reason: "out of memory") }
        guard context.pointee.err == 0 else {
            let error = context.pointee
            redisFree(context)
            guard error.err != REDIS_ERR_IO || code != ETIMEDOUT else { throw .timedOut }
            throw .disconnected(reason: error.reason)
        }
        // Without keep-alive a host that vanished is never noticed; hiredis sets TCP_NODELAY by itself.
        if case .tcp = endpoint { redisEnableKeepAlive(context) }
        return context
    }

    private mutating func applySilenceTimeout() throws(RedisError) {
        guard let silenceTimeout else { return }
        guard redisSetTimeout(self.context, silenceTimeout.timeInterval) == REDIS_OK else {
            throw self.broken(because: self.context.pointee.reason)
        }
    }
}
