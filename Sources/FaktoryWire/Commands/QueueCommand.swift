/// What QUEUE asks for.
///
/// Names are the client's own texts: one that is not allowed is simply not known.
package enum QueueCommand: Equatable, Sendable {
    /// Which queues are meant.
    package enum Selection: Equatable, Sendable {
        /// All that are known.
        case all
        case names([String])
    }

    /// Hands out no more jobs of these.
    case pause(Selection)
    /// Hands out jobs of these again.
    case resume(Selection)
    /// Deletes these with their jobs.
    case remove(Selection)
    /// Says how long the oldest job of each has waited.
    case latency([String])
}
