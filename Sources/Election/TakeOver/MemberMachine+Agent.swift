import JobCore

/// The part that commands this member's own Redis, and nobody else's.
extension MemberMachine {
    enum RedisRole: Equatable, Sendable {
        /// Not known, or about to change.
        case unsettled
        /// It follows nobody, and nobody writes to it.
        case void
        case following(ClusterState.Holder)
        case primary(Epoch)
    }

    /// What Redis is to become; a newer wish takes the place of an older one.
    enum Wanted: Equatable, Sendable {
        case cut(Epoch, for: MemberID)
        case promotion(Epoch)
        case following(ClusterState.Holder)

        var epoch: Epoch {
            switch self {
            case .cut(let epoch, _), .promotion(let epoch): epoch
            case .following(let holder): holder.epoch
            }
        }
    }

    /// An operation that Redis has not answered.
    struct Operation: Sendable {
        enum Kind: Equatable, Sendable {
            case detach(Epoch)
            case promote(Epoch)
            case replicate(ClusterState.Holder)
        }

        let number: UInt64
        let kind: Kind
        let deadline: Uptime
    }

    /// A report that was asked for; it counts only if the role of Redis is still the same.
    struct Inspection: Sendable {
        let generation: UInt64
        let number: UInt64
        let askedAt: Uptime
    }

    /// The highest epoch that this member promised, on disk or about to be.
    var promised: Epoch {
        max(self.record.promise, self.storing?.promise ?? Epoch(0), self.wanted?.epoch ?? Epoch(0))
    }

    /// Obeys a candidate (P2, P3), which may be this member itself, once etcd bears it out.
    ///
    /// Who says that it holds the leader key need not be believed, since etcd knows. Nothing is promised on the word of
    /// another member: a promise is for ever, and one that no epoch can ever reach would end the cluster.
    mutating func cut(_ epoch: Epoch, for candidate: MemberID, at now: Uptime) {
        guard candidate == self.id || self.observed.leader == ClusterState.Holder(epoch: epoch, member: candidate)
        else { return self.doubt(epoch, of: candidate, at: now) }
        self.unproven = nil
        guard epoch >= self.promised || !self.rules.keepsPromise else {
            self.send(.cutRefused(epoch, promised: self.promised), to: candidate)
            return
        }
        // A late copy must not undo what the cut led to.
        guard self.settledEpoch != epoch else { return }
        if let tenure, tenure.epoch != epoch { self.relinquish(at: now) }
        self.wanted = .cut(epoch, for: candidate)
        self.step(at: now)
    }

    /// Asks etcd about a candidate, unless it has answered already.
    private mutating func doubt(_ epoch: Epoch, of candidate: MemberID, at now: Uptime) {
        guard epoch.number > self.observed.revision else {
            if epoch < self.promised { self.send(.cutRefused(epoch, promised: self.promised), to: candidate) }
            return
        }
        if self.unproven.map({ $0.epoch < epoch }) ?? true {
            self.unproven = ClusterState.Holder(epoch: epoch, member: candidate)
        }
        self.readSoon(at: now)
    }

    /// Follows the primary that etcd names, if that is still the leader (P2).
    ///
    /// An older primary is not followed once there is a newer leader key: this member may have promised itself to that
    /// leader and forgotten it together with its disk.
    mutating func considerFollowing(at now: Uptime) {
        guard let primary = self.observed.primary, primary.member != self.id, self.tenure == nil,
            primary == self.observed.leader || !self.rules.followsOnlyKeyHolder,
            primary.epoch >= self.promised || !self.rules.keepsPromise,
            self.redisRole != .following(primary), self.wanted != .following(primary)
        else { return }
        if let operation, operation.kind == .replicate(primary) { return }
        if let wanted, wanted.epoch > primary.epoch { return }
        self.wanted = .following(primary)
    }

    /// Does the next thing towards what is wanted, unless one is under way.
    mutating func step(at now: Uptime) {
        guard let wanted, self.isRedisUp, self.operation == nil, self.storing == nil, now >= self.operationRetryAt
        else {
            return
        }
        switch wanted {
        case .cut(let epoch, let candidate):
            guard self.record.promise >= epoch || !self.rules.keepsPromise else {
                return self.store(promise: epoch, isClean: self.record.isClean)
            }
            guard self.detachedFor == epoch else { return self.start(.detach(epoch), at: now) }
            self.wanted = nil
            self.answerCut(epoch, to: candidate, at: now)
        case .promotion(let epoch):
            self.start(.promote(epoch), at: now)
        case .following(let primary):
            guard self.record.promise >= primary.epoch || !self.rules.keepsPromise, !self.record.isClean else {
                let promise = max(self.record.promise, primary.epoch)
                return self.store(promise: promise, isClean: false)
            }
            self.start(.replicate(primary), at: now)
        }
    }

