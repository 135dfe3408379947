import Election
import JobCore

/// What the Redis of the members do.
extension TakeOverWorld {
    mutating func carryOutInRedis(_ event: WorldEvent) {
        switch event {
        case .redis(let action, let index, let incarnation, let run):
            guard self.hosts[index].redis.run == run, self.hosts[index].redis.isUp,
                self.hosts[index].incarnation == incarnation, !self.isRedisPaused(index, event)
            else { return }
            self.execute(action, at: index, incarnation)
        case .attach(let index, let link):
            guard self.hosts[index].redis.link == link, !self.isRedisPaused(index, event) else { return }
            self.attach(index, link)
        case .load(let index, let link):
            guard self.hosts[index].redis.link == link, !self.isRedisPaused(index, event) else { return }
            self.hosts[index].redis.olderLog = self.hosts[index].redis.olderLog ?? self.logOnDisk(of: index)
            self.hosts[index].redis.log = []
            self.hosts[index].redis.syncedCount = 0
            self.hosts[index].redis.hasTransferFile = true
            self.hosts[index].redis.isLoading = true
            self.hosts[index].redis.rewriteCount += 1
            let run = self.hosts[index].redis.run
            self.schedule(
                .loaded(index, run: run, link: link),
                after: self.generator.time(from: 2_000_000, to: 60_000_000)
            )
        case .loaded(let index, let run, let link):
            guard self.hosts[index].redis.run == run, !self.isRedisPaused(index, event) else { return }
            self.finishLoading(index, link)
        case .rewritten(let index, let run, let rewrite):
            guard self.hosts[index].redis.run == run, self.hosts[index].redis.rewriteCount == rewrite,
                !self.isRedisPaused(index, event)
            else { return }
            self.hosts[index].redis.olderLog = nil
        case .stream(let entry, let position, let index, let link):
            guard self.hosts[index].redis.link == link, !self.isRedisPaused(index, event) else { return }
            self.receive(entry, index: position, at: index, link, event)
        case .synced(let index, let length, let link):
            guard self.hosts[index].redis.link == link, !self.isRedisPaused(index, event) else { return }
            self.confirm(length, by: index, link)
        case .confirmed(let index, let replica, let length, let link):
            guard self.hosts[index].redis.replicaLinks[replica] == link, !self.isRedisPaused(index, event) else {
                return
            }
            guard self.network.carriesStream(from: replica, to: index) else {
                return self.schedule(event, after: 100_000_000)
            }
            let known = self.hosts[index].redis.confirmedCounts[replica]
            self.hosts[index].redis.confirmedCounts[replica] = max(known, length)
            self.endWaits(at: index)
        case .execute(let index, let run, let connection, let write, let ticket):
            guard self.isLive(index, run, connection), !self.isRedisPaused(index, event),
                self.hosts[index].redis.role == .primary
            else { return }
            self.append(LogEntry(epoch: ticket.epoch.number, write: write), at: index)
            self.waitCount += 1
            let wait = SimulatedRedis.Wait(
                number: self.waitCount,
                purpose: .write(write, ticket, executedAt: self.now),
                length: self.hosts[index].redis.log.count,
                replicaCount: self.membership.majority - 1
            )
            let delay = self.generator.time(from: 100_000, to: 1_500_000)
            self.schedule(.executed(index, run: run, connection: connection, wait), after: delay)
        case .executed(let index, let run, let connection, let wait):
            guard self.isLive(index, run, connection), !self.isRedisPaused(index, event) else { return }
            self.sync(wait.length, at: index)
            self.begin(wait, at: index, within: 1_000_000_000)
        case .waitEnds(let index, let run, let connection, let number):
            guard self.isLive(index, run, connection), !self.isRedisPaused(index, event),
                let position = self.hosts[index].redis.waits.firstIndex(where: { $0.number == number })
            else { return }
            let wait = self.hosts[index].redis.waits.remove(at: position)
            self.end(wait, at: index)
        default: break
        }
    }

    /// When a command that is sent now arrives; commands do not overtake each other.
    mutating func commandArrival(at index: Int) -> Int64 {
        let arrival = self.now + self.generator.time(from: 20_000, to: 400_000)
        let last = max(arrival, self.hosts[index].redis.lastCommandAt)
        self.hosts[index].redis.lastCommandAt = last
        return last
    }

    /// Drops the connections of clients and of replicas, which try again.
    mutating func dropConnections(of index: Int) {
        for replica in 0..<self.memberCount where self.hosts[index].redis.replicaLinks[replica] != 0 {
            self.reconnect(replica, to: index)
        }
        self.hosts[index].redis.dropConnections()
    }

