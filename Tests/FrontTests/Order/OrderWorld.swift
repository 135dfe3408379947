import ClusterLink
import DequeModule
import JobCore
import Logging
import NIOCore
import NIOEmbedded
import NIOPosix
import Synchronization

@testable import Front

/// One client, one lane and a leader, in which everything happens when chance says so.
///
/// The client sends a pipeline in pieces, may stop sending, reading or being there; the leader answers at once, late, or
/// is replaced. Nothing in it takes time but the clock of the event loop, which the world moves.
struct OrderWorld {
    /// What the client asks; each line has a number that its answer carries.
    enum Line: CaseIterable {
        /// Answered with its batch, or deferred.
        case push
        /// Answered late.
        case latency
        case fetch
        /// Refused by the front.
        case unknown

        func text(_ number: Int) -> String {
            switch self {
            case .push: "PUSH \(number)\r\n"
            case .latency: "QUEUE LATENCY q\(number)\r\n"
            case .fetch: "FETCH q\(number)\r\n"
            case .unknown: "NOPE\(number)\r\n"
            }
        }

        func accepts(_ answer: String, _ number: Int) -> Bool {
            switch self {
            case .push: answer == "P\(number)"
            case .latency: answer == "L\(number)"
            case .fetch: answer == "$-1" || answer.hasPrefix("J\(number).")
            case .unknown: answer == "-ERR unknown command NOPE\(number)"
            }
        }
    }

    private(set) var generator: SeededGenerator
    let loop = EmbeddedEventLoop()
    let link = OrderLink()
    let lane: Lane
    let channel: EmbeddedChannel
    private(set) var leader = OrderLeader()
    private(set) var lines: [Line] = []
    private var unsent = ByteBuffer()
    private(set) var output = ByteBuffer()
    private(set) var hasHalfClosed = false
    private(set) var hasDisconnected = false
    private(set) var isDraining = false

    init(seed: UInt64) throws {
        self.generator = SeededGenerator(seed: seed)
        let configuration = FrontServer.Configuration()
        let secrets = FrontSecrets(try FrontSecrets.Values(configuration))
        var logger = Logger(label: "order")
        logger.logLevel = .critical
        let environment = FrontEnvironment(
            configuration: configuration,
            counters: ConnectionCounters(),
            secrets: secrets,
            passwords: PasswordVerifier(limits: configuration.passwordTries, logger: logger),
            logger: logger
        )
        self.lane = Lane(
            number: 0,
            session: OrderLeader.lane.session,
            environment: environment,
            links: [self.link],
            eventLoop: self.loop
        )
        self.lane.start()
        self.lane.attached(to: 0)
        self.channel = EmbeddedChannel(handler: ClientHandler(lane: self.lane), loop: self.loop)
        try self.channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        try self.channel.writeInbound(ByteBuffer(string: "HELLO {}\r\n"))
        for _ in 0..<Int.random(in: 1...12, using: &self.generator) {
            let line = Line.allCases[Int.random(in: 0..<Line.allCases.count, using: &self.generator)]
            self.unsent.writeString(line.text(self.lines.count))
            self.lines.append(line)
        }
    }

    /// One thing happens, whichever it is.
    mutating func step() throws {
        switch Int.random(in: 0..<100, using: &self.generator) {
        case 0..<25: try self.sendPiece()
        case 25..<50: self.leader.handleNext(from: self.link, using: &self.generator)
        case 50..<70: self.deliverNext()
        case 70..<80: self.leader.answerLate(using: &self.generator)
        case 80..<90: self.pass(.milliseconds(Int64.random(in: 1...300, using: &self.generator)))
        case 90..<94: self.setWritable(Bool.random(using: &self.generator))
        case 94..<97: self.failOver()
        case 97: try self.sendAll(thenFinish: true)
        case 98 where Int.random(in: 0..<4, using: &self.generator) == 0: self.disconnect()
        case 99 where Int.random(in: 0..<4, using: &self.generator) == 0: self.drain()
        default: break
        }
        self.loop.run()
        try self.collect()
    }

