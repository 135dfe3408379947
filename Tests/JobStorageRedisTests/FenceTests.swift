import JobCore
import JobStorage
import JobStorageRedis
import Redis
import TestSupport
import Testing

@Suite("Several leaders over one Redis")
struct FenceTests {
    private let server: RedisServer

    init() throws {
        self.server = try RedisServer()
    }

    private func store(isShared: Bool = true) throws -> RedisJobStore {
        RedisJobStore(
            configuration: try RedisStoreConfiguration(
                endpoint: .unixSocket(path: self.server.socketPath),
                isShared: isShared
            )
        )
    }

    private func transaction(epoch: UInt64, _ sequence: UInt64, storing job: String) -> StorageTransaction {
        var transaction = StorageTransaction.turn(sequence) {
            $0.store(JobID(job), StoredJob(token: 1, payload: [1]))
        }
        transaction.position = Position(epoch: Epoch(epoch), sequence: sequence)
        return transaction
    }

    @Test("the next transaction of the first is fenced when a second has raised the epoch, and nothing is written")
    func overtaken() throws {
        let (first, second) = (try self.store(), try self.store())
        _ = try first.load()
        try first.commit(self.transaction(epoch: 1, 1, storing: "a"))
        _ = try second.load()
        try second.commit(self.transaction(epoch: 2, 2, storing: "b"))

        #expect(throws: StorageError.fenced) { try first.commit(self.transaction(epoch: 1, 2, storing: "c")) }
        #expect(throws: StorageError.notLoaded) { try first.commit(self.transaction(epoch: 1, 2, storing: "d")) }

        let state = try second.load()
        #expect(state.position == Position(epoch: Epoch(2), sequence: 2))
        #expect(
            try second.recordByteCounts(of: ["a", "b", "c", "d"].map { JobID($0) }).map { $0 > 0 } == [
                true, true, false, false,
            ]
        )
        try second.commit(self.transaction(epoch: 2, 3, storing: "e"))
    }

    @Test("a leader whose data was written to before its first transaction does not begin with it")
    func overtakenBeforeTheFirst() throws {
        let (first, second) = (try self.store(), try self.store())
        _ = try first.load()
        _ = try second.load()
        try second.commit(self.transaction(epoch: 2, 1, storing: "b"))

        #expect(throws: StorageError.fenced) { try first.commit(self.transaction(epoch: 1, 1, storing: "a")) }

        _ = try first.load()
        #expect(try first.recordByteCounts(of: ["a", "b"].map { JobID($0) }).map { $0 > 0 } == [false, true])
        try first.commit(self.transaction(epoch: 3, 2, storing: "c"))
        #expect(throws: StorageError.fenced) { try second.commit(self.transaction(epoch: 2, 2, storing: "d")) }
    }

    @Test("a leader goes on undisturbed when others only read, and after a refusal")
    func undisturbed() throws {
        let (leader, reader) = (try self.store(), try self.store())
        _ = try leader.load()
        for sequence in UInt64(1)...5 {
            #expect(try leader.commit(self.transaction(epoch: 1, sequence, storing: "j\(sequence)")) == .confirmed)
            _ = try reader.load()
        }
        var connection = try RedisConnection.open(.unixSocket(path: self.server.socketPath))
        _ = try connection.command("CONFIG", "SET", "maxmemory", "1mb")
        let error = #expect(throws: StorageError.self) {
            try leader.commit(self.transaction(epoch: 1, 6, storing: "j6"))
        }
        #expect(error?.refusal != nil)
        _ = try connection.command("CONFIG", "SET", "maxmemory", "0")

        try leader.commit(self.transaction(epoch: 1, 6, storing: "j6"))

        #expect(try reader.load().position.sequence == 6)
    }
}
