import Election
import JobCore

/// What the shell of a member does.
extension TakeOverWorld {
    mutating func carryOut(_ event: WorldEvent) {
        switch event {
        case .member(let index, let incarnation, let heard):
            guard self.hosts[index].incarnation == incarnation, !self.isPaused(index, event) else { return }
            self.deliver(heard, to: index)
        case .message(let message, let sender, let receiver):
            guard self.network.carriesMessages(from: sender, to: receiver), !self.isPaused(receiver, event) else {
                return
            }
            self.note("\(receiver) hears from \(sender): \(message)")
            self.deliver(.message(message, from: MemberID(UInt8(sender))), to: receiver)
        case .etcd(let action, let index, let incarnation):
            self.executeInEtcd(action, from: index, incarnation: incarnation)
        case .write, .writeEnds: self.carryOutWrite(event)
        case .fault: self.injectFault()
        case .losePower(let index): self.losePower(index, for: self.generator.time(from: 1_000_000, to: 400_000_000))
        case .stallHandOver: self.stallHandOver()
        case .cutStream(let source, let replica, let length):
            self.note("the stream from \(source) to \(replica) is cut")
            self.network.cutStream(from: source, to: replica)
            if self.hosts[replica].redis.role == .replica(of: source) { self.reconnect(replica, to: source) }
            self.schedule(.joinNetwork(source), after: length)
        case .loseHost(let index): self.loseHost(index)
        case .startManager(let index): self.startManager(index)
        case .startRedis(let index, let losesData): self.startRedis(index, losesData: losesData)
        case .joinNetwork(let index): self.network.join(index)
        case .resumeEtcd: self.isEtcdDown = false
        case .heal: self.heal()
        case .operator: self.recover()
        case .redis, .attach, .load, .loaded, .rewritten, .stream, .synced, .confirmed, .execute, .executed, .waitEnds:
            self.carryOutInRedis(event)
        }
    }

    mutating func deliver(_ event: TakeOverEvent, to index: Int) {
        let now = Uptime(nanoseconds: self.now)
        guard let actions = self.hosts[index].machine?.receive(event, at: now) else { return }
        for action in actions {
            if let left = self.hosts[index].crashesAfter {
                if left == 0 {
                    self.hosts[index].crashesAfter = nil
                    return self.crashManager(
                        index,
                        restartsAfter: self.generator.time(from: 1_000_000, to: 900_000_000)
                    )
                }
                self.hosts[index].crashesAfter = left - 1
            }
            self.perform(action, of: index)
            if self.hosts[index].crashesAtCut, case .send(.cutAnswer, _) = action { return self.crashAtCut(index) }
        }
    }

    private mutating func perform(_ action: TakeOverAction, of index: Int) {
        let incarnation = self.hosts[index].incarnation
        switch action {
        case .send(let message, let receiver): self.send(message, from: index, to: Int(receiver.number))
        case .store(let record):
            self.hosts[index].record = record
            let redis = self.hosts[index].redis
            if record.isClean, redis.isUp, redis.role == .primary || redis.isLinkUp { self.noteWhole(index) }
            let delay = self.generator.time(from: 200_000, to: 3_000_000)
            self.schedule(.member(index, incarnation: incarnation, .stored(record)), after: delay)
        case .etcd(let action):
            guard !self.network.isEtcdCut[index] else { return }
            let delay = self.network.latency(using: &self.generator)
            self.schedule(.etcd(action, from: index, incarnation: incarnation), after: delay)
        case .redis(let action):
            self.note("\(index) asks its Redis: \(action)")
            let arrival = self.commandArrival(at: index)
            let run = self.hosts[index].redis.run
            self.queue.add(.redis(action, at: index, incarnation: incarnation, run: run), at: arrival)
        case .startServing(let ticket):
            let redis = self.hosts[index].redis
            guard self.isLive(index, redis.promotedRun, redis.promotedConnection) else {
                return self.note("\(index) finds the connection broken that wrote its marker")
            }
            self.note("\(index) serves epoch \(ticket.epoch.number)")
            self.hosts[index].serving = ticket
            self.hosts[index].hasLostMemory = false
            self.hosts[index].isDraining = false
            self.hosts[index].writesUnderWay = 0
            self.checker.noteServing(epoch: ticket.epoch.number, with: redis.log)
            self.schedule(.write(index, incarnation: incarnation, ticket), after: 1_000_000)
        case .pauseServing(let epoch):
            self.hosts[index].isDraining = true
            self.hosts[index].drainsSince = self.now
            if self.hosts[index].writesUnderWay == 0 { self.drain(index, epoch) }
        case .stopServing(let epoch):
            self.note("\(index) serves no more, epoch \(epoch.number)")
            self.hosts[index].serving = nil
        case .reportPosition, .admit: break
        case .stopped: self.crashManager(index, restartsAfter: 50_000_000)
        }
    }

