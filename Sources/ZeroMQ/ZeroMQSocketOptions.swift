/// How a socket behaves; all of it is settled before the socket binds or connects.
///
/// What is nil stays as ZeroMQ has it. Durations count in milliseconds, rounded up.
package struct ZeroMQSocketOptions: Sendable {
    /// How the kernel finds out that a connection is dead although nobody closed it.
    ///
    /// The heartbeats of ZeroMQ itself are not used: libzmq 4.3.4 ends the whole process when one is due on a connection
    /// that was closed by its peer while its messages waited to be received (libzmq issues 4364 and 3937).
    package struct KeepAlive: Sendable {
        /// How long a connection may be quiet before it is probed, and how long between two probes; in whole seconds.
        package var interval: Duration
        /// How long what was sent may stay without an acknowledgement, probes included.
        package var timeout: Duration

        package init(interval: Duration, timeout: Duration) {
            self.interval = interval
            self.timeout = timeout
        }
    }

    /// Which end of an encrypted connection the socket is.
    package enum Curve: Sendable {
        /// Admits peers that know our public key. Which of them is decided by the handler of ZAP, if there is one.
        case server(secretKey: CurveKey)
        /// Talks to nobody but the owner of `serverKey`.
        case client(CurveKeyPair, serverKey: CurveKey)
    }

    /// How long unsent messages outlive the socket; nil is for ever, and then the context's end may wait for ever.
    package var linger: Duration? = .zero
    /// The name under which a router at the other end knows us: 1 to 255 bytes, the first of them not zero.
    package var identity: [UInt8]?
    /// Messages that may wait to be sent on each connection; 0 is no bound.
    package var sendHighWaterMark: Int?
    /// Messages that may wait to be received on each connection; 0 is no bound.
    package var receiveHighWaterMark: Int?
    /// The largest frame, in bytes.
    ///
    /// A peer that sends a longer one is disconnected. Sending a longer one throws, because a peer with
    /// the same bound would cut the connection, and again at each reconnection.
    package var maximumMessageByteCount: Int?
    /// Whether a router says so when it cannot deliver.
    ///
    /// It then throws `.hostUnreachable` for an unknown identity, and waits, or answers false, when a peer's queue is
    /// full. Otherwise it drops the message without a word.
    package var routerMandatory = false
    /// Whether a peer takes over the identity of one that is connected; otherwise the new one is ignored.
    package var routerHandover = false
    /// Whether messages are queued only for connections that stand.
    package var immediate = false
    package var keepAlive: KeepAlive?
    /// How long to wait before a lost connection is tried again.
    package var reconnectInterval: Duration?
    /// Where the reconnect interval, which doubles at each try, stops growing.
    package var maximumReconnectInterval: Duration?
    /// How long a new peer may take for its handshake.
    package var handshakeInterval: Duration?
    /// How long an attempt to connect may take before it counts as failed.
    ///
    /// Without it the kernel's own patience counts, which is minutes for a host that does not answer at all.
    package var connectTimeout: Duration?
    package var curve: Curve?
    /// The name of this socket in questions to the handler of ZAP.
    ///
    /// A handler is asked only if it is set, and then nobody is admitted without one.
    package var zapDomain: String?

    package init() {}
}
