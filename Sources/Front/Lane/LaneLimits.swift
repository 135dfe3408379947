/// How much a lane holds, and how long it waits for the leader.
package struct LaneLimits: Sendable {
    /// Commands in one batch.
    package var batchCommandCount = 4_096
    /// A batch that has so many bytes takes no further command, so that the last one may go beyond.
    ///
    /// Everybody waits for the batch that is under way: long commands of some must not make it long for all. A batch of
    /// short ones ends with their count.
    package var batchByteCount = 1 << 20
    /// Commands that are held without an answer; with so many, no more is read from any client.
    package var heldCommandCount = 100_000
    /// Bytes of the commands that are held; with so many, no more is read from any client.
    package var heldByteCount = 256 << 20
    /// How long a command may go unanswered before its client's connection is closed.
    ///
    /// One that the leader has taken up and answers late has no such time while the leader is heard of.
    package var holdTimeout: Duration = .seconds(10)
    /// How long a batch may go unanswered before it is sent again for the first time; each further wait is twice as
    /// long, so that copies do not pile up in front of a leader that stalls.
    package var resendInterval: Duration = .seconds(1)
    /// The longest of those waits.
    package var longestResendInterval: Duration = .seconds(300)
    /// How long a command that the leader has taken up is waited for before it is asked for again.
    package var deferredPatience: Duration = .seconds(60)
    /// How long after its deadline a parked FETCH is asked for again.
    package var fetchGrace: Duration = .milliseconds(400)
    /// How long after its deadline a FETCH is answered without the leader.
    package var fetchPatience: Duration = .milliseconds(800)
    /// How long a job may be on its way to its client before the front alone answers for its bytes.
    package var arrivalTime: Duration = .seconds(1)
    /// How far the number of an offer may be ahead of what is settled.
    package var offerWindow = 1 << 20

    package init() {}
}
