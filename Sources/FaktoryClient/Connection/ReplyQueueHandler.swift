import FaktoryWire
import NIOCore

/// Gives each reply of a server to whoever has waited longest.
///
/// Replies carry no number: they come in the order of the commands, and the greeting comes before all. A reply that
/// is late therefore ends the connection, since every later one would go to the wrong caller.
///
/// It lives on its channel's event loop. Every promise that it is given it also completes.
final class ReplyQueueHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private struct Awaited {
        let promise: EventLoopPromise<Reply>
        let deadline: Scheduled<Void>
    }

    private let greeting: EventLoopPromise<Reply>
    private let greetingTimeout: TimeAmount
    private var awaited: CircularBuffer<Awaited> = []
    private var received = ByteBuffer()
    private var decoder = ReplyDecoder()
    private var context: ChannelHandlerContext?
    /// Why nothing more can be sent; nil as long as it can.
    private var failure: FaktoryError?

    /// - Parameters:
    ///   - greeting: receives the line that the server sends first.
    ///   - greetingTimeout: how long that may take once the channel is active.
    init(greeting: EventLoopPromise<Reply>, greetingTimeout: TimeAmount) {
        self.greeting = greeting
        self.greetingTimeout = greetingTimeout
    }

    /// Writes a command, and completes `promise` with its reply.
    ///
    /// Fails with ``FaktoryError/Code/connectionFailed`` when the command was not sent.
    func send(_ command: ByteBuffer, timeout: TimeAmount, promise: EventLoopPromise<Reply>) {
        guard let context = self.context, self.failure == nil else {
            let reason = self.failure?.message ?? "the connection is closed"
            promise.fail(FaktoryError(.connectionFailed, reason))
            return
        }
        self.await(promise, timeout: timeout, in: context)
        context.writeAndFlush(self.wrapOutboundOut(command), promise: nil)
    }

    /// Writes bytes that have no reply and closes the connection after them.
    func sendLast(_ command: ByteBuffer) {
        guard let context = self.context, self.failure == nil else { return }
        self.failure = FaktoryError(.connectionFailed, "the connection has been closed")
        context.writeAndFlush(self.wrapOutboundOut(command)).assumeIsolated().whenComplete { _ in
            context.close(promise: nil)
        }
    }

    private func await(_ promise: EventLoopPromise<Reply>, timeout: TimeAmount, in context: ChannelHandlerContext) {
        let deadline = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) {
            self.fail(with: FaktoryError(.timedOut, "no answer within \(timeout.nanoseconds / 1_000_000) ms"))
        }
        self.awaited.append(Awaited(promise: promise, deadline: deadline))
    }

    /// Ends the connection, and everything that is awaited on it.
    private func fail(with error: FaktoryError) {
        guard self.failure == nil || !self.awaited.isEmpty else { return }
        self.failure = self.failure ?? error
        let abandoned = self.awaited
        self.awaited = []
        for entry in abandoned {
            entry.deadline.cancel()
            entry.promise.fail(error)
        }
        self.context?.close(promise: nil)
    }
}

extension ReplyQueueHandler {
    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        self.await(self.greeting, timeout: self.greetingTimeout, in: context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.fail(with: FaktoryError(.connectionLost, "the connection was closed"))
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = self.unwrapInboundIn(data)
        if self.received.readableBytes == 0 {
            self.received = bytes
        } else {
            self.received.writeBuffer(&bytes)
        }
        do {
            while let reply = try self.decoder.decode(from: &self.received) {
                self.deliver(reply)
            }
        } catch {
            self.fail(with: FaktoryError(.protocolViolation, "the server's bytes are no reply: \(error)"))
        }
    }

    private func deliver(_ reply: Reply) {
        if let next = self.awaited.popFirst() {
            next.deadline.cancel()
            next.promise.succeed(reply)
        } else if self.failure == nil {
            self.failUnasked(reply)
        }
    }

    /// A server only speaks unasked when it turns a client away.
    private func failUnasked(_ reply: Reply) {
        let reason = if case .error(_, let text) = reply { text } else { "an answer to no command" }
        self.failure = FaktoryError(.connectionFailed, "the server said: \(reason)")
        self.context?.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.fail(with: FaktoryError(.connectionLost, "the server closed the connection"))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.fail(with: FaktoryError(.connectionLost, "the connection broke: \(error)"))
    }
}
