package import Election
import JobCore
import Synchronization

/// Who leads a cluster, kept in etcd.
///
/// Each member has a register of its own. The leader key holds the number of the member and goes with the member's lease;
/// its create revision is the epoch. The primary key holds the epoch and the number of the member that may be followed, and
/// the preference the number of the one that had better lead next.
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
    /// The lease of each epoch that was won and has not been given up.
    private let leases = Mutex<[Epoch: LeaseID]>([:])

    /// - Parameter memberList: the members and where they are, in a form that is the same for all of them.
    package init(
        client: EtcdClient,
        keys: ElectionKeys,
        member: MemberID,
        memberList: String,
        timeToLive: Duration
    ) {
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
        case .readState:
            guard let snapshot = try? await self.client.get(prefix: self.keys.prefix) else { return nil }
            return .state(ClusterState(snapshot, keys: self.keys))
        case .campaign(let askedAt):
            return await self.campaign(askedAt: askedAt, withListOf: agreed)
        case .keepAlive(let epoch, let askedAt):
            return await self.keepAlive(epoch, askedAt: askedAt)
        case .publish(let epoch):
            return await self.publish(epoch)
        case .removeLeader(let epoch):
            _ = try? await self.client.delete(self.keys.leader, ifCreatedAt: epoch.number)
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
            tell(ClusterState(snapshot, keys: self.keys))
        }
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
        guard let lease = try? await self.client.grantLease(timeToLive: self.timeToLive).id else {
            return .lost(askedAt: askedAt)
        }
        let value = Array("\(self.member.number)".utf8)
        let outcome = try? await self.client.campaign(
            for: self.keys.leader,
            as: value,
            under: lease,
            if: [.wasPut(self.keys.membership, at: agreed)]
        )
        if case .won(let revision)? = outcome {
            self.leases.withLock { $0[Epoch(revision)] = lease }
            return .won(Epoch(revision), askedAt: askedAt)
        }
        // Should the key have been created after all, it goes with its lease.
        try? await self.client.revoke(lease)
        return .lost(askedAt: askedAt)
    }

    private func keepAlive(_ epoch: Epoch, askedAt: Uptime) async -> EtcdEvent? {
        guard let lease = self.leases.withLock({ $0[epoch] }) else { return .expired(epoch) }
        do throws(EtcdError) {
            _ = try await self.client.keepAlive(lease)
            return .kept(epoch, askedAt: askedAt)
        } catch {
            return error == .leaseNotFound ? .expired(epoch) : nil
        }
    }

    private func publish(_ epoch: Epoch) async -> EtcdEvent? {
        let value = Array("\(epoch.number) \(self.member.number)".utf8)
        let isPublished = try? await self.client.transact(
            if: [.wasCreated(self.keys.leader, at: epoch.number)],
            [.put(self.keys.primary, value), .delete(self.keys.prefer)]
        )
        return isPublished.map { $0 ? .published(epoch) : .expired(epoch) }
    }

    private func resign(_ epoch: Epoch, preferring preferred: MemberID?) async {
        var operations = [EtcdOperation.delete(self.keys.leader)]
        if let preferred { operations.append(.put(self.keys.prefer, Array("\(preferred.number)".utf8))) }
        _ = try? await self.client.transact(if: [.wasCreated(self.keys.leader, at: epoch.number)], operations)
        guard let lease = self.leases.withLock({ $0.removeValue(forKey: epoch) }) else { return }
        // One that cannot be revoked ends by itself.
        try? await self.client.revoke(lease)
    }
}

extension ClusterState {
    /// Reads what is there; a value that no member wrote counts as none.
    init(_ snapshot: EtcdSnapshot, keys: ElectionKeys) {
        let leader = snapshot.entries[keys.leader].flatMap { entry in
            MemberID(parsing: entry.text).map { Holder(epoch: entry.epoch, member: $0) }
        }
        self.init(
            revision: snapshot.revision,
            leader: leader,
            primary: snapshot.entries[keys.primary].flatMap { Holder(parsing: $0.text) },
            preferred: snapshot.entries[keys.prefer].flatMap { MemberID(parsing: $0.text) }
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
