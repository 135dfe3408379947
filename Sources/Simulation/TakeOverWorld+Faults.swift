import Election
import JobCore

/// What goes wrong, and how it is put right in the end.
extension TakeOverWorld {
    mutating func injectFault() {
        guard !self.isHealed else { return }
        // Faults come in clusters: the second one strikes while the first is being dealt with.
        let isClustered = self.generator.happens(perMille: 500)
        let pause =
            isClustered ? self.generator.time(from: 0, to: 80_000_000) : self.generator.time(from: 0, to: 2_000_000_000)
        self.schedule(.fault, after: pause)
        // Half of the time the leader is the one that suffers.
        let leader = self.hosts.firstIndex { $0.serving != nil }
        let anyone = self.generator.number(below: self.memberCount)
        let victim = self.generator.happens(perMille: 500) ? leader ?? anyone : anyone
        let other = (victim + 1 + self.generator.number(below: max(self.memberCount - 1, 1))) % self.memberCount
        let length = self.generator.time(from: 10_000_000, to: 3_500_000_000)
        switch self.generator.number(below: 28) {
        case 0: self.isolate(victim, incoming: true, outgoing: true, for: length)
        case 1: self.isolate(victim, incoming: true, outgoing: false, for: length)
        case 2: self.isolate(victim, incoming: false, outgoing: true, for: length)
        case 3:
            self.note("etcd is out of reach for \(victim)")
            self.network.cutEtcd(from: victim)
            self.schedule(.joinNetwork(victim), after: length)
        case 4:
            guard victim != other else { return }
            self.note("the stream from \(victim) to \(other) is cut")
            self.network.cutStream(from: victim, to: other)
            if self.generator.happens(perMille: 500) { self.reconnect(other, to: victim) }
            self.schedule(.joinNetwork(victim), after: length)
        case 5:
            guard victim != other else { return }
            self.note("\(victim) and \(other) cannot talk")
            self.network.cutMessages(from: victim, to: other)
            self.network.cutMessages(from: other, to: victim)
            self.schedule(.joinNetwork(victim), after: length)
        case 6: self.crashManager(victim, restartsAfter: length / 4)
        case 7: self.hosts[victim].crashesAfter = self.generator.number(below: 30)
        case 8: self.restartRedis(victim, after: length / 4, losesPower: false)
        case 9: self.losePower(victim, for: length / 2)
        case 10: self.pause(victim, manager: true, redis: false, for: length)
        case 11: self.pause(victim, manager: false, redis: true, for: length)
        case 12: self.pause(victim, manager: true, redis: true, for: length)
        case 13: self.loseData(victim, for: length / 4, losesRecord: self.generator.happens(perMille: 500))
        case 14:
            self.note("etcd is down")
            self.isEtcdDown = true
            self.schedule(.resumeEtcd, after: length)
        case 15:
            self.note("every lease ends")
            self.etcd.expireAll()
            self.notifyWatchers()
        case 16:
            guard self.generator.happens(perMille: 200) else { return self.command(victim, other) }
            // Of what is in memory nothing is promised then; but somebody has to lead again without an operator.
            if self.isInMemory { self.checker.acceptLoss() }
            for index in self.hosts.indices { self.losePower(index, for: length / 4, sparingNobody: true) }
        case 17: self.command(victim, other)
        case 18, 19:
            self.note("the manager of \(victim) is isolated, its Redis is not")
            for peer in 0..<self.memberCount where peer != victim {
                self.network.cutMessages(from: victim, to: peer)
                self.network.cutMessages(from: peer, to: victim)
            }
            self.network.cutEtcd(from: victim)
            self.schedule(.joinNetwork(victim), after: length)
        case 27:
            guard self.generator.happens(perMille: 300) else { return }
            self.note("etcd is emptied")
            self.etcd.empty()
            self.wasEtcdEmptied = true
            self.notifyWatchers()
        case 23, 24: self.hosts[other].crashesAtCut = true
        case 25, 26:
            guard victim != other else { return }
            self.note("only \(other) gets the stream of \(victim), anew, and then loses power")
            self.stallStream(of: victim, exceptTo: other, for: length)
            self.hosts[other].crashesInRewrite = true
            self.reconnect(other, to: victim)
        case 20, 21:
            guard victim != other else { return }
            self.note("the stream from \(victim) to \(other) is reset")
            self.reconnect(other, to: victim)
        default:
            self.stallStream(of: victim, exceptTo: other, for: length)
        }
    }

    private mutating func isolate(_ victim: Int, incoming: Bool, outgoing: Bool, for length: Int64) {
        self.note("\(victim) is isolated, incoming: \(incoming), outgoing: \(outgoing)")
        self.network.isolate(victim, incoming: incoming, outgoing: outgoing)
        self.schedule(.joinNetwork(victim), after: length)
    }

    /// Stops the stream to all but one replica; their connections stay.
    private mutating func stallStream(of victim: Int, exceptTo other: Int, for length: Int64) {
        self.note("the stream from \(victim) stalls, except to \(other)")
        for replica in 0..<self.memberCount where replica != victim && replica != other {
            self.network.cutStream(from: victim, to: replica)
        }
        self.schedule(.joinNetwork(victim), after: length)
    }

    /// Crashes a member that has just answered a cut, and is back before its answer has led to anything.
    mutating func crashAtCut(_ victim: Int) {
        self.hosts[victim].crashesAtCut = false
        let length = self.generator.time(from: 1_000_000, to: 60_000_000)
        if self.generator.happens(perMille: 400) {
            self.loseData(victim, for: length, losesRecord: true)
        } else {
            self.crashManager(victim, restartsAfter: length)
        }
    }

