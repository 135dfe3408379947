import Election
import JobCore

/// etcd as the protocol sees it: four keys, leases, and revisions that only grow.
struct SimulatedEtcd {
    private(set) var revision: UInt64
    private(set) var leader: ClusterState.Holder?
    private(set) var primary: ClusterState.Holder?
    private(set) var preferred: MemberID?
    private(set) var founded: Epoch?
    private var wasRestarted = false
    /// The moment in nanoseconds when each lease that is alive ends.
    private var leases: [(epoch: Epoch, endsAt: Int64)] = []
    private let leaseTimeToLive: Int64

    init(revision: UInt64, primary: ClusterState.Holder?, leaseTimeToLive: Int64) {
        self.revision = revision
        self.primary = primary
        self.leaseTimeToLive = leaseTimeToLive
    }

    var state: ClusterState {
        ClusterState(
            revision: self.revision,
            leader: self.leader,
            primary: self.primary,
            preferred: self.preferred,
            founded: self.founded,
            wasRestarted: self.wasRestarted
        )
    }

    /// When the next lease ends.
    var nextExpiry: Int64? { self.leases.lazy.map(\.endsAt).min() }

    /// Creates the leader key if there is none; answers its create revision.
    mutating func campaign(_ member: MemberID, at now: Int64) -> Epoch? {
        guard self.leader == nil else { return nil }
        self.revision += 1
        let epoch = Epoch(self.revision)
        self.leader = ClusterState.Holder(epoch: epoch, member: member)
        self.leases.append((epoch, now + self.leaseTimeToLive))
        return epoch
    }

    /// Whether the lease was still alive.
    mutating func keepAlive(_ epoch: Epoch, at now: Int64) -> Bool {
        guard let index = self.leases.firstIndex(where: { $0.epoch == epoch }) else { return false }
        self.leases[index].endsAt = now + self.leaseTimeToLive
        return true
    }

    /// Whether the leader key was still that of the epoch.
    mutating func found(_ epoch: Epoch) -> Bool {
        guard let leader, leader.epoch == epoch else { return false }
        self.revision += 1
        self.founded = epoch
        return true
    }

    /// Whether the leader key was still that of the epoch.
    mutating func publish(_ epoch: Epoch) -> Bool {
        guard let leader, leader.epoch == epoch else { return false }
        self.revision += 1
        self.primary = leader
        self.preferred = nil
        return true
    }

    mutating func removeLeader(_ epoch: Epoch) {
        guard self.leader?.epoch == epoch else { return }
        self.revision += 1
        self.leader = nil
    }

    mutating func resign(_ epoch: Epoch, preferring member: MemberID?) {
        if self.leader?.epoch == epoch {
            self.revision += 1
            self.leader = nil
            self.preferred = member ?? self.preferred
        }
        self.leases.removeAll { $0.epoch == epoch }
    }

    /// Forgets everything, as an etcd does that is made anew.
    mutating func empty() {
        self.revision = 1
        self.leader = nil
        self.primary = nil
        self.preferred = nil
        self.founded = nil
        self.wasRestarted = false
        self.leases = []
    }

    /// Sees to it that the next epoch is greater than this one; the revision counts from a base that is raised.
    mutating func raiseEpochs(above floor: Epoch, by stride: UInt64) {
        guard self.revision < floor.number else { return }
        self.revision = floor.number + stride
        self.wasRestarted = true
        self.leader = nil
    }

    /// Ends the leases whose time is over, and removes the key of each.
    mutating func expire(at now: Int64) {
        for lease in self.leases where lease.endsAt <= now { self.removeLeader(lease.epoch) }
        self.leases.removeAll { $0.endsAt <= now }
    }

    /// Ends every lease, whatever its time.
    mutating func expireAll() {
        for lease in self.leases { self.removeLeader(lease.epoch) }
        self.leases = []
    }
}
