package import JobCore

/// What a member keeps on disk beside its Redis.
///
/// It is written whole, and is on disk before the machine hears that it is.
package struct MemberRecord: Hashable, Sendable {
    /// The highest epoch that this member promised; it obeys no lower one.
    package var promise: Epoch
    /// Whether the data that Redis would load from disk has everything that this member ever confirmed.
    ///
    /// It is false from before a step that may replace the data until the replacement is on disk. A member that starts
    /// with it false, or without a record, does not vote until it has followed a leader.
    package var isClean: Bool

    package init(promise: Epoch, isClean: Bool) {
        self.promise = promise
        self.isClean = isClean
    }

    /// The record of a member that has none.
    package static let missing = MemberRecord(promise: Epoch(0), isClean: false)
}
