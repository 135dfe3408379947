package import Election
import JobCore
import Synchronization

/// Who leads a cluster, kept in etcd.
///
/// Each member has a register of its own. The leader key holds the number of the member and goes with the member's lease;
/// its create revision, counted from the ``EpochBase``, is the epoch. The primary key holds the epoch and the number of the member that may be followed, and
/// the preference the number of the one that had better lead next. The epoch with which the cluster began is a key, too.
///
/// The list of members is a key, too, and no bid wins unless that key is still the one whose value this member saw to be
/// its own list. So each epoch belongs to one list, whatever the watch has yet to tell; see ``EtcdMemberList`` for what
/// rests on that.
package final class EtcdLeaderRegister: LeaderRegister {
    private let client: EtcdClient
    private let keys: ElectionKeys
    private let member: MemberID
    private let memberList: String
    private let timeToLive: Duration
    /// The revision at which etcd's list of members was put, once it was seen to be the same; nothing is done without.
    private let agreedRevision = Mutex<UInt64?>(nil)
    /// What an operator ought to know of etcd.
    private let notes = Mutex(Notes())
    private let warn: @Sendable (String) -> Void
    /// The base as it was in the state that came last.
    private let base = Mutex<EpochBase>(.none)
    /// The lease of each epoch that was won and has not been given up, and the revision at which its key was created.
    private let leases = Mutex<[Epoch: (lease: LeaseID, createRevision: UInt64)]>([:])

    private struct Notes {
        /// Why no bid can be made, since etcd takes none; nil as long as it does.
        var refusal: String?
        /// What etcd says of itself.
        var conditions: [String] = []
        /// When that was told last.
        var toldAt: [String: ContinuousClock.Instant] = [:]
    }

    /// How long a trouble that stays is not told again.
    private static let silence = Duration.seconds(60)

    /// - Parameters:
    ///   - memberList: the members and where they are, in a form that is the same for all of them.
    ///   - warn: is told what an operator ought to know of etcd, in words; the same not more than once a minute.
    package init(
        client: EtcdClient,
        keys: ElectionKeys,
        member: MemberID,
        memberList: String,
        timeToLive: Duration,
        warn: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.warn = warn
        self.client = client
        self.keys = keys
        self.member = member
        self.memberList = memberList
        self.timeToLive = timeToLive
    }

    package func perform(_ action: EtcdAction) async -> EtcdEvent? {
        guard let agreed = self.agreedRevision.withLock({ $0 }) else {
            // The watch has yet to see the list, or saw another one; a bid has to be answered all the same.
            if case .campaign(let askedAt) = action { return .lost(askedAt: askedAt) }
            return nil
        }
        switch action {
        case .readState(let askedAt):
            guard let snapshot = try? await self.client.get(prefix: self.keys.prefix) else { return nil }
            return .read(self.state(of: snapshot), askedAt: askedAt)
        case .raiseEpochs(let floor, let askedAt):
            guard let snapshot = try? await self.raiseEpochs(above: floor) else { return nil }
            return .read(self.state(of: snapshot), askedAt: askedAt)
        case .campaign(let askedAt):
            return await self.campaign(askedAt: askedAt, withListOf: agreed)
        case .keepAlive(let epoch, let askedAt):
            return await self.keepAlive(epoch, askedAt: askedAt)
        case .found(let epoch):
            return await self.found(epoch)
        case .publish(let epoch):
            return await self.publish(epoch)
        case .removeLeader(let epoch):
            guard let revision = self.base.withLock({ $0.revision(of: epoch) }) else { return nil }
            _ = try? await self.client.delete(self.keys.leader, ifCreatedAt: revision)
            return nil
        case .resign(let epoch, let preferred):
            await self.resign(epoch, preferring: preferred)
            return nil
        }
    }

    /// Tells the state, as promised, once etcd has the same list of members.
    ///
    /// The first member of a cluster writes the list, and ``EtcdMemberList`` changes it. Two members with two lists could
    /// each find a majority of its own, so that one with another list throws `.refused`, at once or when it is changed,
    /// and does nothing any more.
    package func watch(_ tell: @Sendable (ClusterState) -> Void) async throws {
        for try await snapshot in self.client.watch(prefix: self.keys.prefix) {
            guard let list = snapshot.entries[self.keys.membership] else {
                // What is there is told with the next state, which this leads to.
                try await self.writeMemberList()
                continue
            }
            guard list.text == self.memberList else {
                self.agreedRevision.withLock { $0 = nil }
                throw EtcdError.refused(reason: Self.disagreement(with: list.text, of: self.memberList))
            }
            self.agreedRevision.withLock { $0 = list.modRevision }
            tell(self.state(of: snapshot))
        }
    }

    private func state(of snapshot: EtcdSnapshot) -> ClusterState {
        self.base.withLock { $0 = EpochBase(snapshot, keys: self.keys) }
        return ClusterState(snapshot, keys: self.keys)
    }

    /// Sees to it that the next epoch is greater than this one, and removes the leader key if that takes another base.
    ///
    /// - Returns: what there is afterwards.
    private func raiseEpochs(above floor: Epoch) async throws(EtcdError) -> EtcdSnapshot {
        let before = try await self.client.get(prefix: self.keys.prefix)
        let base = EpochBase(before, keys: self.keys)
        guard base.epoch(ofRevision: before.revision) < floor else { return before }
        let raised = floor.number + UInt64.random(in: EpochBase.strides)
        // If another member was faster, the next state tells by how much.
        _ = try await self.client.transact(
            if: [base.condition(under: self.keys)],
            [.put(self.keys.epochBase, Array("\(raised)".utf8)), .delete(self.keys.leader)]
        )
        return try await self.client.get(prefix: self.keys.prefix)
    }

    private static func disagreement(with list: String, of own: String) -> String {
        "the members are \(list) in etcd, and \(own) in the settings of this host: put etcd's into cluster.members, "
            + "or make those of the settings etcd's with millrace cluster members change"
    }

    /// Writes the list unless there is one; afterwards there is.
    private func writeMemberList() async throws {
        while true {
            do throws(EtcdError) {
                _ = try await self.client.transact(
                    if: [.isAbsent(self.keys.membership)],
                    [.put(self.keys.membership, Array(self.memberList.utf8))]
                )
                return
            } catch {
                guard case .unavailable = error else { throw error }
            }
            try await Task.sleep(for: EtcdWatch.shortestPause)
        }
    }

    private func campaign(askedAt: Uptime, withListOf agreed: UInt64) async -> EtcdEvent {
        let lease: LeaseID
        do throws(EtcdError) {
            lease = try await self.client.grantLease(timeToLive: self.timeToLive).id
            self.notes.withLock { $0.refusal = nil }
        } catch {
            self.note(error)
            return .lost(askedAt: askedAt)
        }
        let value = Array("\(self.member.number)".utf8)
        let base = self.base.withLock { $0 }
        let outcome = try? await self.client.campaign(
            for: self.keys.leader,
            as: value,
            under: lease,
            if: [.wasPut(self.keys.membership, at: agreed), base.condition(under: self.keys)]
        )
        if case .won(let revision)? = outcome {
            let epoch = base.epoch(ofRevision: revision)
            self.leases.withLock { $0[epoch] = (lease, revision) }
            return .won(epoch, askedAt: askedAt)
        }
        // Should the key have been created after all, it goes with its lease.
        try? await self.client.revoke(lease)
        return .lost(askedAt: askedAt)
    }

    // MARK: What an operator ought to know

    package var troubles: [String] {
        self.notes.withLock { notes in
            let refusal = notes.refusal.map { [$0] } ?? []
            return refusal + notes.conditions.filter { $0 != notes.refusal }
        }
    }

    /// Asks etcd how it is, and tells what is wrong.
    package func checkHealth() async {
        let conditions = EtcdHealth.troubles(of: await self.client.health())
        self.notes.withLock { $0.conditions = conditions }
        for condition in conditions { self.tell(condition) }
    }

    /// Takes in why a bid could not be made.
    private func note(_ error: EtcdError) {
        let reason =
            switch error {
            case .unavailable(let reason), .unauthorized(let reason), .refused(let reason),
                .unexpectedReply(let reason):
                EtcdTrouble(saying: reason)?.text ?? "etcd takes no bid for the lead: \(reason)"
            case .leaseNotFound: "etcd takes no bid for the lead"
            }
        self.notes.withLock { $0.refusal = reason }
        self.tell(reason)
    }

    private func tell(_ text: String) {
        let isNews = self.notes.withLock { notes in
            let now = ContinuousClock.now
            if let toldAt = notes.toldAt[text], toldAt.duration(to: now) < Self.silence { return false }
            // Reasons may have numbers in them, and be many.
            notes.toldAt = notes.toldAt.filter { $0.value.duration(to: now) < Self.silence }
            notes.toldAt[text] = now
            return true
        }
        if isNews { self.warn(text) }
    }

    // MARK: Questions

    private func keepAlive(_ epoch: Epoch, askedAt: Uptime) async -> EtcdEvent? {
        guard let lease = self.leases.withLock({ $0[epoch]?.lease }) else { return .expired(epoch) }
        do throws(EtcdError) {
            _ = try await self.client.keepAlive(lease)
            return .kept(epoch, askedAt: askedAt)
        } catch {
            return error == .leaseNotFound ? .expired(epoch) : nil
        }
    }

    /// That the leader key is still that of this epoch; nil if there can be no such key.
    ///
    /// One that an earlier process of this member has won is known by the base alone.
    private func leads(in epoch: Epoch) -> EtcdCondition? {
        let won = self.leases.withLock { $0[epoch]?.createRevision }
        let revision = won ?? self.base.withLock { $0.revision(of: epoch) }
        return revision.map { .wasCreated(self.keys.leader, at: $0) }
    }

    private func found(_ epoch: Epoch) async -> EtcdEvent? {
        guard let leads = self.leads(in: epoch) else { return .expired(epoch) }
        let isFounded = try? await self.client.transact(
            if: [leads],
            [.put(self.keys.founded, Array("\(epoch.number)".utf8))]
        )
        return isFounded.map { $0 ? .founded(epoch) : .expired(epoch) }
    }

    private func publish(_ epoch: Epoch) async -> EtcdEvent? {
        let value = Array("\(epoch.number) \(self.member.number)".utf8)
        guard let leads = self.leads(in: epoch) else { return .expired(epoch) }
        let isPublished = try? await self.client.transact(
            if: [leads],
            [.put(self.keys.primary, value), .delete(self.keys.prefer)]
        )
        return isPublished.map { $0 ? .published(epoch) : .expired(epoch) }
    }

    private func resign(_ epoch: Epoch, preferring preferred: MemberID?) async {
        var operations = [EtcdOperation.delete(self.keys.leader)]
        if let preferred { operations.append(.put(self.keys.prefer, Array("\(preferred.number)".utf8))) }
        if let leads = self.leads(in: epoch) { _ = try? await self.client.transact(if: [leads], operations) }
        guard let lease = self.leases.withLock({ $0.removeValue(forKey: epoch)?.lease }) else { return }
        // One that cannot be revoked ends by itself.
        try? await self.client.revoke(lease)
    }
}

