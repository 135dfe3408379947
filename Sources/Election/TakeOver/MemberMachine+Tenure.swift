import JobCore

/// What a member does while it holds the leader key.
extension MemberMachine {
    mutating func tickTenure(at now: Uptime) {
        guard let tenure else { return }
        guard now < tenure.trustedUntil else { return self.relinquish(at: now) }
        if now >= tenure.renewalAt {
            self.tenure?.renewalAt = now + self.terms.leaseRenewalInterval
            self.actions.append(.etcd(.keepAlive(tenure.epoch, askedAt: now)))
        }
        if now >= tenure.heartbeatAt {
            self.tenure?.heartbeatAt = now + self.terms.heartbeatInterval
            self.sendToOthers(.heartbeat(tenure.epoch))
        }
        let bound = self.terms.confirmationBound
        if let since = tenure.unconfirmedSince, now >= since + bound { return self.relinquish(at: now) }
        if let since = tenure.shortSince, now >= since + bound { return self.relinquish(at: now) }
        self.tickStage(of: tenure, at: now)
    }

    /// Gives the leader key up, and everything that went with it (P7).
    mutating func relinquish(preferring successor: MemberID? = nil, at now: Uptime) {
        guard let tenure else { return }
        self.tenure = nil
        self.generation += 1
        if tenure.isServing { self.actions.append(.stopServing(tenure.epoch)) }
        self.actions.append(.etcd(.resign(tenure.epoch, preferring: successor)))
        if case .cut(_, self.id) = self.wanted { self.wanted = nil }
        if case .promotion = self.wanted { self.wanted = nil }
        self.campaignNotBefore = now + self.terms.campaignPause
        self.pollAt = now + self.terms.retryInterval
        if self.isStopping { self.actions.append(.stopped) }
    }

    mutating func takeAnswer(_ answer: Canvass.Answer, to epoch: Epoch, at now: Uptime) {
        guard let tenure, tenure.epoch == epoch, case .cutting(var canvass) = tenure.stage else { return }
        canvass.take(answer, of: self.membership, at: now)
        self.tenure?.stage = .cutting(canvass)
        if answer.member == self.id { self.tenure?.retryAt = now }
        self.judge(canvass, at: now)
    }

    mutating func noteFounding(of epoch: Epoch, at now: Uptime) {
        guard let tenure, tenure.epoch == epoch, case .founding = tenure.stage else { return }
        self.lead(at: now)
    }

    mutating func notePromotion(of epoch: Epoch, at now: Uptime) {
        guard let tenure, tenure.epoch == epoch, case .promoting = tenure.stage else { return }
        self.tenure?.stage = .publishing
        self.tenure?.retryAt = now
    }

    mutating func notePublication(of epoch: Epoch, at now: Uptime) {
        guard let tenure, tenure.epoch == epoch, case .publishing = tenure.stage else { return }
        self.tenure?.stage = .marking
        self.tenure?.retryAt = now
        self.sendToOthers(.follow(epoch))
    }

    mutating func noteMarker(of epoch: Epoch, heldBy replicas: MemberSet, at now: Uptime) {
        guard let tenure, tenure.epoch == epoch, case .marking = tenure.stage else { return }
        guard self.isQuorum(replicas) else {
            self.tenure?.retryAt = now + self.terms.retryInterval
            return
        }
        self.recovery = nil
        self.serve(at: now)
    }

    mutating func noteConfirmation(of written: WriteTicket, by replicas: MemberSet, at now: Uptime) {
        guard let tenure, self.ticket == written else { return }
        let since = self.isQuorum(replicas) ? nil : tenure.unconfirmedSince ?? now
        self.tenure?.unconfirmedSince = since
    }

    /// Lets another member lead, whose disk may have room; this one is in no hurry to lead again.
    mutating func noteRefusal(of written: WriteTicket, at now: Uptime) {
        guard self.ticket == written else { return }
        self.relinquish(at: now)
        self.campaignNotBefore = now + self.terms.refusalPause
    }

    /// Takes in which members have what the primary has.
    mutating func noteReplicas(_ replicas: MemberSet, at now: Uptime) {
        guard let tenure, tenure.isServing else { return }
        let since = self.isQuorum(replicas) ? nil : tenure.shortSince ?? now
        self.tenure?.shortSince = since
        switch tenure.stage {
        case .serving:
            guard let wish = tenure.handOverWish else { return }
            guard now < wish.until else {
                self.tenure?.handOverWish = nil
                return
            }
            if wish.hasEtcdAnswered, replicas.contains(wish.successor) {
                return self.pause(for: wish.successor, at: now)
            }
        case .pausing(let handOver):
            guard handOver.isDrained, let successor = handOver.successor else { return }
            if replicas.contains(successor) { return self.relinquish(preferring: successor, at: now) }
        case .cutting, .founding, .settling, .promoting, .publishing, .marking: return
        }
        self.inspectionAt = min(self.inspectionAt, now + self.terms.handOverInspectionInterval)
    }

