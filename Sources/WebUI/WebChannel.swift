import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOSSL

/// A connection of a web server: counted, encrypted if that is wanted, and with a time for each step.
struct WebChannel: ServerChildChannel {
    /// Too many connections are open.
    struct Full: Error {}

    private let http: HTTP1Channel
    private let connections: WebConnections
    private let secrets: WebSecrets
    private let limits: WebLimits

    init(
        responder: @escaping HTTPChannelHandler.Responder,
        connections: WebConnections,
        secrets: WebSecrets,
        limits: WebLimits
    ) {
        self.http = HTTP1Channel(
            responder: responder,
            configuration: .init(
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: limits.headByteCount / 2,
                    maxHeaderListSize: limits.headByteCount,
                    maxHeaderFieldCount: limits.fieldCount
                )
            )
        )
        self.connections = connections
        self.secrets = secrets
        self.limits = limits
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        guard let number = self.connections.admit(channel) else {
            return channel.close().flatMapThrowing { throw Full() }
        }
        return channel.eventLoop.makeCompletedFuture {
            let tls = self.secrets.current.tls
            if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
            return tls != nil
        }.flatMap { isEncrypted in
            self.http.setup(channel: channel, logger: logger).flatMapThrowing { value in
                let pipeline = channel.pipeline.syncOperations
                let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
                let handler = WebConnectionHandler(
                    number: number,
                    of: self.connections,
                    limits: self.limits,
                    isEncrypted: isEncrypted
                )
                try pipeline.addHandler(handler, position: .after(decoder))
                return value
            }
        }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        await self.http.handle(value: value, logger: logger)
    }
}
