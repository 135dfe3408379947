/// When a peer's socket is to be connected anew, because ZeroMQ does not.
///
/// ZeroMQ connects again by itself after every failure but one: a server that turned the key away is never tried again.
/// It may be told of the key later, though.
struct PeerReconnection {
    /// How long there must have been no connection, at the least.
    static let interval = Duration.seconds(2)

    private var lastAttempt = ContinuousClock.now

    /// Whether now is the time; to be asked when a message was not taken, for want of a connection or of room in it.
    mutating func isDue() -> Bool {
        let now = ContinuousClock.now
        guard now - self.lastAttempt >= Self.interval else { return false }
        self.lastAttempt = now
        return true
    }
}
