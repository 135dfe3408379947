/// The rules that can be switched off, so that the simulation can show that it notices.
///
/// A member that serves keeps all of them.
package struct TakeOverRules: Hashable, Sendable {
    /// Whether a cut or a follow below the promise is refused (P2).
    package var keepsPromise = true
    /// Whether a primary is followed only while it holds the leader key as well (P2).
    ///
    /// This is what protects the promise of a member that lost its whole disk.
    package var followsOnlyKeyHolder = true
    /// Whether a candidate waits until everything it has is on its own disk before it is promoted (P5).
    package var settlesBeforePromotion = true
    /// Whether the answers of all members are too few for a leader when one of them came back empty (P9).
    package var needsOperatorForEmptyMember = true
    /// Whether the member that served last stands in for a majority of voters only if it votes itself.
    package var needsVoteOfLastPrimary = true

    /// Whether a hand-over for which the successor is not ready in time is given up.
    package var boundsHandOver = true

    package init() {}
}
