import ClusterLink
import Logging
import NIOCore
import ProcessFigures
import Synchronization

/// What all parts of a front share.
final class FrontEnvironment: Sendable {
    let configuration: FrontServer.Configuration
    let clientLimits: ClientLimits
    let counters: ConnectionCounters
    let buffers: BufferBudget
    let secrets: FrontSecrets
    let passwords: PasswordVerifier
    /// Whether there is a leader that answers this front.
    let hasLeader = Atomic<Bool>(false)
    let startedAt = ContinuousClock.now
    let logger: Logger

    init(
        configuration: FrontServer.Configuration,
        counters: ConnectionCounters,
        secrets: FrontSecrets,
        passwords: PasswordVerifier,
        logger: Logger
    ) {
        self.configuration = configuration
        self.clientLimits = ClientLimits(configuration)
        self.buffers = BufferBudget(bound: configuration.bufferByteCount)
        self.passwords = passwords
        self.counters = counters
        self.secrets = secrets
        self.logger = logger
    }

    /// What INFO tells of this front.
    var statistics: FrontStatistics {
        FrontStatistics(
            connectionCount: UInt64(clamping: self.counters.identifiedCount),
            commandCount: self.counters.commandCount,
            residentKilobytes: UInt64(ProcessMemory.residentKilobytes ?? 0),
            uptimeSeconds: UInt64(clamping: (ContinuousClock.now - self.startedAt).components.seconds)
        )
    }
}

extension TimeAmount {
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self = .seconds(seconds) + .nanoseconds(attoseconds / 1_000_000_000)
    }
}