    /// Everything that is still under way comes to its end.
    mutating func finish() throws {
        self.setWritable(true)
        try self.sendAll(thenFinish: Bool.random(using: &self.generator))
        for _ in 0..<60 {
            while self.leader.handleNext(from: self.link, using: &self.generator) {}
            self.leader.answerLate(using: &self.generator)
            while self.deliverNext() { self.loop.run() }
            self.pass(.milliseconds(100))
            try self.collect()
        }
    }

    private mutating func sendPiece() throws {
        let length = Int.random(in: 0...40, using: &self.generator)
        guard !self.hasHalfClosed, let piece = self.unsent.readSlice(length: min(length, self.unsent.readableBytes))
        else { return }
        try self.receive(piece)
    }

    private mutating func sendAll(thenFinish: Bool) throws {
        guard !self.hasHalfClosed else { return }
        try self.receive(self.unsent)
        self.unsent.clear()
        guard thenFinish else { return }
        self.hasHalfClosed = true
        self.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    }

    private func receive(_ bytes: ByteBuffer) throws {
        guard self.channel.isActive else { return }
        self.channel.pipeline.fireChannelRead(bytes)
        self.channel.pipeline.fireChannelReadComplete()
    }

    @discardableResult
    private mutating func deliverNext() -> Bool {
        guard let message = self.leader.outgoing.popFirst() else { return false }
        switch message {
        case .replies(let key, let batch, let replies):
            self.lane.receive(replies, toBatch: batch, of: key.session, from: 0)
        case .late(let key, let late):
            self.lane.receive(late: late, of: key.session, from: 0)
        default:
            break
        }
        return true
    }

    private func pass(_ time: TimeAmount) {
        self.loop.advanceTime(by: time)
    }

    private func setWritable(_ isWritable: Bool) {
        guard self.channel.isActive else { return }
        self.channel.isWritable = isWritable
        self.channel.pipeline.fireChannelWritabilityChanged()
    }

    private mutating func failOver() {
        self.lane.detached()
        self.link.removeAll()
        self.leader.beReplaced()
        self.lane.attached(to: 0)
    }

    private mutating func disconnect() {
        guard self.channel.isActive else { return }
        self.hasDisconnected = true
        self.channel.close(promise: nil)
    }

    private mutating func drain() {
        guard !self.isDraining else { return }
        self.isDraining = true
        self.lane.drain(self.loop.makePromise())
    }

    private mutating func collect() throws {
        while var piece = try self.channel.readOutbound(as: ByteBuffer.self) { self.output.writeBuffer(&piece) }
    }

    /// The answers that the client has read, without the greeting and the answer to HELLO.
    var answers: [String] {
        var answers: [String] = []
        let text = String(buffer: self.output)
        var parts = text.components(separatedByCRLF: ())[...]
        parts = parts.dropFirst(2)
        while let part = parts.popFirst() {
            if part.hasPrefix("$"), part != "$-1" {
                answers.append(parts.popFirst() ?? "")
            } else if !part.isEmpty {
                answers.append(part)
            }
        }
        return answers
    }
}

extension String {
    fileprivate func components(separatedByCRLF: Void) -> [String] {
        self.split(separator: "\r\n", omittingEmptySubsequences: false).map(String.init)
    }
}

/// The front's end of a link whose other end is the world.
final class OrderLink: PolledPeerLink {
    private let sent = Mutex<[CommandBatch]>([])

    func open(_ notify: @escaping @Sendable () -> Void) throws(LinkError) -> CInt { throw .closed }
    var isConnected: Bool { true }
    func receive(afterReading count: UInt64, _ body: (UnsafeRawBufferPointer) -> Void) {}
    func close() {}

    func send(_ message: [UInt8]) {
        guard case .batch(let batch) = try? message.withUnsafeBytes({ try MessageToLeader(decoding: $0) }) else {
            return
        }
        self.sent.withLock { $0.append(batch) }
    }

    func removeFirst() -> CommandBatch? {
        self.sent.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    }

    func removeAll() {
        self.sent.withLock { $0.removeAll() }
    }
}
