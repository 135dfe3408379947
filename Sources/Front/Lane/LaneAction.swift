package import ClusterLink

/// What a lane's machine wants done.
package enum LaneAction: Hashable, Sendable {
    /// Send this message to the leader.
    case send([UInt8])
    /// Send the leader the front's own figures, which the message behind this asks for.
    case tellFigures
    /// Give this answer to the client that sent the command.
    ///
    /// A job must be followed by `wrote(offer:)`, or by `takeBack(offer:of:at:)` when it did not reach the client.
    case answer(ConnectionID, request: UInt64, LinkReply)
    /// Close this client's connection without a word.
    case close(ConnectionID)
    /// Read from no client until further notice.
    case pauseReading
    /// Read again.
    case resumeReading
    /// Call `settleDue(at:)` after `LaneMachine.settleDelay`.
    case settleLater
    /// The leader answered a batch with another number of replies than it has commands.
    case complain(batch: UInt64, replyCount: Int, commandCount: Int)
}
