/// The rules that can be switched off, so that the simulation can show that it notices.
///
/// A member that serves keeps all of them.
package struct TakeOverRules: Hashable, Sendable {
    /// Whether a cut or a follow below the promise is refused (P2).
    package var keepsPromise = true

    package init() {}
}
