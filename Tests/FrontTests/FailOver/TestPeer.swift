import ClusterLink
import ZeroMQ

/// A peer of a manager that sends what a test wants, and nothing else.
struct TestPeer: ~Copyable {
    private let socket: ZeroMQSocket

    init(at endpoint: String) throws {
        let socket = try ZeroMQSocket(.dealer, in: try ZeroMQContext())
        try socket.connect(to: endpoint)
        self.socket = socket
    }

    func send(_ message: MessageToLeader) throws {
        _ = try self.socket.send(message.encoded(), wait: true)
    }

    /// The next message; nil when none comes in time.
    func receive(within limit: Duration) throws -> MessageFromLeader? {
        var poller = Poller()
        _ = poller.add(self.socket)
        guard try poller.wait(upTo: limit) > 0, let message = try self.socket.receive(wait: false) else { return nil }
        return try message.bytes.withUnsafeBytes { try MessageFromLeader(decoding: $0) }
    }
}