    mutating func stopRedis(_ index: Int, losesPower: Bool) {
        guard self.hosts[index].redis.isUp else { return }
        self.note("the Redis of \(index) stops\(losesPower ? ", power is lost" : "")")
        self.dropConnections(of: index)
        self.detachFromPrimary(index)
        self.hosts[index].redis.stop()
        if losesPower || self.isInMemory, self.hosts[index].redis.olderLog == nil {
            let unsyncedCount = self.hosts[index].redis.log.count - self.hosts[index].redis.syncedCount
            let lostCount = self.generator.number(below: unsyncedCount + 1)
            self.hosts[index].redis.log.removeLast(lostCount)
        }
        self.tell(index, .stopped)
    }

    mutating func startRedis(_ index: Int, losesData: Bool) {
        guard !self.hosts[index].redis.isUp else { return }
        self.hosts[index].redis.start()
        if losesData {
            self.hosts[index].redis.log = []
            self.hosts[index].redis.syncedCount = 0
            self.hosts[index].redis.hasTransferFile = false
        }
        let position = self.hosts[index].redis.position
        self.note("the Redis of \(index) starts at \(position)")
        self.tell(index, self.start(of: index))
    }

    /// The log that would be loaded if Redis were stopped now; in memory it lacks something of the end.
    private mutating func logOnDisk(of index: Int) -> [LogEntry] {
        let redis = self.hosts[index].redis
        guard self.isInMemory else { return redis.log }
        return redis.log.dropLast(self.generator.number(below: redis.log.count - redis.syncedCount + 1))
    }

    /// What an agent tells that finds this Redis running.
    func start(of index: Int) -> RedisEvent {
        let redis = self.hosts[index].redis
        let isIntact =
            switch self.mutation {
            case .emptyMemberVotes: true
            case .resynchronizationForgotten: !redis.log.isEmpty
            default: !redis.hasTransferFile && !redis.log.isEmpty
            }
        let namesRun = self.isInMemory && self.mutation != .restartedMemberVotes
        return .started(isIntact: isIntact, run: namesRun ? RedisRun("\(redis.run)") : nil)
    }

    /// So much of the log comes to the disk, unless nobody waits for that.
    private mutating func sync(_ length: Int, at index: Int) {
        guard !self.isInMemory else { return }
        self.hosts[index].redis.syncedCount = max(self.hosts[index].redis.syncedCount, length)
    }

    private mutating func tell(_ index: Int, _ event: RedisEvent) {
        let incarnation = self.hosts[index].incarnation
        self.schedule(.member(index, incarnation: incarnation, .redis(event)), after: 200_000)
    }

    private mutating func isRedisPaused(_ index: Int, _ event: WorldEvent) -> Bool {
        let until = self.hosts[index].redisPausedUntil
        guard until > self.now else { return false }
        self.queue.add(event, at: until)
        return true
    }

    /// Whether a connection that was made then is still there.
    func isLive(_ index: Int, _ run: Int, _ connection: Int) -> Bool {
        let redis = self.hosts[index].redis
        return redis.run == run && redis.isUp && redis.connection == connection
    }

    // MARK: Commands of the agent