    mutating func noteDrained(_ epoch: Epoch, at now: Uptime) {
        guard let tenure, tenure.epoch == epoch, case .pausing(var handOver) = tenure.stage else { return }
        guard handOver.successor != nil else { return self.relinquish(at: now) }
        handOver.isDrained = true
        self.tenure?.stage = .pausing(handOver)
        // What was reported before may have been read before the last transaction.
        self.inspection = nil
        self.inspectionAt = now
    }

    mutating func receive(_ command: OperatorCommand, at now: Uptime) {
        switch command {
        case .stop:
            guard !self.isStopping else { return }
            self.isStopping = true
            guard let tenure else { return self.actions.append(.stopped) }
            guard tenure.isServing else { return self.relinquish(at: now) }
            self.pause(for: nil, at: now)
        case .handOver(let successor):
            guard successor != self.id, self.membership.contains(successor), let tenure, case .serving = tenure.stage
            else { return }
            // Clients are held only once there is reason to expect that the successor can take over at once.
            let until = now + self.terms.handOverBound
            self.tenure?.handOverWish = Tenure.HandOverWish(successor: successor, until: until)
            self.read(at: now)
            self.inspectionAt = min(self.inspectionAt, now)
        case .recover(let acceptLoss):
            self.recovery = Recovery(acceptsLoss: acceptLoss, until: now + self.terms.recoveryBound)
            guard let tenure, case .cutting(var canvass) = tenure.stage else { return }
            canvass.recovery = acceptLoss
            self.tenure?.stage = .cutting(canvass)
        }
    }

    private mutating func pause(for successor: MemberID?, at now: Uptime) {
        guard let tenure else { return }
        self.tenure?.handOverWish = nil
        self.tenure?.stage = .pausing(HandOver(successor: successor, isDrained: false))
        self.tenure?.stageDeadline = now + self.terms.handOverBound
        self.actions.append(.pauseServing(tenure.epoch))
    }

    private mutating func serve(at now: Uptime) {
        self.tenure?.stage = .serving
        self.tenure?.stageDeadline = nil
        self.inspectionAt = now
        if let ticket { self.actions.append(.startServing(ticket)) }
    }

    private mutating func tickStage(of tenure: Tenure, at now: Uptime) {
        let isOverdue = tenure.stageDeadline.map { now >= $0 } ?? false
        switch tenure.stage {
        case .cutting(let canvass):
            guard !isOverdue else { return self.concludeRecovery(canvass, at: now) }
            self.judge(canvass, at: now)
            self.repeatCut(at: now)
        case .founding:
            guard !isOverdue else { return self.relinquish(at: now) }
            self.retry(.etcd(.found(tenure.epoch)), after: self.terms.retryInterval, at: now)
        case .promoting:
            if isOverdue { self.relinquish(at: now) }
        case .publishing:
            guard !isOverdue else { return self.relinquish(at: now) }
            self.retry(.etcd(.publish(tenure.epoch)), after: self.terms.retryInterval, at: now)
        case .marking:
            guard !isOverdue else { return self.relinquish(at: now) }
            let wait = RedisAction.awaitMarker(
                tenure.epoch,
                replicaCount: self.membership.quorum - 1,
                within: self.terms.redisBound
            )
            self.retry(.redis(wait), after: self.terms.redisBound + self.terms.retryInterval, at: now)
        case .settling:
            if isOverdue { self.relinquish(at: now) }
        case .serving: break
        case .pausing(let handOver):
            guard isOverdue, self.rules.boundsHandOver else { return }
            if handOver.successor == nil { self.relinquish(at: now) } else { self.serve(at: now) }
        }
    }

    private mutating func retry(_ action: TakeOverAction, after interval: Duration, at now: Uptime) {
        guard let tenure, now >= tenure.retryAt else { return }
        self.tenure?.retryAt = now + interval
        self.actions.append(action)
    }

    /// Cuts the others, once this member itself is cut, until each of them has given its vote.
    private mutating func repeatCut(at now: Uptime) {
        guard let tenure, case .cutting(let canvass) = tenure.stage, canvass.hasAnswer(of: self.id),
            now >= tenure.retryAt
        else { return }
        self.tenure?.retryAt = now + self.terms.retryInterval
        for member in self.membership.members where member != self.id && !canvass.hasVote(of: member) {
            self.send(.cut(tenure.epoch), to: member)
        }
    }

    /// Leads, waits or yields, as the answers say (P4).
    private mutating func judge(_ canvass: Canvass, at now: Uptime) {
        guard let tenure else { return }
        let verdict = canvass.verdict(
            for: self.id,
            of: self.membership,
            laggardGrace: tenure.laggardGrace,
            acceptsEmptyMembers: self.hasEverything(canvass) || !self.rules.needsOperatorForEmptyMember,
            heir: self.heir(among: canvass),
            at: now
        )
        switch verdict {
        case .wait: break
        case .lead: if self.begins(with: canvass) { self.found(at: now) } else { self.lead(at: now) }
        case .yield(let better):
            // An operator who asked what there is wants to hear it before anything is done.
            guard canvass.recovery == nil else { return }
            self.relinquish(preferring: better, at: now)
        }
    }

