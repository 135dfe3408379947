import Glibc
package import Logging
package import NIOCore

/// Lets a listening channel rest when a connection cannot be accepted for want of descriptors or memory.
///
/// NIO goes on asking the kernel, which answers the same, as fast as a core can. Connections wait in the kernel
/// meanwhile; those that are open go on as before. It stands first in the channel's pipeline.
package final class AcceptPause: ChannelDuplexHandler {
    package typealias InboundIn = any Channel
    package typealias OutboundIn = Never

    /// How long nothing is accepted after a failure.
    package static let length = TimeAmount.milliseconds(250)
    /// One line in the log stands for all failures in such a time.
    package static let quietTime = TimeAmount.seconds(60)
    /// The errors that pass by themselves.
    private static let shortages = [EMFILE, ENFILE, ENOBUFS, ENOMEM]

    private let logger: Logger
    private var isPaused = false
    /// Failures since the last connection that was accepted.
    private var failureCount = 0
    private var toldAt: NIODeadline?

    package init(logger: Logger) {
        self.logger = logger
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? IOError, Self.shortages.contains(error.errnoCode) else {
            return context.fireErrorCaught(error)
        }
        self.failureCount += 1
        self.tell(error)
        guard !self.isPaused else { return }
        self.isPaused = true
        self.pause(context)
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if self.failureCount > 0 {
            self.logger.notice("Accepts connections again", metadata: ["failures": "\(self.failureCount)"])
            self.failureCount = 0
            self.toldAt = nil
        }
        context.fireChannelRead(data)
    }

    package func read(context: ChannelHandlerContext) {
        // The end of the pause reads.
        if !self.isPaused { context.read() }
    }

    /// Takes the channel out of what the kernel is asked about, and puts it back later.
    private func pause(_ context: ChannelHandlerContext) {
        let options = context.channel.syncOptions
        let readsByItself = (try? options?.getOption(.autoRead)) ?? true
        // Only a change takes the channel out, and one that is asked to read each time has nothing to change from.
        if !readsByItself { try? options?.setOption(.autoRead, value: true) }
        try? options?.setOption(.autoRead, value: false)
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.length) {
            self.isPaused = false
            if readsByItself { try? options?.setOption(.autoRead, value: true) } else { context.read() }
        }
    }

    private func tell(_ error: IOError) {
        let now = NIODeadline.now()
        if let toldAt, now - toldAt < Self.quietTime { return }
        self.toldAt = now
        self.logger.error(
            "Cannot accept connections; those that are open go on, others wait. Raise the limit (ulimit -n, LimitNOFILE)",
            metadata: ["reason": "\(String(cString: strerror(error.errnoCode)))"]
        )
    }
}
