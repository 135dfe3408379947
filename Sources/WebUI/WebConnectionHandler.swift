import NIOCore
import NIOHTTP1
import NIOTLS

/// Gives each step of a web connection its time, and a request's body its length; beyond them the connection is closed.
///
/// It stands behind the decoder of HTTP, so that bytes which do not end a step do not begin its time anew.
final class WebConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private let number: UInt64
    private let connections: WebConnections
    private let limits: WebLimits
    private let isEncrypted: Bool
    private var deadline: Scheduled<Void>?
    /// Requests whose head has come and whose answer has not left.
    private var openCount = 0
    private var bodyByteCount = 0

    init(number: UInt64, of connections: WebConnections, limits: WebLimits, isEncrypted: Bool) {
        self.number = number
        self.connections = connections
        self.limits = limits
        self.isEncrypted = isEncrypted
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.await(self.isEncrypted ? self.limits.handshakeTimeout : self.limits.headTimeout, context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.deadline?.cancel()
        self.deadline = nil
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(.handshakeCompleted) = event as? TLSUserEvent { self.await(self.limits.headTimeout, context) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch self.unwrapInboundIn(data) {
        case .head:
            self.openCount += 1
            self.bodyByteCount = 0
            self.connections.note(self.number, isBusy: true)
            self.await(self.limits.bodyTimeout, context)
        case .body(let piece):
            self.bodyByteCount += piece.readableBytes
            guard self.bodyByteCount <= self.limits.bodyByteCount else { return context.close(promise: nil) }
        case .end:
            self.await(self.limits.answerTimeout, context)
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .end = self.unwrapOutboundIn(data) else { return context.write(data, promise: promise) }
        let written = promise ?? context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenSuccess { self.answered(context) }
        context.write(data, promise: written)
    }

    /// An answer has left altogether.
    private func answered(_ context: ChannelHandlerContext) {
        self.openCount = max(0, self.openCount - 1)
        guard self.deadline != nil, self.openCount == 0 else { return }
        self.connections.note(self.number, isBusy: false)
        self.await(self.limits.idleTimeout, context)
    }

    private func await(_ time: Duration, _ context: ChannelHandlerContext) {
        self.deadline?.cancel()
        let (seconds, attoseconds) = time.components
        self.deadline = context.eventLoop.assumeIsolated().scheduleTask(
            in: .seconds(seconds) + .nanoseconds(attoseconds / 1_000_000_000)
        ) { context.close(promise: nil) }
    }
}
