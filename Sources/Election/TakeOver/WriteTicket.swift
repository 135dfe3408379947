package import JobCore

/// Taken before a transaction is written, and shown when its confirmations are in.
///
/// A confirmation counts only when the role of this member's Redis did not change in between: `WAIT` knows nothing of
/// role changes, and answers with replicas that hold another history.
package struct WriteTicket: Hashable, Sendable {
    package let epoch: Epoch
    /// How often the role of this member's Redis had changed.
    package let generation: UInt64

    package init(epoch: Epoch, generation: UInt64) {
        self.epoch = epoch
        self.generation = generation
    }
}