    private mutating func send(_ message: PeerMessage, from sender: Int, to receiver: Int) {
        guard self.network.carriesMessages(from: sender, to: receiver),
            !self.generator.happens(perMille: self.network.lossChance)
        else { return }
        var message = message
        if self.mutation == .emptyMemberVotes, case .cutAnswer(let epoch, let position, _) = message {
            message = .cutAnswer(epoch, position: position, isVoter: true)
        }
        self.schedule(
            .message(message, from: sender, to: receiver),
            after: self.network.latency(using: &self.generator)
        )
        guard self.generator.happens(perMille: self.network.duplicationChance) else { return }
        let late = self.network.latency(using: &self.generator) + self.generator.time(from: 0, to: 500_000_000)
        self.schedule(.message(message, from: sender, to: receiver), after: late)
    }

    /// Whether the manager is stopped; the event then waits until it is not.
    mutating func isPaused(_ index: Int, _ event: WorldEvent) -> Bool {
        let until = self.hosts[index].managerPausedUntil
        guard until > self.now else { return false }
        self.queue.add(event, at: until)
        return true
    }

    mutating func drain(_ index: Int, _ epoch: Epoch) {
        let incarnation = self.hosts[index].incarnation
        self.schedule(.member(index, incarnation: incarnation, .drained(epoch)), after: 300_000)
    }

    mutating func startManager(_ index: Int) {
        guard self.hosts[index].machine == nil, !self.hosts[index].isGone else { return }
        self.hosts[index].incarnation += 1
        var record = self.hosts[index].record
        if self.mutation == .promiseForgotten { record.promise = Epoch(0) }
        if self.mutation == .emptyMemberVotes { record.isClean = true }
        var rules = TakeOverRules()
        switch self.mutation {
        case .promiseIgnored: (rules.keepsPromise, rules.followsOnlyKeyHolder) = (false, false)
        case .promiseForgotten, .deposedPrimaryFollowed: rules.followsOnlyKeyHolder = false
        case .unsettledLeader: rules.settlesBeforePromotion = false
        case .emptyMemberOverlooked: rules.needsOperatorForEmptyMember = false
        case .endlessHandOver: rules.boundsHandOver = false
        case .lastPrimaryWithoutVote: rules.needsVoteOfLastPrimary = false
        default: break
        }
        self.hosts[index].machine = MemberMachine(
            id: MemberID(UInt8(index)),
            membership: self.membership,
            record: record,
            terms: self.terms,
            rules: rules,
            at: Uptime(nanoseconds: self.now)
        )
        self.note("\(index) starts with \(record)")
        guard self.hosts[index].redis.isUp else { return }
        // A manager that finds its Redis running drops every connection that is not its own.
        self.dropConnections(of: index)
        self.deliver(.redis(self.start(of: index)), to: index)
    }

    mutating func crashManager(_ index: Int, restartsAfter delay: Int64) {
        guard self.hosts[index].machine != nil else { return }
        self.note("\(index) crashes")
        self.hosts[index].machine = nil
        self.hosts[index].incarnation += 1
        self.hosts[index].serving = nil
        self.hosts[index].crashesAfter = nil
        self.schedule(.startManager(index), after: delay)
        for other in 0..<self.memberCount where other != index && self.generator.happens(perMille: 700) {
            let lost = TakeOverEvent.disconnected(MemberID(UInt8(index)))
            self.schedule(.member(other, incarnation: self.hosts[other].incarnation, lost), after: 1_000_000)
        }
    }

    // MARK: etcd

