package import JobCore

/// What etcd says of the cluster, all of it read at one revision.
package struct ClusterState: Hashable, Sendable {
    /// An epoch and the member that it belongs to.
    package struct Holder: Hashable, Sendable {
        package var epoch: Epoch
        package var member: MemberID

        package init(epoch: Epoch, member: MemberID) {
            self.epoch = epoch
            self.member = member
        }
    }

    /// The revision of etcd at which this was so, counted as epochs are: no epoch that was won by then is greater.
    ///
    /// A machine ignores what is older than what it knows, unless it asked for it later; then etcd was emptied or restored.
    package var revision: UInt64
    /// The holder of the leader key, whose create revision is the epoch; nil when there is no key.
    package var leader: Holder?
    /// The last leader that had a majority cut, and that the others may therefore follow.
    package var primary: Holder?
    /// Who should lead next, in the opinion of the leader or candidate that resigned last.
    package var preferred: MemberID?
    /// The epoch of the candidate that found every member without data, so that the cluster began with it.
    package var founded: Epoch?
    /// Whether etcd was emptied or restored once, so that what it does not say may have been said before.
    package var wasRestarted: Bool

    package init(
        revision: UInt64,
        leader: Holder?,
        primary: Holder?,
        preferred: MemberID?,
        founded: Epoch? = nil,
        wasRestarted: Bool = false
    ) {
        self.revision = revision
        self.leader = leader
        self.primary = primary
        self.preferred = preferred
        self.founded = founded
        self.wasRestarted = wasRestarted
    }

    /// What is known before anything was read.
    package static let unknown = ClusterState(revision: 0, leader: nil, primary: nil, preferred: nil)
}