    mutating func receive(_ event: RedisEvent, at now: Uptime) {
        switch event {
        case .started(let isIntact, let run): self.noteStart(of: run, isIntact: isIntact, at: now)
        case .stopped: self.noteStop(at: now)
        case .detached(let number, let report):
            guard let operation = self.finish(number), case .detach(let epoch) = operation.kind else { return }
            self.redisRole = .void
            self.detachedFor = epoch
            self.detachedPosition = report.position
            self.noteData(in: report, detachedFor: epoch)
            self.assess(report)
            self.step(at: now)
        case .promoted(let number, _):
            guard let operation = self.finish(number), case .promote(let epoch) = operation.kind else { return }
            self.redisRole = .primary(epoch)
            if self.wanted == .promotion(epoch) { self.wanted = nil }
            self.notePromotion(of: epoch, at: now)
        case .replicating(let number, let name):
            guard let operation = self.finish(number), case .replicate(let primary) = operation.kind else { return }
            self.redisRole = .following(primary)
            if self.wanted == .following(primary) { self.wanted = nil }
            self.inspectionAt = now
            self.replicaName = name
            self.announce()
        case .failed(let number):
            guard let operation = self.finish(number) else { return }
            self.noteFailure(of: operation, at: now)
        case .markerHeld(let epoch, let replicas): self.noteMarker(of: epoch, heldBy: replicas, at: now)
        case .inspected(let number, let report):
            guard let inspection, inspection.number == number else { return }
            self.inspection = nil
            guard inspection.generation == self.generation, self.operation == nil else { return }
            self.assess(report)
            self.noteReplicas(report.replicas, at: now)
        }
    }

    /// Tells the primary that is followed which of its replicas is this one.
    mutating func announce() {
        guard case .following(let primary) = self.redisRole, let replicaName else { return }
        self.send(.announce(primary.epoch, as: replicaName), to: primary.member)
    }

    mutating func finishStoring(_ record: MemberRecord, at now: Uptime) {
        guard self.storing == record else { return }
        self.storing = nil
        self.record = record
        if record.isClean, self.isRedisUp, !self.isTrusted || !record.vouches(for: self.redisRun) {
            // Redis was started, perhaps on less than that, while the record was on its way to disk.
            return self.store(promise: record.promise, isClean: self.isTrusted)
        }
        self.promoteWhenClean(at: now)
        self.step(at: now)
    }

    mutating func expireOperation(at now: Uptime) {
        guard let operation, now >= operation.deadline else { return }
        self.operation = nil
        self.noteFailure(of: operation, at: now)
    }

    /// Asks for a report as long as something depends on one.
    mutating func inspectWhenDue(at now: Uptime) {
        guard self.isRedisUp, self.needsInspection else { return }
        if let inspection {
            guard now >= inspection.askedAt + self.terms.redisBound else { return }
            self.inspection = nil
            // A Redis that answers nothing confirms nothing either.
            self.relinquish(at: now)
        }
        guard now >= self.inspectionAt, self.operation == nil else { return }
        self.operationCount += 1
        self.inspection = Inspection(generation: self.generation, number: self.operationCount, askedAt: now)
        let isIdle = self.record.isClean && self.tenure == nil
        self.inspectionAt = now + (isIdle ? self.terms.idleInspectionInterval : self.terms.inspectionInterval)
        self.actions.append(.redis(.inspect(operation: self.operationCount)))
    }

    /// Whether the state of Redis is of interest.
    var needsInspection: Bool {
        guard let tenure else { return self.redisRole != .unsettled }
        return tenure.isServing || tenure.isSettling
    }

    private mutating func start(_ kind: Operation.Kind, at now: Uptime) {
        self.generation += 1
        self.operationCount += 1
        let number = self.operationCount
        self.operation = Operation(number: number, kind: kind, deadline: now + self.terms.redisBound)
        self.redisRole = .unsettled
        let wasDetachedFor = self.detachedFor
        self.detachedFor = nil
        switch kind {
        case .detach: self.actions.append(.redis(.detach(operation: number)))
        case .promote(let epoch):
            self.settledEpoch = epoch
            self.caughtUpWith = nil
            self.actions.append(.redis(.promote(operation: number, epoch)))
        case .replicate(let primary):
            self.settledEpoch = primary.epoch
            let hasEarlierData = wasDetachedFor == primary.epoch && self.detachedPosition.epoch < primary.epoch
            self.caughtUpWith = hasEarlierData ? primary.epoch : nil
            self.actions.append(.redis(.replicate(operation: number, from: primary.member)))
        }
    }

    /// The operation that this number belongs to, if it is the one that is under way; it is under way no more.
    private mutating func finish(_ number: UInt64) -> Operation? {
        guard let operation, operation.number == number else { return nil }
        self.operation = nil
        return operation
    }