    /// Stops processes as `SIGSTOP` does; one that is stopped already stays so until it goes on.
    private mutating func pause(_ victim: Int, manager: Bool, redis: Bool, for length: Int64) {
        self.note("\(victim) stops for \(length / Self.millisecond) ms, manager: \(manager), Redis: \(redis)")
        let until = self.now + length
        if manager, self.hosts[victim].managerPausedUntil <= self.now { self.hosts[victim].managerPausedUntil = until }
        if redis, self.hosts[victim].redisPausedUntil <= self.now { self.hosts[victim].redisPausedUntil = until }
    }

    private mutating func restartRedis(
        _ victim: Int,
        after delay: Int64,
        losesPower: Bool,
        sparingNobody: Bool = false
    ) {
        if self.isInMemory, self.hosts[victim].redis.isUp {
            guard sparingNobody || self.canSpare(victim) else { return }
            self.hosts[victim].hasLostMemory = true
        }
        self.stopRedis(victim, losesPower: losesPower)
        self.schedule(.startRedis(victim, losesData: false), after: delay)
    }

    /// - Parameter sparingNobody: whether a majority may lose what is in memory only.
    mutating func losePower(_ victim: Int, for length: Int64, sparingNobody: Bool = false) {
        self.restartRedis(victim, after: length, losesPower: true, sparingNobody: sparingNobody)
        self.crashManager(victim, restartsAfter: length + self.generator.time(from: 0, to: 5_000_000))
    }

    /// Takes the data of a member, and perhaps its record, for good; a majority is never without its data.
    private mutating func loseData(_ victim: Int, for length: Int64, losesRecord: Bool) {
        guard self.canSpare(victim), self.hosts[victim].redis.isUp else { return }
        self.note("\(victim) loses its data")
        self.stopRedis(victim, losesPower: true)
        self.hosts[victim].hasLostData = true
        self.hosts[victim].redis.olderLog = nil
        self.schedule(.startRedis(victim, losesData: true), after: length)
        guard losesRecord else { return }
        self.crashManager(victim, restartsAfter: length)
        self.hosts[victim].record = .missing
    }

    /// Whether a majority of the members has its data without this one.
    private func canSpare(_ victim: Int) -> Bool {
        let rest = self.hosts.indices.count { index in
            index != victim && !self.hosts[index].hasLostData && !self.hosts[index].hasLostMemory
        }
        return rest >= self.membership.majority
    }

    /// A member has caught up.
    mutating func noteWhole(_ index: Int) {
        self.hosts[index].hasLostData = false
        self.hosts[index].hasLostMemory = false
    }

    private mutating func command(_ victim: Int, _ other: Int) {
        let isStop = self.generator.happens(perMille: 300)
        let command = isStop ? OperatorCommand.stop : .handOver(to: MemberID(UInt8(other)))
        self.note("\(victim) is told: \(command)")
        self.schedule(
            .member(victim, incarnation: self.hosts[victim].incarnation, .command(command)),
            after: 0
        )
    }

    /// Takes a host away for good; somebody has to serve without it, and nobody comes to help.
    mutating func loseHost(_ victim: Int) {
        guard !self.isHealed else { return }
        self.note("\(victim) is lost for good")
        self.hosts[victim].isGone = true
        self.stopRedis(victim, losesPower: true)
        self.crashManager(victim, restartsAfter: 0)
        self.network.isolate(victim, incoming: true, outgoing: true)
        self.isHealed = true
        self.healedAt = self.now
    }

    /// Lets the leader hand over to a member that falls behind when clients are held up for it already, or just before.
    mutating func stallHandOver() {
        guard let leader = self.hosts.firstIndex(where: { $0.serving != nil }) else {
            return self.schedule(.stallHandOver, after: 100_000_000)
        }
        let successor = (leader + 1) % self.memberCount
        let command = OperatorCommand.handOver(to: MemberID(UInt8(successor)))
        self.note("\(leader) is told: \(command)")
        let incarnation = self.hosts[leader].incarnation
        self.schedule(.member(leader, incarnation: incarnation, .command(command)), after: 0)
        self.schedule(
            .cutStream(from: leader, to: successor, for: 2 * self.terms.handOverBound.wholeNanoseconds),
            after: self.generator.time(from: 0, to: 25_000_000)
        )
    }

    /// Puts everything right that was broken.
    mutating func heal() {
        self.note("everything is healed")
        self.isHealed = true
        self.healedAt = self.now
        self.isEtcdDown = false
        for index in self.hosts.indices {
            self.network.join(index)
            self.hosts[index].crashesAfter = nil
            self.hosts[index].crashesAtCut = false
            self.hosts[index].crashesInRewrite = false
        }
        self.schedule(.operator, after: Self.operatorPatience)
    }

    /// An operator finds nobody serving because a disk is lost, and accepts that what only that one had is lost, too.
    ///
    /// As long as every disk is there nobody comes, and the cluster has to help itself. In memory an empty member is like a
    /// lost disk: when the first leader of a new cluster has forgotten everything, nobody can tell what that was. An etcd that
    /// was emptied has forgotten who served, which is what tells that an empty member has lost nothing.
    mutating func recover() {
        let forgets = self.isInMemory || self.wasEtcdEmptied
        let needsOperator = self.hosts.contains { $0.hasLostData || forgets && $0.redis.log.isEmpty }
        guard !self.hasServedSinceHealing, needsOperator else { return }
        self.note("an operator lets the greatest position lead, and accepts a loss")
        self.neededOperator = true
        self.checker.acceptLoss()
        for index in self.hosts.indices { self.deliver(.command(.recover(acceptLoss: true)), to: index) }
    }
}