extension ClusterState {
    /// Reads what is there; a value that no member wrote counts as none.
    init(_ snapshot: EtcdSnapshot, keys: ElectionKeys) {
        let base = EpochBase(snapshot, keys: keys)
        let leader = snapshot.entries[keys.leader].flatMap { entry in
            MemberID(parsing: entry.text).map { member in
                Holder(epoch: base.epoch(ofRevision: entry.createRevision), member: member)
            }
        }
        self.init(
            revision: base.epoch(ofRevision: snapshot.revision).number,
            leader: leader,
            primary: snapshot.entries[keys.primary].flatMap { Holder(parsing: $0.text) },
            preferred: snapshot.entries[keys.prefer].flatMap { MemberID(parsing: $0.text) },
            founded: snapshot.entries[keys.founded].flatMap { UInt64($0.text) }.map { Epoch($0) },
            wasRestarted: base.revision != nil
        )
    }
}

extension ClusterState.Holder {
    /// Reads an epoch and a member's number with a space between them.
    fileprivate init?(parsing text: String) {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 2, let epoch = UInt64(words[0]), let member = MemberID(parsing: words[1]) else {
            return nil
        }
        self.init(epoch: Epoch(epoch), member: member)
    }
}

extension MemberID {
    fileprivate init?(parsing text: some StringProtocol) {
        guard let number = UInt8(text), number <= Self.greatestNumber else { return nil }
        self.init(number)
    }
}
