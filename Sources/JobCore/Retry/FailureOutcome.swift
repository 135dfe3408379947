/// A failure as it is to be recorded, and where its job goes.
package struct FailureOutcome: Equatable, Sendable {
    /// Where a job goes after a failure.
    package enum Fate: Equatable, Sendable {
        /// It is kept nowhere.
        case discard
        /// It is tried again then.
        case retry(at: WallTime)
        /// It is kept among the dead until then.
        case bury(until: WallTime)
    }

    package let failure: Failure
    package let fate: Fate
}
