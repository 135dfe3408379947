package import JobCore

/// What a member keeps on disk beside its Redis.
///
/// It is written whole, and is on disk before the machine hears that it is.
package struct MemberRecord: Hashable, Sendable {
    /// The highest epoch that this member promised; it obeys no lower one.
    package var promise: Epoch
    /// Whether Redis, once started again, has everything that this member ever confirmed.
    ///
    /// It is false from before a step that may replace the data until the replacement is on disk. A member that starts
    /// with it false, or without a record, does not vote until it has followed a leader.
    package var isClean: Bool
    /// The only run of Redis that ``isClean`` speaks of; nil when it does of every later one, too.
    ///
    /// What was confirmed before it was on disk is in the memory of one run, and a later one may have less.
    package var run: RedisRun?

    package init(promise: Epoch, isClean: Bool, run: RedisRun? = nil) {
        self.promise = promise
        self.isClean = isClean
        self.run = run
    }

    /// Whether a run has everything that this member ever confirmed, as far as this record tells.
    func vouches(for run: RedisRun?) -> Bool {
        self.isClean && (self.run == nil || self.run == run)
    }

    /// The record of a member that has none.
    package static let missing = MemberRecord(promise: Epoch(0), isClean: false)
}
