import ClusterLink
package import JobCore

/// The bounds and times that the job rules need.
package struct ManagerSettings: Sendable {
    /// Jobs that one queue may hold; 0 for as many as there are.
    ///
    /// Beyond it a PUSH is refused.
    package var maximumQueueLength: Int
    /// Bytes that the store may take; 0 for as many as there are.
    ///
    /// Beyond it a PUSH is refused.
    package var maximumStoreBytes: UInt64
    /// Bytes that the heads of queues may take in the leader's memory, all queues together.
    ///
    /// Beyond it those go that were not asked for longest; they are read again when they are.
    package var mirrorByteBound: Int
    /// How long a session may be silent before what it was offered is taken back.
    package var sessionTimeout: Duration
    /// How long a worker without jobs may be silent before its connections are closed.
    package var workerTimeout: Duration
    /// How long the jobs of a worker are kept for it that had been beating and has no connection any more.
    package var releaseAfter: Duration
    /// What becomes of the jobs of a worker that did not come back in that time.
    package var vanished: VanishedPolicy
    /// For how long it is remembered that a job was done, in whole seconds; 0 for not at all.
    package var outcomeMemory: Duration
    /// Messages of fronts and schedulers that one turn takes in at the most.
    package var turnMessageBound: Int
    /// With so many bytes of jobs on their way to the clients of one lane, no more is handed out on it.
    ///
    /// Everything that one batch can be answered with, and every copy of such an answer, is within it, one job
    /// excepted, and so far below what one message may have.
    package var offeredByteBound: Int
    /// The product's name in INFO.
    package var productName: String
    /// The version in INFO, which clients compare with Faktory's.
    package var productVersion: String

    package init(
        maximumQueueLength: Int = 0,
        maximumStoreBytes: UInt64 = 0,
        mirrorByteBound: Int = 256 << 20,
        sessionTimeout: Duration = .seconds(60),
        workerTimeout: Duration = .seconds(60),
        releaseAfter: Duration = .seconds(60),
        vanished: VanishedPolicy = .release,
        outcomeMemory: Duration = .seconds(120),
        turnMessageBound: Int = 256,
        offeredByteBound: Int = LinkBound.replyByteCount,
        productName: String = "Millrace",
        productVersion: String = "1.10.0"
    ) {
        self.maximumQueueLength = maximumQueueLength
        self.maximumStoreBytes = maximumStoreBytes
        self.mirrorByteBound = mirrorByteBound
        self.sessionTimeout = sessionTimeout
        self.workerTimeout = workerTimeout
        self.releaseAfter = releaseAfter
        self.vanished = vanished
        self.outcomeMemory = outcomeMemory
        self.turnMessageBound = turnMessageBound
        self.offeredByteBound = offeredByteBound
        self.productName = productName
        self.productVersion = productVersion
    }
}

/// What becomes of a job whose worker is known to be gone.
package enum VanishedPolicy: String, Hashable, Sendable, CaseIterable {
    /// It goes to the head of its queue and uses up no try, unless that has happened too often.
    case release
    /// It fails as if its reservation had ended, which uses up a try.
    case fail
}

/// A moment on both clocks.
package struct Moment: Sendable {
    package var wall: WallTime
    package var uptime: Uptime

    package init(wall: WallTime, uptime: Uptime) {
        self.wall = wall
        self.uptime = uptime
    }
}
