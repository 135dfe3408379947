/// Whether a transaction that was carried out is as safe as the store was told to make it.
///
/// Neither case is a failure: the transaction has happened. But one that is unconfirmed may be lost with the host that
/// carried it out, and must not be acknowledged.
package enum Confirmation: Hashable, Sendable {
    /// As many other hosts as were asked for have it, or none were asked for.
    case confirmed
    /// Fewer hosts than were asked for said in time that they have it; they may say so later.
    case unconfirmed
}
