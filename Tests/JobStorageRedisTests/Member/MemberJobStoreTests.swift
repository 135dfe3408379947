import Election
import JobCore
import JobStorage
import JobStorageRedis
import TestSupport
import ThreadConfinement
import Testing

@Suite("The store of a leader in replicated mode")
struct MemberJobStoreTests {
    private static let ticket = WriteTicket(epoch: Epoch(1), generation: 1)

    private let leader: MemberFixture
    private let followers: [MemberFixture]

    init() throws {
        self.leader = try MemberFixture()
        self.followers = [try MemberFixture(), try MemberFixture()]
        _ = try self.leader.redis.promote(to: Epoch(1))
    }

    private var others: [MemberID: RedisAddress] {
        [MemberID(2): self.followers[0].address, MemberID(3): self.followers[1].address]
    }

    private func store(
        _ authority: FakeAuthority,
        replicaCount: Int = 1,
        timeout: Duration = .milliseconds(50)
    ) throws -> MemberJobStore {
        let acknowledgement = ReplicaAcknowledgement(
            replicaCount: replicaCount,
            timeout: timeout,
            members: replicaCount > 1 ? Set(self.others.values) : nil
        )
        return MemberJobStore(
            configuration: try MemberFixture.configuration(of: self.leader.server, acknowledgement: acknowledgement),
            others: Array(self.others.keys),
            roster: ReplicaRoster(trusting: self.others),
            authority: authority
        )
    }

    @Test("a transaction is confirmed once a majority has it", arguments: [1, 2])
    func confirmed(replicaCount: Int) throws {
        for follower in self.followers { try follower.follow(self.leader) }
        let authority = FakeAuthority(Self.ticket, majority: replicaCount + 1)
        // A primary counts a replica only from its first acknowledgement on, which may take a second.
        let store = try self.store(authority, replicaCount: replicaCount, timeout: .seconds(1.5))
        _ = try store.load()
        #expect(try store.commit(.turn(2)) == .confirmed)
        #expect(authority.notes.elements.isEmpty)
    }

    @Test("one that too few have is asked for again and again, and confirmed when they have it", arguments: [1, 2])
    func late(replicaCount: Int) async throws {
        let authority = FakeAuthority(Self.ticket, majority: replicaCount + 1)
        let configuration = try MemberFixture.configuration(
            of: self.leader.server,
            acknowledgement: ReplicaAcknowledgement(
                replicaCount: replicaCount,
                timeout: .milliseconds(50),
                members: replicaCount > 1 ? Set(self.others.values) : nil
            )
        )
        let others = self.others
        let commit = DedicatedThread(name: "leader") { () -> Result<JobStorage.Confirmation, any Error> in
            Result {
                let store = MemberJobStore(
                    configuration: configuration,
                    others: Array(others.keys),
                    roster: ReplicaRoster(trusting: others),
                    authority: authority
                )
                _ = try store.load()
                return try store.commit(.turn(2))
            }
        }
        try authority.notes.wait(for: "the second note of too few", skipping: 1) { $0.isEmpty ? () : nil }
        for follower in self.followers { try follower.follow(self.leader) }
        #expect(try await commit.value().get() == .confirmed)
        #expect(authority.notes.elements.last?.count == replicaCount)
    }

    @Test("when the member must not lead any more, nobody knows what became of what was written")
    func deposed() async throws {
        let authority = FakeAuthority(Self.ticket, majority: 2)
        let configuration = try MemberFixture.configuration(
            of: self.leader.server,
            acknowledgement: ReplicaAcknowledgement(replicaCount: 1, timeout: .milliseconds(50))
        )
        let others = self.others
        let commit = DedicatedThread(name: "leader") { () -> Result<JobStorage.Confirmation, any Error> in
            Result {
                let store = MemberJobStore(
                    configuration: configuration,
                    others: Array(others.keys),
                    roster: ReplicaRoster(trusting: others),
                    authority: authority
                )
                _ = try store.load()
                return try store.commit(.turn(2))
            }
        }
        try authority.notes.wait(for: "the note of too few") { $0.isEmpty ? () : nil }
        authority.change(to: nil)
        let result = await commit.value()
        let error = #expect(throws: StorageError.self) { try result.get() }
        #expect(error?.isDisconnected == true)
        #expect(try self.leader.redis.position().sequence == 2)
    }

    @Test("nothing is written under another ticket than that under which the data was loaded")
    func otherTicket() throws {
        try self.followers[0].follow(self.leader)
        let authority = FakeAuthority(Self.ticket, majority: 2)
        let store = try self.store(authority)
        _ = try store.load()
        authority.change(to: WriteTicket(epoch: Epoch(1), generation: 2))
        let error = #expect(throws: StorageError.self) { try store.commit(.turn(2)) }
        #expect(error?.isDisconnected == true)
        #expect(try self.leader.redis.position().sequence == 1)
        _ = try store.load()
        #expect(try store.commit(.turn(2)) == .confirmed)
    }

    @Test("nothing is loaded by a member that does not lead")
    func notLeading() throws {
        let store = try self.store(FakeAuthority(nil, majority: 2))
        let error = #expect(throws: StorageError.self) { _ = try store.load() }
        #expect(error?.isDisconnected == true)
    }

    @Test("a Redis without the marker of the epoch is not loaded")
    func otherData() throws {
        let store = try self.store(FakeAuthority(WriteTicket(epoch: Epoch(2), generation: 1), majority: 2))
        let error = #expect(throws: StorageError.self) { _ = try store.load() }
        #expect(error?.isDisconnected == true)
    }

    @Test("that Redis cannot write to its disk is told at once, and is no refusal that a client may hear of")
    func fullDisk() throws {
        try self.followers[0].follow(self.leader)
        let authority = FakeAuthority(Self.ticket, majority: 2)
        let store = try self.store(authority)
        _ = try store.load()
        #expect(try store.commit(.turn(2)) == .confirmed)
        #expect(authority.refusals.elements.isEmpty)
        var connection = try self.leader.connection()
        try failSnapshot(over: &connection)

        let error = #expect(throws: StorageError.self) { try store.commit(.turn(3)) }
        #expect(error?.isDisconnected == true)
        #expect(authority.refusals.elements == [Self.ticket])
        #expect(try self.leader.redis.position().sequence == 2)
    }

    @Test("that Redis is a replica by now is no refusal that a client may hear of")
    func readOnly() throws {
        try self.followers[0].follow(self.leader)
        let store = try self.store(FakeAuthority(Self.ticket, majority: 2))
        _ = try store.load()
        try self.leader.redis.follow(MemberRedis.void)
        let error = #expect(throws: StorageError.self) { try store.commit(.turn(2)) }
        #expect(error?.isDisconnected == true)
    }
}
