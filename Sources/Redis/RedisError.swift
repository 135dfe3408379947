/// Everything that can go wrong between a caller and Redis.
package enum RedisError: Error, Equatable {
    /// No connection could be made, or it broke; a command under way may or may not have run.
    ///
    /// Every later call on the connection throws this, too: a connection never mends itself.
    case disconnected(reason: String)
    /// Redis was silent for longer than it may be; a command under way may or may not have run.
    ///
    /// The connection is of no further use, because the late answer would be taken for that of another command.
    case timedOut
    /// Redis answered with an error, whose text this is. The connection can go on.
    case refused(String)
    /// The answer was not of the kind that the command promises.
    case unexpectedReply(to: String)
}
