import NIOCore

/// What of the configuration each connection looks at all the time: plain numbers, which cost nothing to copy.
struct ClientLimits: Sendable {
    let maximumLineByteCount: Int
    let pipelineDepth: Int
    let maximumConnectionCount: Int
    let fetchWaitMilliseconds: UInt32
    let handshakeTimeout: TimeAmount
    let writeTimeout: Duration
    let lineTimeout: Duration
    let allowsLegacyHash: Bool
    /// Whether another front may listen on the same port.
    let sharesPort: Bool

    init(_ configuration: FrontServer.Configuration) {
        self.maximumLineByteCount = configuration.maximumLineByteCount
        self.pipelineDepth = configuration.pipelineDepth
        self.maximumConnectionCount = configuration.maximumConnectionCount
        self.fetchWaitMilliseconds = UInt32(
            clamping: TimeAmount(configuration.fetchWait).nanoseconds / 1_000_000
        )
        self.handshakeTimeout = TimeAmount(configuration.handshakeTimeout)
        self.writeTimeout = configuration.writeTimeout
        self.lineTimeout = configuration.lineTimeout
        self.allowsLegacyHash = configuration.allowsLegacyHash
        self.sharesPort = configuration.reusesPort
    }
}
