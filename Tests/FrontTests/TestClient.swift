import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// A client that says exactly what a test wants, and reads exactly as much.
struct TestClient: Sendable {
    static let greeting = "+HI {\"v\":2}\r\n"

    private let channel: any Channel
    private let received: ReceivedBytes

    static func connect<Result>(
        to address: SocketAddress,
        reads: Bool = true,
        tls: NIOSSLContext? = nil,
        _ body: (TestClient) async throws -> Result
    ) async throws -> Result {
        let received = ReceivedBytes()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.autoRead, value: reads)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        let handler = try NIOSSLClientHandler(context: tls, serverHostname: nil)
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                    try channel.pipeline.syncOperations.addHandler(received)
                }
            }
            .connect(to: address).get()
        let client = TestClient(channel: channel, received: received)
        do {
            let result = try await body(client)
            channel.close(promise: nil)
            return result
        } catch {
            channel.close(promise: nil)
            throw error
        }
    }

    func send(_ text: String) async throws {
        try await self.channel.writeAndFlush(ByteBuffer(string: text)).get()
    }

    /// Ends what the client sends; it still reads.
    func finish() async throws {
        try await self.channel.close(mode: .output).get()
    }

    /// Closes the connection as a client that dies does.
    func disconnect() async throws {
        try await self.channel.close().get()
    }

    /// The next bytes, as many as are asked for; fewer when the connection ends before.
    func read(_ byteCount: Int) async -> String {
        await self.received.take { $0.readableBytes >= byteCount ? byteCount : nil }
    }

    /// The next line with its end.
    func readLine() async -> String {
        await self.received.take { bytes in
            bytes.readableBytesView.firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 - bytes.readerIndex }
        }
    }

    /// Everything up to the end of the connection, however it ends.
    func readToEnd() async -> String {
        await self.received.take { _ in nil }
    }

    /// Says something and reads as much as the answer is long.
    ///
    /// False when it was something else, or the connection broke.
    func exchange(_ text: String, for answer: String) async -> Bool {
        guard (try? await self.send(text)) != nil else { return false }
        return await self.read(answer.utf8.count) == answer
    }

    /// Reads the greeting and says HELLO; false when it did not go as it should without a password.
    func hello(_ document: String = #"{"v":2}"#) async -> Bool {
        guard await self.read(Self.greeting.utf8.count) == Self.greeting else { return false }
        return await self.exchange("HELLO \(document)\r\n", for: "+OK\r\n")
    }
}

/// What has arrived at a test's client.
private final class ReceivedBytes: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    /// How many bytes are to be taken; nil to wait for more.
    typealias Wanted = @Sendable (ByteBuffer) -> Int?

    private struct State {
        var bytes = ByteBuffer()
        var hasEnded = false
        var waiter: (wanted: Wanted, continuation: CheckedContinuation<String, Never>)?

        /// What a waiter gets now, if anything.
        mutating func take(_ wanted: Wanted) -> String? {
            let byteCount = wanted(self.bytes) ?? (self.hasEnded ? self.bytes.readableBytes : nil)
            return byteCount.flatMap { self.bytes.readString(length: min($0, self.bytes.readableBytes)) }
        }
    }

    private let state = Mutex(State())

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var piece = self.unwrapInboundIn(data)
        self.change { $0.bytes.writeBuffer(&piece) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(.inputClosed) = event as? ChannelEvent { self.change { $0.hasEnded = true } }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.change { $0.hasEnded = true }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.change { $0.hasEnded = true }
    }

    func take(_ wanted: @escaping Wanted) async -> String {
        await withCheckedContinuation { continuation in
            let text = self.state.withLock { state -> String? in
                if let text = state.take(wanted) { return text }
                state.waiter = (wanted, continuation)
                return nil
            }
            if let text { continuation.resume(returning: text) }
        }
    }

    private func change(_ body: (inout State) -> Void) {
        let ready = self.state.withLock { state -> (String, CheckedContinuation<String, Never>)? in
            body(&state)
            guard let waiter = state.waiter, let text = state.take(waiter.wanted) else { return nil }
            state.waiter = nil
            return (text, waiter.continuation)
        }
        if let (text, continuation) = ready { continuation.resume(returning: text) }
    }
}
