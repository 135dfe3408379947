import JobCore
import JobStorage
import JobStorageRedis
import Redis
import Testing

@Suite("A transaction that replicas have to confirm")
struct AcknowledgementTests {
    private let leader: MemberFixture
    private let followers: [MemberFixture]

    init() throws {
        self.leader = try MemberFixture()
        self.followers = [try MemberFixture(), try MemberFixture()]
        _ = try self.leader.redis.promote(to: Epoch(1))
    }

    private func loadedStore(
        replicaCount: Int = 1,
        timeout: Duration = .seconds(9),
        members: Set<RedisAddress>? = nil
    ) throws -> RedisJobStore {
        let store = try self.leader.store(
            acknowledgement: ReplicaAcknowledgement(replicaCount: replicaCount, timeout: timeout, members: members)
        )
        _ = try store.load()
        return store
    }

    @Test("is confirmed when enough have it, and then they do")
    func confirmed() throws {
        for follower in self.followers { try follower.follow(self.leader) }
        let store = try self.loadedStore(replicaCount: 2)

        for sequence in UInt64(2)...50 {
            #expect(try store.commit(.turn(sequence)) == .confirmed)
            #expect(try self.followers.map { try $0.redis.position().sequence } == [sequence, sequence])
        }
        #expect(try store.awaitConfirmation() == .confirmed)
    }

    @Test("is unconfirmed in time when too few have it, has happened all the same, and can be confirmed later")
    func unconfirmed() throws {
        try self.followers[0].follow(self.leader)
        let store = try self.loadedStore(replicaCount: 2, timeout: .milliseconds(50))
        #expect(try store.commit(.turn(2)) == .unconfirmed)
        #expect(try store.commit(.turn(3)) == .unconfirmed)
        #expect(try self.leader.redis.position().sequence == 3)

        try self.followers[1].follow(self.leader)
        try MemberFixture.poll("the second replica confirms") { try store.awaitConfirmation() == .confirmed }
        #expect(try self.followers.map { try $0.redis.position().sequence } == [3, 3])
    }

    @Test("one that is refused has not happened, whatever the replicas say, and the store goes on")
    func refused() throws {
        try self.followers[0].follow(self.leader)
        let store = try self.loadedStore()
        var connection = try self.leader.connection()
        _ = try connection.command("CONFIG", "SET", "maxmemory", "1mb")

        let error = #expect(throws: StorageError.self) {
            try store.commit(.turn(2) { $0.store(JobID("j1"), StoredJob(token: 1, payload: [1])) })
        }
        #expect(error?.refusal?.hasPrefix("OOM") == true, "\(String(describing: error))")

        _ = try connection.command("CONFIG", "SET", "maxmemory", "0")
        #expect(try store.commit(.turn(2)) == .confirmed)
    }

    @Test("nothing is confirmed before the first one since the store was loaded")
    func nothingWritten() throws {
        let store = try self.loadedStore()
        let error = #expect(throws: StorageError.self) { try store.awaitConfirmation() }
        #expect(error?.refusal != nil)
    }

    @Test("counts members and nobody else, where they are told apart")
    func members() throws {
        let stranger = try MemberFixture()
        try stranger.follow(self.leader)
        try self.followers[0].follow(self.leader)
        let members = Set(self.followers.map(\.address))
        let store = try self.loadedStore(replicaCount: 2, timeout: .milliseconds(200), members: members)

        #expect(try store.commit(.turn(2)) == .unconfirmed)
        try MemberFixture.poll("the first member confirms") {
            let confirmation = try store.awaitConfirmation()
            try #require(confirmation == .unconfirmed)
            return store.confirmingMembers == [self.followers[0].address]
        }

        try self.followers[1].follow(self.leader)
        try MemberFixture.poll("both members confirm") { try store.awaitConfirmation() == .confirmed }
        let patient = try self.loadedStore(replicaCount: 2, members: members)
        #expect(try patient.commit(.turn(3)) == .confirmed)
        #expect(patient.confirmingMembers == members)
    }

    @Test("a replica that was cut off confirms nothing any more")
    func cut() throws {
        try self.followers[0].follow(self.leader)
        #expect(try self.loadedStore().commit(.turn(2)) == .confirmed)

        try self.followers[0].redis.detach()

        let store = try self.loadedStore(timeout: .milliseconds(100))
        #expect(try store.commit(.turn(3)) == .unconfirmed)
        #expect(try self.followers[0].redis.position().sequence == 2)
    }
}