    private mutating func execute(_ action: RedisAction, at index: Int, _ incarnation: Int) {
        if self.hosts[index].redis.isLoading {
            // Redis refuses to change its role while it loads.
            switch action {
            case .detach(let operation), .promote(let operation, _), .replicate(let operation, _):
                return self.answer(.failed(operation: operation), from: index, incarnation)
            case .awaitMarker, .removeTransferFile, .inspect: break
            }
        }
        switch action {
        case .detach(let operation):
            if self.mutation != .noCut {
                self.dropConnections(of: index)
                self.detachFromPrimary(index)
                self.hosts[index].redis.role = .void
            }
            self.hosts[index].redis.detachedRun = self.hosts[index].redis.run
            self.answer(.detached(operation: operation, self.report(of: index)), from: index, incarnation)
        case .promote(let operation, let epoch):
            // Either of these rules hides nearly every loss that the other one prevents: they are broken together.
            let isOfAnotherRun = self.hosts[index].redis.detachedRun != self.hosts[index].redis.run
            guard !isOfAnotherRun || self.mutation == .unsettledLeader else {
                return self.answer(.failed(operation: operation), from: index, incarnation)
            }
            self.hosts[index].redis.detachedRun = -1
            self.dropConnections(of: index)
            self.detachFromPrimary(index)
            self.hosts[index].redis.role = .primary
            self.hosts[index].redis.promotedRun = self.hosts[index].redis.run
            self.hosts[index].redis.promotedConnection = self.hosts[index].redis.connection
            self.append(LogEntry(epoch: epoch.number, write: nil), at: index)
            self.sync(self.hosts[index].redis.log.count, at: index)
            let position = self.hosts[index].redis.position
            self.answer(.promoted(operation: operation, position), from: index, incarnation)
        case .replicate(let operation, let primary):
            self.hosts[index].redis.detachedRun = -1
            self.dropConnections(of: index)
            self.detachFromPrimary(index)
            self.hosts[index].redis.role = .replica(of: Int(primary.number))
            self.beginLink(of: index, after: self.generator.time(from: 1_000_000, to: 20_000_000))
            self.answer(.replicating(operation: operation, as: nil), from: index, incarnation)
        case .awaitMarker(let epoch, let replicaCount, let bound):
            guard let length = self.hosts[index].redis.log.firstIndex(where: { $0.isMarker(of: epoch) }) else { return }
            self.waitCount += 1
            let wait = SimulatedRedis.Wait(
                number: self.waitCount,
                purpose: .marker(epoch),
                length: length + 1,
                replicaCount: replicaCount
            )
            self.begin(wait, at: index, within: bound.wholeNanoseconds)
        case .removeTransferFile: self.hosts[index].redis.hasTransferFile = false
        case .inspect(let operation):
            self.answer(.inspected(operation: operation, self.report(of: index)), from: index, incarnation)
        }
    }

    private func report(of index: Int) -> RedisReport {
        var report = self.hosts[index].redis.report
        if self.mutation == .lengthCompared { report.position.epoch = Epoch(0) }
        return report
    }

    private mutating func answer(_ event: RedisEvent, from index: Int, _ incarnation: Int) {
        let delay = self.generator.time(from: 20_000, to: 400_000)
        self.schedule(.member(index, incarnation: incarnation, .redis(event)), after: delay)
    }

    // MARK: Replication

    private mutating func append(_ entry: LogEntry, at index: Int) {
        self.hosts[index].redis.log.append(entry)
        self.checker.note(entry, heldBy: index)
        let length = self.hosts[index].redis.log.count
        for replica in 0..<self.memberCount {
            let link = self.hosts[index].redis.replicaLinks[replica]
            guard link != 0 else { continue }
            let delay = self.network.latency(using: &self.generator)
            self.schedule(.stream(entry, index: length, to: replica, link: link), after: delay)
        }
    }

    private mutating func receive(_ entry: LogEntry, index: Int, at replica: Int, _ link: Int, _ event: WorldEvent) {
        guard case .replica(let primary) = self.hosts[replica].redis.role else { return }
        let redis = self.hosts[replica].redis
        guard index > redis.log.count || redis.isLoading else { return }
        guard index == redis.log.count + 1, !redis.isLoading, redis.isLinkUp,
            self.network.carriesStream(from: primary, to: replica)
        else { return self.schedule(event, after: 60_000_000) }
        self.hosts[replica].redis.log.append(entry)
        self.checker.note(entry, heldBy: replica)
        let delay = self.generator.time(from: 100_000, to: 1_500_000)
        self.schedule(.synced(replica, length: index, link: link), after: delay)
    }

    private mutating func confirm(_ length: Int, by replica: Int, _ link: Int) {
        guard case .replica(let primary) = self.hosts[replica].redis.role else { return }
        self.sync(length, at: replica)
        let delay = self.network.latency(using: &self.generator)
        self.schedule(.confirmed(primary, by: replica, length: length, link: link), after: delay)
    }

    private mutating func beginLink(of index: Int, after delay: Int64) {
        self.linkCount += 1
        self.hosts[index].redis.link = self.linkCount
        self.hosts[index].redis.isLinkUp = false
        self.schedule(.attach(index, link: self.linkCount), after: delay)
    }

    /// The primary closed the connection, or it broke; the replica connects again by itself.
    mutating func reconnect(_ replica: Int, to primary: Int) {
        self.hosts[primary].redis.replicaLinks[replica] = 0
        guard self.hosts[replica].redis.isUp, self.hosts[replica].redis.role == .replica(of: primary) else { return }
        self.beginLink(of: replica, after: self.generator.time(from: 20_000_000, to: 200_000_000))
    }

    private mutating func detachFromPrimary(_ index: Int) {
        if case .replica(let primary) = self.hosts[index].redis.role {
            self.hosts[primary].redis.replicaLinks[index] = 0
        }
        self.hosts[index].redis.link = 0
        self.hosts[index].redis.isLinkUp = false
    }

