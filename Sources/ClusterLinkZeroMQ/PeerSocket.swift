import ClusterLink
import ZeroMQ

/// How a peer's socket behaves, whoever drives it.
enum PeerSocket {
    /// How long messages may take to leave behind `close()`.
    private static let linger = Duration.milliseconds(500)

    /// A DEALER that connects to the leader, now or as soon as there is one, and again whenever it is lost.
    static func open(endpoint: String, in context: ZeroMQContext) throws(LinkError) -> ZeroMQSocket {
        var options = ZeroMQSocketOptions()
        options.linger = Self.linger
        options.sendHighWaterMark = ZeroMQLeaderLink.highWaterMark
        options.receiveHighWaterMark = ZeroMQLeaderLink.highWaterMark
        options.maximumMessageByteCount = LinkBound.messageByteCount
        options.reconnectInterval = .milliseconds(10)
        options.maximumReconnectInterval = .milliseconds(100)
        do {
            let socket = try ZeroMQSocket(.dealer, in: context, options: options)
            try socket.connect(to: endpoint)
            return socket
        } catch {
            throw .endpoint(endpoint, reason: "\(error)")
        }
    }
}