    private mutating func noteFailure(of operation: Operation, at now: Uptime) {
        self.operationRetryAt = now + self.terms.retryInterval
        if case .promote(let epoch) = operation.kind, self.tenure?.epoch == epoch { self.relinquish(at: now) }
    }

    private mutating func answerCut(_ epoch: Epoch, to candidate: MemberID, at now: Uptime) {
        guard candidate == self.id else {
            self.send(.cutAnswer(epoch, position: self.detachedPosition, isVoter: self.isTrusted), to: candidate)
            return
        }
        let answer = Canvass.Answer(member: self.id, position: self.detachedPosition, isVoter: self.isTrusted)
        self.takeAnswer(answer, to: epoch, at: now)
    }

    private mutating func noteStart(of run: RedisRun?, isIntact: Bool, at now: Uptime) {
        self.forgetRedis(at: now)
        self.isRedisUp = true
        self.redisRun = run
        self.redisRole = .void
        self.operationRetryAt = now
        self.isTrusted = isIntact && self.record.vouches(for: run)
        if self.record.isClean, !self.isTrusted, self.storing == nil {
            self.store(promise: self.record.promise, isClean: false)
        }
        self.inspectionAt = now
    }

    private mutating func noteStop(at now: Uptime) {
        self.forgetRedis(at: now)
        self.isRedisUp = false
    }

    private mutating func forgetRedis(at now: Uptime) {
        self.generation += 1
        self.operation = nil
        self.inspection = nil
        self.detachedFor = nil
        self.emptySince = nil
        self.caughtUpWith = nil
        self.redisRole = .unsettled
        self.isTrusted = false
        if self.tenure != nil { self.relinquish(at: now) }
    }

    /// Whether this run of Redis was there when the cluster began, without data as everybody was, and has run since.
    ///
    /// Then it has everything that this member ever confirmed, even if that is nothing.
    var isFounder: Bool {
        guard let founded = self.observed.founded, let emptySince else { return false }
        return emptySince <= founded
    }

    /// Takes in how far the data was when Redis was detached for an epoch.
    ///
    /// Data of the epoch whose primary was followed came from there with the marker of that epoch, which comes after
    /// everything that was ever acknowledged before; it is whole, whether or not a report has told that in between.
    ///
    /// A member that has lost its disk must not take itself for a founder because a cut of that time comes late. Its process
    /// started after the disk was gone, and so after etcd had the founding.
    private mutating func noteData(in report: RedisReport, detachedFor epoch: Epoch) {
        if report.position > Self.noPosition {
            if let caughtUpWith, report.position.epoch >= caughtUpWith, !report.isSynchronizing {
                self.isTrusted = true
            }
        } else if self.emptySince == nil, self.hasSeenUnfounded, !report.isSynchronizing {
            self.emptySince = epoch
        }
        self.caughtUpWith = nil
    }

    /// Takes in that etcd may have told of the founding, after this member was cut for it or for a later epoch.
    mutating func considerFounding(at now: Uptime) {
        guard self.isFounder, !self.isTrusted, self.redisRole == .void else { return }
        self.isTrusted = true
        self.inspectionAt = now
        guard let tenure, case .cutting(let canvass) = tenure.stage, canvass.hasAnswer(of: self.id) else { return }
        self.answerCut(tenure.epoch, to: self.id, at: now)
    }

    /// Judges whether the data has everything that this member ever confirmed, and whether that is on disk (P9).
    ///
    /// A detached Redis keeps what it had, unless it was detached while it loaded another data set. A follower whose
    /// link is up has what the leader had, and a leader had everything that was ever acknowledged.
    private mutating func assess(_ report: RedisReport) {
        switch self.redisRole {
        case .unsettled: return
        case .void:
            // One that is to lead was found to have everything, even if that is nothing.
            let isLeading = self.tenure?.isSettling ?? false
            let hasData = report.position > Self.noPosition
            self.isTrusted =
                isLeading || !report.isSynchronizing && (self.isFounder || self.isTrusted && hasData)
        case .following:
            guard report.isLinkUp, !report.isSynchronizing else { return }
            self.isTrusted = true
        case .primary: break
        }
        guard self.storing == nil else { return }
        let wasClean = self.record.isClean
        let isClean = self.isTrusted && !report.hasTransferFile && (wasClean || !report.isRewriting)
        if isClean != wasClean {
            self.store(promise: self.record.promise, isClean: isClean)
        } else if self.isTrusted, report.hasTransferFile, !report.isRewriting {
            // What it held is in the AOF by now. Only a report that finds no new one makes the member clean.
            self.actions.append(.redis(.removeTransferFile))
        }
    }

    mutating func store(promise: Epoch, isClean: Bool) {
        let record = MemberRecord(promise: promise, isClean: isClean, run: isClean ? self.redisRun : nil)
        self.storing = record
        self.actions.append(.store(record))
    }
}
