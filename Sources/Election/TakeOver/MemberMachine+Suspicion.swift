import JobCore

/// How a leader that fell silent is replaced before its lease ends (P1a).
extension MemberMachine {
    /// The opinion of another member that a leader is gone.
    struct Suspicion: Sendable {
        let member: MemberID
        let at: Uptime
    }

    /// When this member begins to suspect the leader, unless it hears of it; nil when there is none to suspect.
    var silentAt: Uptime? {
        guard let leader = self.observed.leader, leader.member != self.id, self.tenure == nil else { return nil }
        let silent = self.lastHeard + self.terms.heartbeatSilence
        return self.resetAt.map { min(silent, $0 + self.terms.reconnectionGrace) } ?? silent
    }

    mutating func takeSuspicion(of epoch: Epoch, from member: MemberID, at now: Uptime) {
        guard epoch == self.observed.leader?.epoch else { return }
        self.suspicions.removeAll { $0.member == member }
        self.suspicions.append(Suspicion(member: member, at: now))
        if let silentAt, now >= silentAt { self.removeIfSuspectedByMajority(epoch, at: now) }
    }

    /// Tells the others of a suspicion, again and again; acts on it only when a majority shares it.
    mutating func suspectWhenSilent(at now: Uptime) {
        guard let silentAt, now >= silentAt, now >= self.suspicionAt, let leader = self.observed.leader else { return }
        self.suspicionAt = now + self.terms.heartbeatInterval
        self.sendToOthers(.suspect(leader.epoch))
        // A watch may have failed to say that there is another leader.
        self.pollAt = min(self.pollAt, now + self.terms.retryInterval)
        self.removeIfSuspectedByMajority(leader.epoch, at: now)
    }

    private mutating func removeIfSuspectedByMajority(_ epoch: Epoch, at now: Uptime) {
        let fresh = self.suspicions.filter { now < $0.at + self.terms.suspicionLifetime }
        guard fresh.count + 1 >= self.membership.majority else { return }
        self.suspicions = []
        // Said again and again, this must not put the question off again and again.
        self.pollAt = min(self.pollAt, now + self.terms.retryInterval)
        self.actions.append(.etcd(.removeLeader(epoch)))
    }
}
