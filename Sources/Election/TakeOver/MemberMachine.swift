package import JobCore

/// The take-over protocol of one member, as rules without any input or output.
///
/// It takes in what happened and when, and answers with what is to be done. It never asks for the time, for chance or
/// for the world, so that a simulation can drive it through every order of events that there is.
///
/// A leader is elected in four steps, each of which ends in a bounded time. The member wins the leader key in etcd,
/// whose create revision is the epoch. It *cuts* itself and the others: each promises never to obey a lower epoch and
/// detaches its Redis. If a majority is cut, and a majority is not ahead of it, it makes its Redis the primary and
/// writes a marker. When a majority holds the marker, it serves.
///
/// The member's agent, the part that commands its Redis, does one thing after the other: an operation is issued when
/// the one before it has ended, and whatever has to be on disk before it is stored first.
package struct MemberMachine: Sendable {
    package let id: MemberID
    package let membership: Membership
    package let terms: TakeOverTerms
    package let rules: TakeOverRules

    // MARK: The agent

    /// What is on disk.
    package internal(set) var record: MemberRecord
    /// What is being written to disk; nothing else is stored or started until it is there.
    var storing: MemberRecord?
    /// Whether Redis runs, as far as is known.
    var isRedisUp = false
    /// The run that it is in, if what it confirms is in the memory of that run only.
    var redisRun: RedisRun?
    var redisRole = RedisRole.unsettled
    /// The epoch that this Redis is detached for; nil when it is not, or was started since.
    var detachedFor: Epoch?
    /// The position that was read when Redis was detached.
    var detachedPosition = MemberMachine.noPosition
    /// Whether the data in Redis has everything that this member ever confirmed.
    var isTrusted: Bool
    /// The first epoch for which this run of Redis was detached and had no data; nil when it had.
    var emptySince: Epoch?
    /// The epoch whose primary this Redis follows, or did last, if it was detached for it with data of earlier ones only.
    var caughtUpWith: Epoch?
    /// How this Redis calls itself to the primary that it follows.
    var replicaName: ReplicaName?
    /// How often the role of this Redis changed.
    var generation: UInt64 = 0
    var wanted: Wanted?
    var operation: Operation?
    var operationCount: UInt64 = 0
    var operationRetryAt = Uptime(nanoseconds: 0)
    var inspection: Inspection?
    var inspectionAt = Uptime(nanoseconds: 0)
    /// The epoch whose leader this member last followed or was; a late cut of that epoch does nothing.
    var settledEpoch: Epoch?

    // MARK: The member

    /// What etcd said last.
    package internal(set) var observed = ClusterState.unknown
    /// When that came in.
    var observedAt: Uptime
    /// The greatest epoch that etcd ever named.
    var knownEpoch = Epoch(0)
    /// A candidate that etcd has yet to name.
    var unproven: ClusterState.Holder?
    /// Whether etcd has said, since this process started, that the cluster has not begun.
    var hasSeenUnfounded = false
    var tenure: Tenure?
    /// When the bid that is under way was made.
    var bidAskedAt: Uptime?
    var campaignNotBefore: Uptime
    var vacantSince: Uptime
    var readAt: Uptime?
    var pollAt: Uptime
    var lastHeard: Uptime
    var resetAt: Uptime?
    var suspicions: [Suspicion] = []
    var suspicionAt: Uptime
    var recovery: Recovery?
    var isStopping = false

    var actions: [TakeOverAction] = []

    /// No etcd ever gets to an epoch beyond this one.
    static let greatestEpoch = Epoch(1 << 56)

    static let noPosition = Position(epoch: Epoch(0), sequence: 0)

    /// A member that has just started, and knows of its Redis only when that is said to have `started`.
    ///
    /// - Parameters:
    ///   - record: what was on disk, or `MemberRecord.missing`.
    ///   - rules: all of them, except in a simulation.
    package init(
        id: MemberID,
        membership: Membership,
        record: MemberRecord,
        terms: TakeOverTerms = TakeOverTerms(),
        rules: TakeOverRules = TakeOverRules(),
        at now: Uptime
    ) {
        precondition(membership.contains(id), "\(id) is no member of \(membership)")
        self.id = id
        self.membership = membership
        self.record = record
        self.terms = terms
        self.rules = rules
        self.isTrusted = false
        self.campaignNotBefore = now
        self.vacantSince = now
        self.pollAt = now
        self.observedAt = now
        self.lastHeard = now
        self.suspicionAt = now
    }

    /// Takes in what happened, and answers with what is to be done, in this order.
    package mutating func receive(_ event: TakeOverEvent, at now: Uptime) -> [TakeOverAction] {
        switch event {
        case .tick: break
        case .message(let message, let member): self.receive(message, from: member, at: now)
        case .disconnected(let member):
            if member == self.observed.leader?.member, self.resetAt == nil { self.resetAt = now }
        case .connected(let member):
            if member == self.observed.leader?.member { self.resetAt = nil }
        case .stored(let record): self.finishStoring(record, at: now)
        case .etcd(let event): self.receive(event, at: now)
        case .redis(let event): self.receive(event, at: now)
        case .committed(let ticket, let replicas): self.noteConfirmation(of: ticket, by: replicas, at: now)
        case .refused(let ticket): self.noteRefusal(of: ticket, at: now)
        case .drained(let epoch): self.noteDrained(epoch, at: now)
        case .command(let command): self.receive(command, at: now)
        }
        self.tick(at: now)
        defer { self.actions = [] }
        return self.actions
    }

    /// The leadership that this member holds, while it serves.
    package var leadership: Leadership? {
        guard let tenure, tenure.isServing else { return nil }
        return Leadership(epoch: tenure.epoch, trustedUntil: tenure.trustedUntil)
    }

    /// The ticket for a transaction that is about to be written; nil when this member must not write.
    package var ticket: WriteTicket? {
        guard let tenure, tenure.isServing else { return nil }
        return WriteTicket(epoch: tenure.epoch, generation: self.generation)
    }

    /// Whether a transaction written under this ticket may be acknowledged, confirmed by these other members.
    package func acknowledges(_ written: WriteTicket, confirmedBy replicas: MemberSet) -> Bool {
        self.ticket == written && self.isQuorum(replicas)
    }

    /// Whether these members, together with this one, are enough.
    func isQuorum(_ replicas: MemberSet) -> Bool {
        var confirmed = replicas.intersection(MemberSet(self.membership.members))
        confirmed.insert(self.id)
        return confirmed.count >= self.membership.quorum
    }

    mutating func send(_ message: PeerMessage, to member: MemberID) {
        self.actions.append(.send(message, to: member))
    }

    mutating func sendToOthers(_ message: PeerMessage) {
        for member in self.membership.members where member != self.id { self.send(message, to: member) }
    }

    private mutating func receive(_ message: PeerMessage, from member: MemberID, at now: Uptime) {
        guard member != self.id, self.membership.contains(member) else { return }
        if member == self.observed.leader?.member { self.resetAt = nil }
        switch message {
        case .cut(let epoch): self.cut(epoch, for: member, at: now)
        case .cutAnswer(let epoch, let position, let isVoter):
            self.takeAnswer(Canvass.Answer(member: member, position: position, isVoter: isVoter), to: epoch, at: now)
        case .cutRefused(let epoch, _):
            guard self.tenure?.epoch == epoch else { return }
            self.tenure?.isRefused = true
            // Whom the other one obeys is for etcd to say.
            self.readSoon(at: now)
        case .follow(let epoch): self.hear(of: epoch, from: member, at: now)
        case .heartbeat(let epoch):
            self.hear(of: epoch, from: member, at: now)
            // What was sent once may be lost.
            if case .following(ClusterState.Holder(epoch: epoch, member: member)) = self.redisRole { self.announce() }
        case .announce(let epoch, let name):
            if self.tenure?.epoch == epoch { self.actions.append(.admit(name, of: member)) }
        case .suspect(let epoch): self.takeSuspicion(of: epoch, from: member, at: now)
        }
    }

    private mutating func tick(at now: Uptime) {
        self.expireOperation(at: now)
        self.tickTenure(at: now)
        self.considerFollowing(at: now)
        self.step(at: now)
        self.inspectWhenDue(at: now)
        self.suspectWhenSilent(at: now)
        self.campaignWhenVacant(at: now)
        self.readWhenDue(at: now)
    }
}
