/// Whose key a connection was made with, and what that key is good for.
package struct LinkOwner: Hashable, Sendable {
    /// The public key, as text.
    package let key: String
    /// Whether it may bring clients: sessions and their batches.
    package let isFront: Bool
    /// Whether it may send ticks.
    package let isScheduler: Bool

    package init(key: String, isFront: Bool, isScheduler: Bool) {
        self.key = key
        self.isFront = isFront
        self.isScheduler = isScheduler
    }

    /// Whether its key is good for a message.
    package func maySend(_ message: MessageToLeader) -> Bool {
        switch message {
        case .attach, .batch, .heartbeat, .detach: self.isFront
        case .tick: self.isScheduler
        }
    }
}
