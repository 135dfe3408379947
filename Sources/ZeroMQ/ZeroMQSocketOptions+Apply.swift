import CZeroMQ

extension ZeroMQSocketOptions {
    /// The longest that a socket can be told to wait.
    private static let maximumMilliseconds = Int64(Int32.max)

    /// Tells them to a socket that is neither bound nor connected.
    func apply(to socket: UnsafeMutableRawPointer) throws(ZeroMQError) {
        try Self.set(ZMQ_LINGER, self.linger.map { Self.milliseconds($0) } ?? -1, of: socket)
        if let identity { try Self.set(ZMQ_ROUTING_ID, identity, of: socket) }
        try self.applyBounds(to: socket)
        if self.routerMandatory { try Self.set(ZMQ_ROUTER_MANDATORY, 1, of: socket) }
        if self.routerHandover { try Self.set(ZMQ_ROUTER_HANDOVER, 1, of: socket) }
        if self.immediate { try Self.set(ZMQ_IMMEDIATE, 1, of: socket) }
        try self.applyTimes(to: socket)
        try self.applySecurity(to: socket)
    }

    private func applyBounds(to socket: UnsafeMutableRawPointer) throws(ZeroMQError) {
        if let sendHighWaterMark { try Self.set(ZMQ_SNDHWM, Int32(clamping: sendHighWaterMark), of: socket) }
        if let receiveHighWaterMark { try Self.set(ZMQ_RCVHWM, Int32(clamping: receiveHighWaterMark), of: socket) }
        if let maximumMessageByteCount {
            let limit = withUnsafeBytes(of: Int64(maximumMessageByteCount)) { Array($0) }
            try Self.set(ZMQ_MAXMSGSIZE, limit, of: socket)
        }
    }

    private func applyTimes(to socket: UnsafeMutableRawPointer) throws(ZeroMQError) {
        if let keepAlive {
            let seconds = max(1, Self.milliseconds(keepAlive.interval) / 1_000)
            try Self.set(ZMQ_TCP_KEEPALIVE, 1, of: socket)
            try Self.set(ZMQ_TCP_KEEPALIVE_IDLE, seconds, of: socket)
            try Self.set(ZMQ_TCP_KEEPALIVE_INTVL, seconds, of: socket)
            // The timeout decides, in place of a number of probes.
            try Self.set(ZMQ_TCP_MAXRT, Self.milliseconds(keepAlive.timeout), of: socket)
        }
        if let reconnectInterval {
            try Self.set(ZMQ_RECONNECT_IVL, Self.milliseconds(reconnectInterval), of: socket)
        }
        if let maximumReconnectInterval {
            try Self.set(ZMQ_RECONNECT_IVL_MAX, Self.milliseconds(maximumReconnectInterval), of: socket)
        }
        if let connectTimeout { try Self.set(ZMQ_CONNECT_TIMEOUT, Self.milliseconds(connectTimeout), of: socket) }
        if let handshakeInterval {
            try Self.set(ZMQ_HANDSHAKE_IVL, Self.milliseconds(handshakeInterval), of: socket)
        }
    }

    private func applySecurity(to socket: UnsafeMutableRawPointer) throws(ZeroMQError) {
        if let zapDomain {
            try Self.set(ZMQ_ZAP_DOMAIN, Array(zapDomain.utf8), of: socket)
            // Without it every peer is admitted while there is no handler.
            try Self.set(millrace_zmq_zap_enforce_domain, 1, of: socket)
        }
        switch self.curve {
        case .server(let secretKey):
            try Self.set(ZMQ_CURVE_SERVER, 1, of: socket)
            try Self.set(ZMQ_CURVE_SECRETKEY, secretKey, of: socket)
        case .client(let keys, let serverKey):
            try Self.set(ZMQ_CURVE_PUBLICKEY, keys.publicKey, of: socket)
            try Self.set(ZMQ_CURVE_SECRETKEY, keys.secretKey, of: socket)
            try Self.set(ZMQ_CURVE_SERVERKEY, serverKey, of: socket)
        case nil:
            break
        }
    }

    private static func milliseconds(_ duration: Duration) -> Int32 {
        Int32(clamping: min(duration.millisecondsRoundedUp, Self.maximumMilliseconds))
    }

    private static func set(
        _ option: Int32,
        _ value: Int32,
        of socket: UnsafeMutableRawPointer
    ) throws(ZeroMQError) {
        var value = value
        guard zmq_setsockopt(socket, option, &value, MemoryLayout<Int32>.size) == 0 else { throw .latest() }
    }

    private static func set(
        _ option: Int32,
        _ value: [UInt8],
        of socket: UnsafeMutableRawPointer
    ) throws(ZeroMQError) {
        guard zmq_setsockopt(socket, option, value, value.count) == 0 else { throw .latest() }
    }

    /// A key in Z85 goes with its terminating zero: that is how ZeroMQ tells it from 32 raw bytes.
    private static func set(
        _ option: Int32,
        _ key: CurveKey,
        of socket: UnsafeMutableRawPointer
    ) throws(ZeroMQError) {
        try Self.set(option, Array(key.text.utf8) + [0], of: socket)
    }
}

extension Duration {
    /// Whole milliseconds, rounded up so that a short wait does not become none; never negative.
    var millisecondsRoundedUp: Int64 {
        let (seconds, attoseconds) = self.components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
        guard !overflow else { return .max }
        let attosecondsPerMillisecond: Int64 = 1_000_000_000_000_000
        let fraction = (attoseconds + attosecondsPerMillisecond - 1) / attosecondsPerMillisecond
        return whole.addingReportingOverflow(fraction).overflow ? .max : whole + fraction
    }
}
