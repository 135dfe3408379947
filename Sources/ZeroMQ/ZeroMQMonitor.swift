import CZeroMQ

/// Reports what happens to the connections of a socket.
///
/// It belongs to the thread of its socket, and may be waited for with a `Poller` over `socket`.
package struct ZeroMQMonitor: ~Copyable {
    /// What can happen to a connection.
    package struct Kinds: OptionSet, Sendable {
        package let rawValue: Int32

        package init(rawValue: Int32) {
            self.rawValue = rawValue
        }

        /// A connection was made on our side; its handshake is still to come.
        package static let connected = Kinds(rawValue: ZMQ_EVENT_CONNECTED)
        /// A connection was made by the other side; its handshake is still to come.
        package static let accepted = Kinds(rawValue: ZMQ_EVENT_ACCEPTED)
        /// The socket no longer accepts connections at an endpoint, or gave up one of its own.
        package static let closed = Kinds(rawValue: ZMQ_EVENT_CLOSED)
        /// An established connection is gone.
        package static let disconnected = Kinds(rawValue: ZMQ_EVENT_DISCONNECTED)
        /// Messages may flow.
        package static let handshakeSucceeded = Kinds(rawValue: ZMQ_EVENT_HANDSHAKE_SUCCEEDED)
        /// The peer speaks another protocol, or another security mechanism; or it hung up.
        package static let handshakeFailed = Kinds(
            rawValue: ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL
        )
        /// The handler of ZAP turned the peer away.
        package static let authenticationFailed = Kinds(rawValue: ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
        package static let all = Kinds(rawValue: ZMQ_EVENT_ALL)
    }

    /// One thing that happened.
    package struct Event: Sendable, Equatable {
        /// Which of the kinds; one bit.
        package let kind: Kinds
        /// A file descriptor, an `errno` or a protocol error, by the kind.
        package let value: Int32
        /// Where it happened.
        package let endpoint: String
    }

    /// Where the events arrive, for a `Poller`.
    package let socket: ZeroMQSocket

    init(reading socket: consuming ZeroMQSocket) {
        self.socket = socket
    }

    /// The next event; nil if there is none and it was told not to wait.
    package func next(wait: Bool) throws(ZeroMQError) -> Event? {
        guard let frames = try self.socket.receiveFrames(wait: wait), frames.count == 2, frames[0].count == 6 else {
            return nil
        }
        return frames[0].withUnsafeBytes { header in
            Event(
                kind: Kinds(rawValue: Int32(header.loadUnaligned(as: UInt16.self))),
                value: header.loadUnaligned(fromByteOffset: 2, as: Int32.self),
                endpoint: String(decoding: frames[1], as: UTF8.self)
            )
        }
    }
}
