import JobCore

/// How a member comes to hold the leader key, and what it knows of etcd.
extension MemberMachine {
    /// An operator's wish to recover, which is forgotten when it is stale or there is a new primary.
    struct Recovery: Sendable {
        let acceptsLoss: Bool
        let until: Uptime
    }

    mutating func receive(_ event: EtcdEvent, at now: Uptime) {
        switch event {
        case .state(let state): self.observe(state, at: now)
        case .won(let epoch, let askedAt): self.win(epoch, askedAt: askedAt, at: now)
        case .lost(let askedAt):
            guard self.bidAskedAt == askedAt else { return }
            self.bidAskedAt = nil
            self.campaignNotBefore = max(self.campaignNotBefore, now + self.terms.retryInterval)
            self.pollAt = now
        case .kept(let epoch, let askedAt):
            guard let tenure, tenure.epoch == epoch else { return }
            self.tenure?.trustedUntil = max(tenure.trustedUntil, askedAt + self.terms.leaseTimeToLive)
        case .expired(let epoch):
            if self.tenure?.epoch == epoch { self.relinquish(at: now) }
        case .published(let epoch): self.notePublication(of: epoch, at: now)
        }
    }

    /// Bids for the leader key when there is none and it is this member's turn.
    mutating func campaignWhenVacant(at now: Uptime) {
        if let bidAskedAt, now >= bidAskedAt + self.terms.bidBound {
            // Should it be won after all, the key is given back.
            self.bidAskedAt = nil
            self.campaignNotBefore = max(self.campaignNotBefore, now + self.terms.retryInterval)
        }
        guard let campaignAt, now >= campaignAt else { return }
        self.bidAskedAt = now
        self.actions.append(.etcd(.campaign(askedAt: now)))
    }

    /// When this member bids, unless something happens before; nil while it has no reason to.
    var campaignAt: Uptime? {
        guard self.tenure == nil, self.bidAskedAt == nil, self.isRedisUp, !self.isStopping, self.observed.revision > 0,
            self.observed.leader == nil
        else { return nil }
        let isYielding = self.observed.preferred.map { $0 != self.id } ?? false
        let turn = isYielding ? self.vacantSince + self.terms.preferenceHeadStart : self.vacantSince
        return max(turn, self.observed.preferred == self.id ? self.vacantSince : self.campaignNotBefore)
    }

    mutating func readWhenDue(at now: Uptime) {
        if now >= self.pollAt { self.read(at: now) }
    }

    /// Somebody says that an epoch has a leader or a primary.
    mutating func hear(of epoch: Epoch, from member: MemberID, at now: Uptime) {
        let speaker = ClusterState.Holder(epoch: epoch, member: member)
        if self.observed.leader == speaker { self.lastHeard = now }
        let isKnown = epoch <= (self.observed.leader?.epoch ?? Epoch(0))
        let isFollowed = epoch <= (self.observed.primary?.epoch ?? Epoch(0))
        guard !isKnown || !isFollowed else { return }
        if let readAt, now < readAt + self.terms.retryInterval { return }
        self.read(at: now)
    }

    mutating func read(at now: Uptime) {
        self.readAt = now
        self.pollAt = now + self.terms.statePollInterval
        self.actions.append(.etcd(.readState))
    }

    private mutating func observe(_ state: ClusterState, at now: Uptime) {
        guard state.revision >= self.observed.revision else { return }
        let previous = self.observed
        self.observed = state
        self.tenure?.handOverWish?.hasEtcdAnswered = true
        if state.primary != previous.primary { self.recovery = nil }
        if state.leader != previous.leader {
            self.lastHeard = now
            self.resetAt = nil
            self.suspicions = []
            self.vacantSince = now
        }
        if let tenure, state.leader?.epoch != tenure.epoch, state.revision >= tenure.epoch.number {
            self.relinquish(at: now)
        }
        if let leader = state.leader, leader.member == self.id, self.tenure == nil, self.bidAskedAt == nil,
            leader != previous.leader
        {
            // Left over from before this process started, or from a bid that was given up.
            self.actions.append(.etcd(.resign(leader.epoch, preferring: nil)))
        }
    }

    private mutating func win(_ epoch: Epoch, askedAt: Uptime, at now: Uptime) {
        let trustedUntil = askedAt + self.terms.leaseTimeToLive
        guard self.bidAskedAt == askedAt, self.tenure == nil, !self.isStopping, now < trustedUntil,
            epoch > self.promised || !self.rules.keepsPromise
        else {
            if self.bidAskedAt == askedAt { self.bidAskedAt = nil }
            if self.tenure?.epoch != epoch { self.actions.append(.etcd(.resign(epoch, preferring: nil))) }
            return
        }
        self.bidAskedAt = nil
        self.tenure = Tenure(
            epoch: epoch,
            laggardGrace: self.observed.preferred == self.id ? .zero : self.terms.laggardGrace,
            trustedUntil: trustedUntil,
            renewalAt: askedAt + self.terms.leaseRenewalInterval,
            heartbeatAt: now,
            stage: .cutting(Canvass(recovery: self.recovery.flatMap { now < $0.until ? $0.acceptsLoss : nil })),
            stageDeadline: now + self.terms.cutBound,
            retryAt: now
        )
        self.cut(epoch, for: self.id, at: now)
    }
}
