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
        case .state(let state):
            if state.revision >= self.observed.revision { self.observe(state, at: now) }
        case .read(let state, let askedAt):
            // Etcd never goes back by itself: what it says later is later, unless it was emptied or restored.
            if state.revision >= self.observed.revision || askedAt >= self.observedAt { self.observe(state, at: now) }
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
        case .founded(let epoch): self.noteFounding(of: epoch, at: now)
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
            self.observed.leader == nil, self.observed.revision >= self.epochFloor.number
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
        self.readSoon(at: now)
    }

    /// Asks etcd for its state, but not more often than a question is repeated that got no answer.
    mutating func readSoon(at now: Uptime) {
        if let readAt, now < readAt + self.terms.retryInterval {
            self.pollAt = min(self.pollAt, readAt + self.terms.retryInterval)
        } else {
            self.read(at: now)
        }
    }

    mutating func read(at now: Uptime) {
        self.readAt = now
        self.pollAt = now + self.terms.statePollInterval
        self.actions.append(.etcd(.readState(askedAt: now)))
    }

    /// The greatest epoch that this member knows to have been; etcd has to be there before another one can be won.
    ///
    /// It falls short of that only after it was emptied, or restored to what it had earlier.
    private var epochFloor: Epoch {
        max(self.promised, self.detachedPosition.epoch, self.knownEpoch)
    }

    private mutating func observe(_ state: ClusterState, at now: Uptime) {
        let previous = self.observed
        self.observed = state
        self.observedAt = now
        if state.revision < previous.revision {
            // What was won or heard before is void.
            self.unproven = nil
            if self.tenure.map({ $0.epoch != state.leader?.epoch }) ?? false { self.relinquish(at: now) }
        }
        self.knownEpoch = max(self.knownEpoch, state.leader?.epoch ?? Epoch(0), state.primary?.epoch ?? Epoch(0))
        self.lowerAbsurdPromise(to: Epoch(state.revision))
        let floor = self.epochFloor
        if state.revision < floor.number, floor <= Self.greatestEpoch {
            self.actions.append(.etcd(.raiseEpochs(above: floor, askedAt: now)))
        }
        if let unproven, state.revision >= unproven.epoch.number {
            self.unproven = nil
            if state.leader == unproven { self.cut(unproven.epoch, for: unproven.member, at: now) }
        }
        if state.founded == nil { self.hasSeenUnfounded = true }
        self.considerFounding(at: now)
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

    /// Replaces a promise that etcd cannot have led to by one that it can.
    ///
    /// Earlier versions believed any epoch that another member named. Whatever was promised in earnest is not greater than
    /// what etcd has reached by now.
    private mutating func lowerAbsurdPromise(to reached: Epoch) {
        guard self.record.promise > Self.greatestEpoch, self.storing == nil, self.wanted == nil else { return }
        self.store(promise: reached, isClean: self.record.isClean)
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