    private mutating func attach(_ index: Int, _ link: Int) {
        guard case .replica(let primary) = self.hosts[index].redis.role else { return }
        let source = self.hosts[primary].redis
        guard !self.hosts[index].redis.isLoading, source.isUp, source.role == .primary,
            self.hosts[primary].redisPausedUntil <= self.now,
            self.network.carriesStream(from: primary, to: index), self.network.carriesStream(from: index, to: primary)
        else {
            return self.schedule(
                .attach(index, link: link),
                after: self.generator.time(from: 60_000_000, to: 200_000_000)
            )
        }
        self.hosts[primary].redis.replicaLinks[index] = link
        self.hosts[primary].redis.confirmedCounts[index] = 0
        let own = self.hosts[index].redis.log
        let isPrefix = own.isEmpty || own.count <= source.log.count && source.log[own.count - 1] == own[own.count - 1]
        let isResumable = self.hosts[index].redis.canResume && isPrefix && !own.isEmpty
        if isResumable, !self.generator.happens(perMille: self.wholeDataChance) {
            self.hosts[index].redis.isLinkUp = true
            for length in own.count..<source.log.count {
                let delay = self.network.latency(using: &self.generator)
                self.schedule(.stream(source.log[length], index: length + 1, to: index, link: link), after: delay)
            }
            return self.schedule(.synced(index, length: own.count, link: link), after: 1_000_000)
        }
        self.note("\(index) gets the whole data set of \(primary)")
        self.hosts[index].redis.incoming = source.log
        self.schedule(.load(index, link: link), after: self.generator.time(from: 2_000_000, to: 300_000_000))
    }

    private mutating func finishLoading(_ index: Int, _ link: Int) {
        let log = self.hosts[index].redis.incoming
        self.hosts[index].redis.incoming = []
        self.hosts[index].redis.log = log
        self.hosts[index].redis.syncedCount = log.count
        self.hosts[index].redis.isLoading = false
        self.hosts[index].redis.canResume = true
        for entry in log { self.checker.note(entry, heldBy: index) }
        let rewrite = self.generator.time(from: 5_000_000, to: 500_000_000)
        self.hosts[index].redis.rewriteCount += 1
        let redis = self.hosts[index].redis
        self.schedule(.rewritten(index, run: redis.run, rewrite: redis.rewriteCount), after: rewrite)
        if self.hosts[index].crashesInRewrite {
            self.hosts[index].crashesInRewrite = false
            self.schedule(.losePower(index), after: self.generator.time(from: 0, to: rewrite))
        }
        // A link that broke meanwhile is made anew.
        guard self.hosts[index].redis.link == link else { return }
        self.hosts[index].redis.isLinkUp = true
        self.schedule(.synced(index, length: log.count, link: link), after: 1_000_000)
    }

    // MARK: WAIT

    private mutating func begin(_ wait: SimulatedRedis.Wait, at index: Int, within bound: Int64) {
        self.hosts[index].redis.waits.append(wait)
        let redis = self.hosts[index].redis
        self.schedule(
            .waitEnds(index, run: redis.run, connection: redis.connection, wait: wait.number),
            after: bound
        )
        self.endWaits(at: index)
    }

    private mutating func endWaits(at index: Int) {
        var position = 0
        while position < self.hosts[index].redis.waits.count {
            let wait = self.hosts[index].redis.waits[position]
            if self.hosts[index].redis.replicas(holding: wait.length).count >= wait.replicaCount
                || self.mutation == .noMajority
            {
                self.hosts[index].redis.waits.remove(at: position)
                self.end(wait, at: index)
            } else {
                position += 1
            }
        }
    }

    private mutating func end(_ wait: SimulatedRedis.Wait, at index: Int) {
        let replicas = self.hosts[index].redis.replicas(holding: wait.length)
        let incarnation = self.hosts[index].incarnation
        let delay = self.generator.time(from: 20_000, to: 400_000)
        switch wait.purpose {
        case .marker(let epoch):
            let event = RedisEvent.markerHeld(epoch, by: replicas)
            self.schedule(.member(index, incarnation: incarnation, .redis(event)), after: delay)
        case .write(let write, let ticket, let executedAt):
            self.schedule(
                .writeEnds(
                    index,
                    incarnation: incarnation,
                    write: write,
                    length: wait.length,
                    ticket,
                    executedAt: executedAt,
                    replicas: replicas
                ),
                after: delay
            )
        }
    }
}

extension LogEntry {
    func isMarker(of epoch: Epoch) -> Bool {
        self.write == nil && self.epoch == epoch.number
    }
}