    private mutating func executeInEtcd(_ action: EtcdAction, from index: Int, incarnation: Int) {
        guard !self.isEtcdDown else { return }
        self.note("etcd, for \(index): \(action)")
        let revision = self.etcd.revision
        switch action {
        case .readState(let askedAt): self.answer(.read(self.etcd.state, askedAt: askedAt), to: index, incarnation)
        case .raiseEpochs(let floor, let askedAt):
            self.etcd.raiseEpochs(above: floor, by: UInt64(self.generator.time(from: 1 << 20, to: 1 << 31)))
            self.answer(.read(self.etcd.state, askedAt: askedAt), to: index, incarnation)
        case .campaign(let askedAt):
            if let epoch = self.etcd.campaign(MemberID(UInt8(index)), at: self.now) {
                self.answer(.won(epoch, askedAt: askedAt), to: index, incarnation)
            } else {
                self.answer(.lost(askedAt: askedAt), to: index, incarnation)
            }
        case .keepAlive(let epoch, let askedAt):
            let isAlive = self.etcd.keepAlive(epoch, at: self.now)
            self.answer(isAlive ? .kept(epoch, askedAt: askedAt) : .expired(epoch), to: index, incarnation)
        case .found(let epoch):
            let isFounded = self.etcd.found(epoch)
            if isFounded, self.scenario == .lostFounder {
                self.schedule(.loseHost(index), after: self.generator.time(from: 0, to: 1_500_000_000))
            }
            self.answer(isFounded ? .founded(epoch) : .expired(epoch), to: index, incarnation)
        case .publish(let epoch):
            let isPublished = self.etcd.publish(epoch)
            self.answer(isPublished ? .published(epoch) : .expired(epoch), to: index, incarnation)
        case .removeLeader(let epoch): self.etcd.removeLeader(epoch)
        case .resign(let epoch, let preferred): self.etcd.resign(epoch, preferring: preferred)
        }
        if self.etcd.revision != revision { self.notifyWatchers() }
    }

    private mutating func answer(_ event: EtcdEvent, to index: Int, _ incarnation: Int) {
        guard !self.network.isEtcdCut[index] else { return }
        self.schedule(
            .member(index, incarnation: incarnation, .etcd(event)),
            after: self.network.latency(using: &self.generator)
        )
    }

    mutating func notifyWatchers() {
        guard !self.isEtcdDown else { return }
        for index in self.hosts.indices where self.hosts[index].machine != nil {
            self.answer(.state(self.etcd.state), to: index, self.hosts[index].incarnation)
        }
    }

    // MARK: The leader's loop

    private mutating func carryOutWrite(_ event: WorldEvent) {
        switch event {
        case .write(let index, let incarnation, let ticket):
            guard self.hosts[index].incarnation == incarnation, self.hosts[index].serving == ticket,
                !self.isPaused(index, event)
            else { return }
            self.schedule(event, after: self.generator.time(from: 20_000_000, to: 180_000_000))
            guard !self.hosts[index].isDraining, self.hosts[index].writesUnderWay < Self.writeBound else { return }
            self.hosts[index].writesUnderWay += 1
            let redis = self.hosts[index].redis
            let execute = WorldEvent.execute(
                index,
                run: redis.run,
                connection: redis.connection,
                write: self.checker.newWrite(),
                ticket
            )
            self.queue.add(execute, at: self.commandArrival(at: index))
        case .writeEnds(let index, let incarnation, let write, let length, let ticket, let executedAt, let replicas):
            guard self.hosts[index].incarnation == incarnation, !self.isPaused(index, event),
                let machine = self.hosts[index].machine
            else { return }
            if self.hosts[index].serving == ticket { self.hosts[index].writesUnderWay -= 1 }
            if machine.acknowledges(ticket, confirmedBy: replicas) || self.mutation == .noMajority {
                self.acknowledge(write, length: length, epoch: ticket.epoch.number, executedAt: executedAt)
            }
            self.deliver(.committed(ticket, replicas: replicas), to: index)
            if self.hosts[index].isDraining, self.hosts[index].serving == ticket, self.hosts[index].writesUnderWay == 0
            {
                self.drain(index, ticket.epoch)
            }
        default: break
        }
    }

    private mutating func acknowledge(_ write: Int, length: Int, epoch: UInt64, executedAt: Int64) {
        self.note("write \(write) of epoch \(epoch) is acknowledged as number \(length)")
        self.checker.acknowledge(write, length: length, epoch: epoch, executedAt: executedAt, at: self.now)
        if self.isHealed, executedAt > self.healedAt { self.hasServedSinceHealing = true }
    }
}
