import JobCore

/// What is added to etcd's revisions to make epochs of them.
///
/// An etcd that was emptied begins its revisions anew, and one that was restored repeats some. The epochs that members have
/// promised, and that are in the data, are then greater than any that could be won for a long time. So a member that sees
/// that raises the base, which is a key of its own. The leader key is removed with that, so that no key ever changes its
/// epoch; and a bid counts only if the base is still the one that the bidder knows.
struct EpochBase: Sendable, Equatable {
    /// By how much more than is needed the base is raised, drawn anew each time.
    ///
    /// Members that know of different epochs may raise it one after the other, each in an etcd of its own; the epochs
    /// that they then win must not be the same.
    static let strides = UInt64(1) << 20...UInt64(1) << 32

    /// What is added.
    var value: UInt64 = 0
    /// The revision at which it was put; nil as long as it never was.
    var revision: UInt64?

    /// No base was ever put.
    static let none = EpochBase()

    private init() {}

    init(_ snapshot: EtcdSnapshot, keys: ElectionKeys) {
        guard let entry = snapshot.entries[keys.epochBase] else { return }
        self.value = UInt64(entry.text) ?? 0
        self.revision = entry.modRevision
    }

    /// The epoch of a leader key that was created at this revision.
    func epoch(ofRevision revision: UInt64) -> Epoch {
        let (sum, isTooGreat) = revision.addingReportingOverflow(self.value)
        return Epoch(isTooGreat ? .max : sum)
    }

    /// The revision at which the leader key of this epoch was created; nil if there can be none.
    func revision(of epoch: Epoch) -> UInt64? {
        epoch.number > self.value ? epoch.number - self.value : nil
    }

    /// That the base is still this one.
    func condition(under keys: ElectionKeys) -> EtcdCondition {
        self.revision.map { .wasPut(keys.epochBase, at: $0) } ?? .isAbsent(keys.epochBase)
    }
}
