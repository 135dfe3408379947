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

    package init() {}
}
