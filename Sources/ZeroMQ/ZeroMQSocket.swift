import CZeroMQ
import Glibc

/// A ZeroMQ socket, which closes when it is let go.
///
/// A socket belongs to the thread that opened it: the pointer inside keeps it from being `Sendable`.
/// Calls that a signal interrupts are made again.
package struct ZeroMQSocket: ~Copyable {
    /// The pattern in which a socket exchanges messages.
    package enum Kind: Sendable {
        /// Names the peer of each message by its identity, in the first frame.
        case router
        /// Sends to its peers in turn, receives from all of them.
        case dealer
        /// Talks to exactly one other.
        case pair
        /// Sends only, to its peers in turn.
        case push
        /// Receives only.
        case pull

        fileprivate var rawValue: Int32 {
            switch self {
            case .router: ZMQ_ROUTER
            case .dealer: ZMQ_DEALER
            case .pair: ZMQ_PAIR
            case .push: ZMQ_PUSH
            case .pull: ZMQ_PULL
            }
        }
    }

    /// The longest endpoint that ZeroMQ reports, in bytes, with room for what an `ipc` path may have.
    private static let endpointByteLimit = 512

    let raw: UnsafeMutableRawPointer
    /// Keeps the context alive until this socket is closed.
    private let context: ZeroMQContext
    private let sendLimit: Int

    /// Opens a socket that is neither bound nor connected.
    ///
    /// Throws `.system` when an option does not fit the kind or its value is out of range.
    package init(
        _ kind: Kind,
        in context: ZeroMQContext,
        options: ZeroMQSocketOptions = ZeroMQSocketOptions()
    ) throws(ZeroMQError) {
        guard let raw = zmq_socket(context.raw, kind.rawValue) else { throw .latest() }
        do {
            try options.apply(to: raw)
        } catch {
            zmq_close(raw)
            throw error
        }
        self.raw = raw
        self.context = context
        self.sendLimit = options.maximumMessageByteCount ?? .max
    }

    deinit {
        zmq_close(self.raw)
    }

    // MARK: Endpoints

    /// Accepts connections at an endpoint, such as `tcp://127.0.0.1:*` or `ipc:///run/millrace/link`.
    package func bind(to endpoint: String) throws(ZeroMQError) {
        try Self.retrying { zmq_bind(self.raw, endpoint) }
    }

    /// Connects to an endpoint, now or as soon as somebody is there, and again whenever the connection is lost.
    package func connect(to endpoint: String) throws(ZeroMQError) {
        try Self.retrying { zmq_connect(self.raw, endpoint) }
    }

    /// Accepts no more connections at an endpoint, which is named as `lastEndpoint` named it.
    package func unbind(from endpoint: String) throws(ZeroMQError) {
        try Self.retrying { zmq_unbind(self.raw, endpoint) }
    }

    /// Ends the connection to an endpoint, which is named as it was when it was made.
    package func disconnect(from endpoint: String) throws(ZeroMQError) {
        try Self.retrying { zmq_disconnect(self.raw, endpoint) }
    }

    /// Connects to an endpoint as if it had never been connected to, whether an attempt is under way or was given up.
    package func connectAnew(to endpoint: String) throws(ZeroMQError) {
        // Fails where ZeroMQ has given up, and then there is nothing to end.
        _ = zmq_disconnect(self.raw, endpoint)
        try self.connect(to: endpoint)
    }

    /// The endpoint that was bound or connected last, with the port that a wildcard has become.
    package var lastEndpoint: String {
        get throws(ZeroMQError) {
            var text = [UInt8](repeating: 0, count: Self.endpointByteLimit)
            var byteCount = text.count
            guard zmq_getsockopt(self.raw, ZMQ_LAST_ENDPOINT, &text, &byteCount) == 0 else { throw .latest() }
            return String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    // MARK: Sending

    /// Sends one frame; ZeroMQ keeps a copy of the bytes.
    ///
    /// Answers false, having sent nothing, if it would have to wait and was told not to. With `more` the
    /// message leaves with a later frame, and that one never has to wait.
    package func send(_ bytes: UnsafeRawBufferPointer, more: Bool = false, wait: Bool) throws(ZeroMQError) -> Bool {
        guard bytes.count <= self.sendLimit else {
            throw .messageTooLarge(byteCount: bytes.count, limit: self.sendLimit)
        }
        let flags = (more ? ZMQ_SNDMORE : 0) | (wait ? 0 : ZMQ_DONTWAIT)
        return try Self.unlessBlocked { zmq_send(self.raw, bytes.baseAddress, bytes.count, flags) }
    }

    /// Sends one frame, as above.
    package func send(_ bytes: [UInt8], more: Bool = false, wait: Bool) throws(ZeroMQError) -> Bool {
        try bytes.withUnsafeBufferPointer { bytes throws(ZeroMQError) in
            try self.send(UnsafeRawBufferPointer(bytes), more: more, wait: wait)
        }
    }

    /// Sends one frame, as above.
    package func send(_ bytes: ArraySlice<UInt8>, more: Bool = false, wait: Bool) throws(ZeroMQError) -> Bool {
        try bytes.withUnsafeBufferPointer { bytes throws(ZeroMQError) in
            try self.send(UnsafeRawBufferPointer(bytes), more: more, wait: wait)
        }
    }

    /// Sends a message of two frames from a router: the peer's identity, which does not travel, and the payload.
    ///
    /// Answers false, having sent nothing, if the peer's queue is full and it was told not to wait. Throws
    /// `.hostUnreachable`, if the router was told to, when there is no such peer.
    package func send(
        to identity: UnsafeRawBufferPointer,
        _ payload: UnsafeRawBufferPointer,
        wait: Bool
    ) throws(ZeroMQError) -> Bool {
        guard payload.count <= self.sendLimit else {
            throw .messageTooLarge(byteCount: payload.count, limit: self.sendLimit)
        }
        guard try self.send(identity, more: true, wait: wait) else { return false }
        return try self.send(payload, wait: wait)
    }

    /// Sends a message of two frames from a router, as above.
    package func send(to identity: [UInt8], _ payload: [UInt8], wait: Bool) throws(ZeroMQError) -> Bool {
        try identity.withUnsafeBufferPointer { identity throws(ZeroMQError) in
            try payload.withUnsafeBufferPointer { payload throws(ZeroMQError) in
                try self.send(to: UnsafeRawBufferPointer(identity), UnsafeRawBufferPointer(payload), wait: wait)
            }
        }
    }

    // MARK: Receiving

    /// Receives one frame, without copying it; nil if none is there and it was told not to wait.
    package func receive(wait: Bool) throws(ZeroMQError) -> ZeroMQMessage? {
        var message = zmq_msg_t()
        zmq_msg_init(&message)
        do {
            let flags = wait ? 0 : ZMQ_DONTWAIT
            guard try Self.unlessBlocked({ zmq_msg_recv(&message, self.raw, flags) }) else {
                zmq_msg_close(&message)
                return nil
            }
        } catch {
            zmq_msg_close(&message)
            throw error
        }
        return ZeroMQMessage(adopting: message)
    }

    /// Receives a whole message and copies its frames; nil if none is there and it was told not to wait.
    package func receiveFrames(wait: Bool) throws(ZeroMQError) -> [[UInt8]]? {
        guard let first = try self.receive(wait: wait) else { return nil }
        var frames = [first.bytes]
        var more = first.more
        while more, let next = try self.receive(wait: true) {
            frames.append(next.bytes)
            more = next.more
        }
        return frames
    }

    // MARK: Events

    /// Begins to report what happens to this socket's connections.
    ///
    /// A socket has one monitor at a time. Nothing is reported of what happened before.
    package func monitor(_ events: ZeroMQMonitor.Kinds = .all) throws(ZeroMQError) -> ZeroMQMonitor {
        let endpoint = "inproc://monitor-\(UInt(bitPattern: self.raw))"
        try Self.retrying { zmq_socket_monitor(self.raw, endpoint, events.rawValue) }
        let socket = try ZeroMQSocket(.pair, in: self.context)
        try socket.connect(to: endpoint)
        return ZeroMQMonitor(reading: socket)
    }

    // MARK: Results

    private static func retrying(_ call: () -> Int32) throws(ZeroMQError) {
        while call() == -1 {
            let code = zmq_errno()
            guard code == EINTR else { throw ZeroMQError(code: code) }
        }
    }

    /// Whether the call was made; false if it would have had to wait.
    private static func unlessBlocked(_ call: () -> Int32) throws(ZeroMQError) -> Bool {
        while call() == -1 {
            switch zmq_errno() {
            case EINTR: continue
            case EAGAIN: return false
            case let code: throw ZeroMQError(code: code)
            }
        }
        return true
    }
}
