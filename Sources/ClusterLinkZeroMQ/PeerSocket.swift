import ClusterLink
import ZeroMQ

/// How a peer's socket behaves, whoever drives it.
enum PeerSocket {
    /// What becomes of messages while the manager is not there.
    enum Absence {
        /// They wait for it, up to the bound.
        case queue
        /// They are lost.
        case drop
    }

    /// How long messages may take to leave behind `close()`.
    private static let linger = Duration.milliseconds(500)
    /// How long a host may take to accept a connection.
    private static let connectTimeout = Duration.seconds(1)
    /// How a connection is found to be dead although nobody closed it: the host lost its power, or its network.
    static let keepAlive = ZeroMQSocketOptions.KeepAlive(interval: .seconds(1), timeout: .seconds(3))

    /// A DEALER that connects to a manager, now or as soon as it is there, and again whenever it is lost.
    static func open(
        endpoint: String,
        in context: ZeroMQContext,
        security: PeerSecurity?,
        whileAbsent absence: Absence
    ) throws(LinkError) -> ZeroMQSocket {
        var options = ZeroMQSocketOptions()
        options.linger = Self.linger
        options.sendHighWaterMark = ZeroMQLeaderLink.highWaterMark
        options.receiveHighWaterMark = ZeroMQLeaderLink.highWaterMark
        options.maximumMessageByteCount = LinkBound.messageByteCount
        options.reconnectInterval = .milliseconds(10)
        options.maximumReconnectInterval = .milliseconds(100)
        options.connectTimeout = Self.connectTimeout
        options.keepAlive = Self.keepAlive
        options.immediate = absence == .drop
        if let security { options.secure(security) }
        do {
            let socket = try ZeroMQSocket(.dealer, in: context, options: options)
            try socket.connect(to: endpoint)
            return socket
        } catch {
            throw .endpoint(endpoint, reason: "\(error)")
        }
    }
}
