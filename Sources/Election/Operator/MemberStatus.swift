package import JobCore

/// What a member says of itself, for an operator and for programs; fields are added, never given another meaning.
package struct MemberStatus: Codable, Hashable, Sendable {
    /// How far a data set is.
    package struct DataPosition: Codable, Hashable, Sendable {
        package var epoch: UInt64
        package var sequence: UInt64

        package init(_ position: Position) {
            self.epoch = position.epoch.number
            self.sequence = position.sequence
        }
    }

    /// An epoch and the member that it belongs to.
    package struct Holder: Codable, Hashable, Sendable {
        package var epoch: UInt64
        package var member: UInt8

        package init(_ holder: ClusterState.Holder) {
            self.epoch = holder.epoch.number
            self.member = holder.member.number
        }
    }

    /// What this member's Redis says of itself.
    package struct Store: Codable, Hashable, Sendable {
        package var position: DataPosition
        /// Whether it follows a primary, and the stream from there is up.
        package var isLinkUp: Bool
        /// Whether it takes in or loads a whole data set.
        package var isSynchronizing: Bool
        /// The members that follow it and have everything.
        package var replicas: [UInt8]

        package init(_ report: RedisReport, of membership: Membership) {
            self.position = DataPosition(report.position)
            self.isLinkUp = report.isLinkUp
            self.isSynchronizing = report.isSynchronizing
            self.replicas = membership.members.filter { report.replicas.contains($0) }.map(\.number)
        }
    }

    /// What another member answered when an operator asked to recover.
    package struct Finding: Codable, Hashable, Sendable {
        package var member: UInt8
        package var position: DataPosition
        package var isVoter: Bool

        package init(member: MemberID, position: Position, isVoter: Bool) {
            self.member = member.number
            self.position = DataPosition(position)
            self.isVoter = isVoter
        }
    }

    package var member: UInt8
    /// Whether this member leads and serves.
    package var isServing: Bool
    /// Who holds the leader key, as far as this member knows.
    package var leader: Holder?
    /// The highest epoch that this member promised.
    package var promise: UInt64
    /// Whether what it has on disk is everything that it ever confirmed, so that it has a vote.
    package var isVoter: Bool
    /// What its Redis says; nil when it does not answer.
    package var store: Store?
    /// What the last request to recover found.
    package var findings: [Finding]
    /// What is wrong with etcd, in words; nil from a member of an earlier version.
    package var etcd: [String]?

    package init(
        member: MemberID,
        isServing: Bool,
        leader: ClusterState.Holder?,
        record: MemberRecord,
        store: Store?,
        findings: [Finding]
    ) {
        self.member = member.number
        self.isServing = isServing
        self.leader = leader.map { Holder($0) }
        self.promise = record.promise.number
        self.isVoter = record.isClean
        self.store = store
        self.findings = findings
    }
}
