import JobCore

/// The time in which a member holds the leader key, as a candidate and then as the leader.
struct Tenure: Sendable {
    /// How far the member has got.
    enum Stage: Sendable {
        /// Cuts itself, then the others. Can move to founding and settling.
        case cutting(Canvass)
        /// etcd is asked to keep that the cluster begins with this epoch. Can move to settling.
        case founding
        /// Waits until its own disk has all that its memory has. Can move to promoting.
        case settling
        /// Its Redis is made a primary, and writes the marker. Can move to publishing.
        case promoting
        /// etcd is asked to name it the primary. Can move to marking.
        case publishing
        /// Waits until a majority holds the marker. Can move to serving.
        case marking
        /// The leader's loop serves. Can move to pausing.
        case serving
        /// The leader's loop ends in an orderly way. Can move back to serving.
        case pausing(HandOver)
    }

    /// That another member should lead next, as soon as it has everything.
    struct HandOverWish: Sendable {
        let successor: MemberID
        /// When the wish is forgotten.
        let until: Uptime
        /// Whether etcd has told of its state since: one without a leader of its own would not let the successor lead.
        ///
        /// That may have been on its way before, and etcd may lose its leader after; then clients are held for longer.
        var hasEtcdAnswered = false
    }

    let epoch: Epoch
    /// How long the remaining members are waited for once a majority is there.
    ///
    /// Not at all by a member that was asked to lead: it was found to have everything, and clients wait.
    let laggardGrace: Duration
    /// Until when the lease may be trusted: a time to live after the last renewal was asked for.
    var trustedUntil: Uptime
    var renewalAt: Uptime
    var heartbeatAt: Uptime
    var stage: Stage
    /// When this stage is given up, if it has a bound.
    var stageDeadline: Uptime?
    /// When something is asked again.
    var retryAt: Uptime
    /// Since when writes have not been confirmed by a majority.
    var unconfirmedSince: Uptime?
    /// Since when fewer than a majority of members have what the primary has.
    var shortSince: Uptime?
    /// Whether a member is there that does not answer how far it is, since it has promised a higher epoch.
    var isRefused = false
    /// What an operator asked for, while this member still serves.
    var handOverWish: HandOverWish?

    var isSettling: Bool {
        if case .settling = self.stage { true } else { false }
    }

    /// Whether the leader's loop runs.
    var isServing: Bool {
        switch self.stage {
        case .serving, .pausing: true
        case .cutting, .founding, .promoting, .publishing, .marking, .settling: false
        }
    }
}

/// What the members answered to a cut.
struct Canvass: Sendable {
    struct Answer: Sendable {
        let member: MemberID
        let position: Position
        let isVoter: Bool

        /// Whether the member has no data, be it new or robbed of it.
        var isEmpty: Bool { self.position == MemberMachine.noPosition }
    }

    /// What follows from the answers so far.
    enum Verdict: Equatable {
        case lead
        case wait
        case yield(to: MemberID)
    }

    /// Whether an operator asked for this, and if so whether the loss is accepted.
    var recovery: Bool?
    private(set) var answers: [Answer] = []
    /// When a majority of voters had been cut.
    private(set) var majorityAt: Uptime?
    /// When a majority had been cut, voters or not.
    private(set) var cutAt: Uptime?

    init(recovery: Bool?) {
        self.recovery = recovery
    }

    /// Whether this member answered, and nothing would change if it did again.
    func hasVote(of member: MemberID) -> Bool {
        self.answers.contains { $0.member == member && $0.isVoter }
    }

    func position(of member: MemberID) -> Position? {
        self.answers.first { $0.member == member }?.position
    }

    func hasAnswer(of member: MemberID) -> Bool {
        self.answers.contains { $0.member == member }
    }

    mutating func take(_ answer: Answer, of membership: Membership, at now: Uptime) {
        if let index = self.answers.firstIndex(where: { $0.member == answer.member }) {
            self.answers[index] = answer
        } else {
            self.answers.append(answer)
        }
        if self.majorityAt == nil, self.answers.count(where: \.isVoter) >= membership.quorum { self.majorityAt = now }
        if self.cutAt == nil, self.answers.count >= membership.quorum { self.cutAt = now }
    }

    /// Whether each member answered, and none of them has any data.
    func hasNothing(of membership: Membership) -> Bool {
        self.answers.count == membership.count && self.answers.allSatisfy(\.isEmpty)
    }

    /// The member with the greatest position; the one with the lowest number among several.
    func best(ofVotersOnly votersOnly: Bool) -> Answer? {
        self.answers.filter { $0.isVoter || !votersOnly }
            .max { ($0.position, $1.member) < ($1.position, $0.member) }
    }

    /// Applies the rule of P4, and that of P9 when all members answered.
    ///
    /// The answers of all members stand in for a majority of voters after a power cut of everything: what was
    /// acknowledged is on the disk of the leader that wrote it, whatever the others forgot. That disk may be the one that
    /// is gone when a member answers without any data; then only an operator knows whether the rest will do.
    ///
    /// As long as members are missing, the one that served last stands in for it: what was acknowledged before and by it
    /// it has, and nobody has served since. The majority that was cut is then needed for its promise only.
    ///
    /// - Parameters:
    ///   - laggardGrace: how long the others are waited for once a majority is there.
    ///   - acceptsEmptyMembers: whether an empty member cannot have lost anything that the others do not have.
    ///   - heir: the member that served last, if that is certain and it has kept what it had.
    func verdict(
        for candidate: MemberID,
        of membership: Membership,
        laggardGrace: Duration,
        acceptsEmptyMembers: Bool,
        heir: MemberID?,
        at now: Uptime
    ) -> Verdict {
        guard let own = self.answers.first(where: { $0.member == candidate }) else { return .wait }
        let isComplete = self.answers.count == membership.count
        if let majorityAt {
            guard isComplete || now >= majorityAt + laggardGrace else { return .wait }
            let notAhead = self.answers.count { $0.isVoter && $0.position <= own.position }
            if notAhead >= membership.quorum { return .lead }
            guard let best = self.best(ofVotersOnly: true), best.member != candidate else { return .wait }
            return .yield(to: best.member)
        }
        if let cutAt, let heir, !isComplete, now >= cutAt + laggardGrace {
            return heir == candidate ? .lead : .yield(to: heir)
        }
        guard isComplete, acceptsEmptyMembers || !self.answers.contains(where: \.isEmpty),
            let best = self.best(ofVotersOnly: false)
        else { return .wait }
        return best.position <= own.position ? .lead : .yield(to: best.member)
    }
}

/// An orderly end of a leadership.
struct HandOver: Sendable {
    /// Who is to lead next; nil when the process stops and any member may.
    let successor: MemberID?
    /// Whether the leader's loop has committed everything.
    var isDrained: Bool
}
