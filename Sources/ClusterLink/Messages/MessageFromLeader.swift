package import JobCore

/// Everything that the leader sends to a front or a scheduler.
package enum MessageFromLeader: Hashable, Sendable {
    /// The session is known from now on; commands of older leaders that are still unanswered are to be sent again.
    case attached(SessionID, epoch: Epoch)
    /// The leader does not know this session: it has just begun to lead, and wants an `attach`.
    ///
    /// One that ceases to lead says it as well, so that the front begins to look for the next one at once.
    case attachFirst(SessionID)
    /// The session has ended; the front must close its clients' connections and begin a new session.
    case expired(SessionID)
    /// The answers to one batch, one for each of its commands and in their order.
    case replies(LaneKey, batch: UInt64, [LinkReply])
    /// Answers to commands that were parked or deferred.
    case late(LaneKey, [LateReply])
    /// Close every connection of these workers: they have been silent for too long.
    case dropWorkers(SessionID, [String])
    /// The answer to a heartbeat.
    case alive(SessionID, epoch: Epoch)
    /// The leader reads this version of the envelope; said to whoever has used one that is not the first.
    case speaks(SessionID, version: UInt8)
    /// A tick was carried out to its end; `count` jobs were moved.
    case tickDone(SchedulerTask, number: UInt64, count: UInt64)
}

/// The answer to one command that had to wait.
package struct LateReply: Hashable, Sendable {
    package var request: UInt64
    package var reply: LinkReply

    package init(request: UInt64, reply: LinkReply) {
        self.request = request
        self.reply = reply
    }
}
