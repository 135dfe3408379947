import FaktoryClient
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// A server that answers as a test says, and tells what it was sent.
///
/// It greets, cuts what comes into lines, and asks the script what to do about each.
final class ScriptedServer: Sendable {
    /// What becomes of one line.
    enum Answer: Sendable {
        /// These bytes are sent, exactly.
        case bytes(String)
        /// These bytes are sent after a while, as a FETCH that waits for a job is answered.
        case later(String, Duration)
        /// Nothing is sent.
        case silence
        /// The connection is closed, after these bytes.
        case close(String)

        static let ok = Answer.bytes("+OK\r\n")
        static let nothing = Answer.bytes("$-1\r\n")

        static func bulk(_ text: String) -> Answer {
            .bytes("$\(text.utf8.count)\r\n\(text)\r\n")
        }
    }

    /// A line and the connection that it came on, counted from one; an empty line says that the connection closed.
    struct Received: Sendable, Equatable {
        let connection: Int
        let line: String
    }

    typealias Script = @Sendable (Received) -> Answer

    let port: Int
    private let channel: any Channel
    private let log: Log

    private init(channel: any Channel, port: Int, log: Log) {
        self.channel = channel
        self.port = port
        self.log = log
    }

    /// Serves on a free port of the loopback interface while `body` runs.
    static func serving<Result>(
        greeting: String = "+HI {\"v\":2}\r\n",
        tls: NIOSSLContext? = nil,
        script: @escaping Script,
        _ body: (ScriptedServer) async throws -> Result
    ) async throws -> Result {
        let log = Log()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { child in
                child.eventLoop.makeCompletedFuture {
                    if let tls {
                        try child.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls))
                    }
                    let handler = ScriptHandler(greeting: greeting, script: script, log: log)
                    try child.pipeline.syncOperations.addHandler(handler)
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let server = ScriptedServer(channel: channel, port: channel.localAddress?.port ?? 0, log: log)
        do {
            let result = try await body(server)
            try await channel.close()
            return result
        } catch {
            try? await channel.close()
            throw error
        }
    }

    /// All that came so far, in order.
    var received: [Received] {
        self.log.state.withLock { $0.received }
    }

    /// The lines that came so far and start with this verb.
    func lines(_ verb: String) -> [String] {
        self.received.map(\.line).filter { $0.hasPrefix(verb) }
    }

    /// Waits until a line has come that satisfies `condition`, and returns the first.
    func first(where condition: (Received) -> Bool) async -> Received? {
        for await received in self.log.stream() where condition(received) { return received }
        return nil
    }

    /// How many connections have been made.
    var connectionCount: Int {
        self.log.state.withLock { $0.connectionCount }
    }

    /// A client's settings for this server: short waits, one worker's identity if asked for.
    var configuration: ClientConfiguration {
        var configuration = ClientConfiguration(host: "127.0.0.1", port: self.port)
        configuration.reconnection = Backoff(
            initialDelay: .milliseconds(1),
            maximumDelay: .milliseconds(2),
            maximumAttemptCount: 3
        )
        return configuration
    }
}

extension ScriptedServer {
    /// What came, and who waits for more.
    fileprivate final class Log: Sendable {
        struct State {
            var received: [Received] = []
            var connectionCount = 0
            var observers: [AsyncStream<Received>.Continuation] = []
        }

        let state = Mutex(State())

        func connect() -> Int {
            self.state.withLock { state in
                state.connectionCount += 1
                return state.connectionCount
            }
        }

        func add(_ received: Received) {
            self.state.withLock { state in
                state.received.append(received)
                for observer in state.observers { observer.yield(received) }
            }
        }

        func stream() -> AsyncStream<Received> {
            let (stream, continuation) = AsyncStream.makeStream(of: Received.self)
            self.state.withLock { state in
                for received in state.received { continuation.yield(received) }
                state.observers.append(continuation)
            }
            return stream
        }
    }

    fileprivate final class ScriptHandler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let greeting: String
        private let script: Script
        private let log: Log
        private var connection = 0
        private var buffer = ByteBuffer()

        init(greeting: String, script: @escaping Script, log: Log) {
            self.greeting = greeting
            self.script = script
            self.log = log
        }

        func channelActive(context: ChannelHandlerContext) {
            self.connection = self.log.connect()
            self.send(self.greeting, in: context)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var bytes = self.unwrapInboundIn(data)
            self.buffer.writeBuffer(&bytes)
            while let end = self.buffer.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) {
                let line = self.buffer.readString(length: end + 1 - self.buffer.readerIndex) ?? ""
                let received = Received(
                    connection: self.connection,
                    line: line.split(separator: "\r\n").first.map(String.init) ?? ""
                )
                self.log.add(received)
                self.act(on: self.script(received), in: context)
            }
        }

        func channelInactive(context: ChannelHandlerContext) {
            self.log.add(Received(connection: self.connection, line: ""))
        }

        private func act(on answer: Answer, in context: ChannelHandlerContext) {
            switch answer {
            case .bytes(let text): self.send(text, in: context)
            case .silence: break
            case .later(let text, let delay):
                context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(delay)) {
                    self.send(text, in: context)
                }
            case .close(let text):
                if !text.isEmpty { self.send(text, in: context) }
                context.close(promise: nil)
            }
        }

        private func send(_ text: String, in context: ChannelHandlerContext) {
            context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
        }
    }
}