    /// Whether the cluster begins with this epoch: there are others, nobody has any data, and nobody ever served.
    private func begins(with canvass: Canvass) -> Bool {
        guard let tenure, self.observed.leader?.epoch == tenure.epoch, self.observed.primary == nil else {
            return false
        }
        return self.membership.quorum > 1 && canvass.hasNothing(of: self.membership)
    }

    /// Lets etcd keep that the cluster begins with this epoch, before anybody follows.
    ///
    /// A member that was cut for it, and has not lost anything since, then votes although it has not followed anybody yet:
    /// what it has, even if that is nothing, is all that it ever confirmed. So the cluster can go on without the one that
    /// was to lead first.
    private mutating func found(at now: Uptime) {
        self.tenure?.stage = .founding
        self.tenure?.stageDeadline = now + self.terms.cutBound
        self.tenure?.retryAt = now
    }

    /// Whether no empty member can have lost anything: nobody ever served, or the one who served last kept its data.
    ///
    /// An etcd that was emptied does not know whether somebody served.
    private func hasEverything(_ canvass: Canvass) -> Bool {
        guard let tenure, self.observed.leader?.epoch == tenure.epoch else { return false }
        let hasNobodyServed = self.observed.primary == nil && !self.observed.wasRestarted
        return hasNobodyServed || self.lastPrimary(among: canvass) != nil
    }

    /// The member that served last, if it has answered, and has kept what it had.
    ///
    /// Who that is is for etcd to say, in a state that was read after this member had won the key: no other member has
    /// become the primary since. A primary has everything that was acknowledged before and by it.
    private func lastPrimary(among canvass: Canvass) -> ClusterState.Holder? {
        guard let tenure, self.observed.leader?.epoch == tenure.epoch, let last = self.observed.primary,
            canvass.hasVote(of: last.member)
        else { return nil }
        return last
    }

    /// The member that may lead without a majority of votes: the one that served last.
    ///
    /// What it says of its data has to be what etcd lets expect, and the most that anybody says. Otherwise etcd was
    /// restored to what it had earlier, or the member's data was; or an epoch was begun that never served, which is rare.
    func heir(among canvass: Canvass) -> MemberID? {
        guard self.rules.needsVoteOfLastPrimary else {
            return self.observed.primary.flatMap { canvass.hasAnswer(of: $0.member) ? $0.member : nil }
        }
        guard let last = self.lastPrimary(among: canvass), let position = canvass.position(of: last.member),
            position.epoch == last.epoch, canvass.best(ofVotersOnly: false).map({ $0.position <= position }) ?? false
        else { return nil }
        // It was told that it is its turn, and did not come: others may answer meanwhile.
        guard last.member == self.id || self.observed.preferred != last.member else { return nil }
        return last.member
    }

    /// Leads, once everything is on this member's own disk.
    ///
    /// A Redis that has just taken in a whole data set confirms what its disk does not have until the AOF is rewritten. A
    /// leader in that state would give the others its data in place of theirs, and a power cut then takes the only copy.
    private mutating func lead(at now: Uptime) {
        self.isTrusted = true
        self.tenure?.stage = .settling
        self.tenure?.stageDeadline = now + self.terms.settlingBound
        self.inspectionAt = now
        self.promoteWhenClean(at: now)
    }

    mutating func promoteWhenClean(at now: Uptime) {
        guard let tenure, tenure.isSettling, self.record.isClean || !self.rules.settlesBeforePromotion else { return }
        self.tenure?.stage = .promoting
        self.tenure?.stageDeadline = now + self.terms.markerBound
        self.wanted = .promotion(tenure.epoch)
        self.step(at: now)
    }

    /// No majority was found in time; an operator may have asked to go on all the same (P9).
    private mutating func concludeRecovery(_ canvass: Canvass, at now: Uptime) {
        guard let acceptLoss = canvass.recovery else { return self.relinquish(at: now) }
        for answer in canvass.answers {
            self.actions.append(.reportPosition(answer.member, answer.position, isVoter: answer.isVoter))
        }
        // Who refuses is there, and may have what nobody else has; it sees to it that the next epoch is one that it obeys.
        guard acceptLoss, self.tenure?.isRefused == false, canvass.hasAnswer(of: self.id),
            let best = canvass.best(ofVotersOnly: false)
        else { return self.relinquish(at: now) }
        let isBest = canvass.answers.contains { $0.member == self.id && $0.position >= best.position }
        if isBest { self.lead(at: now) } else { self.relinquish(preferring: best.member, at: now) }
    }
}
