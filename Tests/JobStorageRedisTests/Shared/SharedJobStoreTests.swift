import Election
import JobCore
import JobStorage
import JobStorageRedis
import Redis
import TestSupport
import Testing

@Suite("The store of a leader in shared mode")
struct SharedJobStoreTests {
    private let server: RedisServer

    init() throws {
        self.server = try RedisServer()
    }

    /// A leader of an epoch, what it says to operators, and who lets it lead.
    private struct Leader {
        let epoch: UInt64
        let store: SharedJobStore
        let authority: FakeAuthority
        let reports = Told<String>()

        init(of epoch: UInt64, on server: RedisServer) throws {
            let authority = FakeAuthority(WriteTicket(epoch: Epoch(epoch), generation: 1))
            let reports = self.reports
            self.epoch = epoch
            self.authority = authority
            self.store = SharedJobStore(
                configuration: try RedisStoreConfiguration(
                    endpoint: .unixSocket(path: server.socketPath),
                    isShared: true
                ),
                authority: authority,
                recheckInterval: .zero
            ) { reports.put($0) }
        }

        func write(_ job: String, after state: Position) throws {
            var transaction = StorageTransaction.turn(state.sequence + 1) {
                $0.store(JobID(job), StoredJob(token: 1, payload: [1]))
            }
            transaction.position = Position(epoch: Epoch(self.epoch), sequence: state.sequence + 1)
            try self.store.commit(transaction)
        }
    }

    private func redis(_ arguments: String...) throws -> RedisReply {
        var connection = try RedisConnection.open(.unixSocket(path: self.server.socketPath))
        var commands = RedisCommandBuffer(reserving: 128)
        commands.begin(arguments[0], argumentCount: arguments.count - 1)
        for argument in arguments.dropFirst() { commands.append(argument) }
        try connection.send(commands)
        return try connection.nextReply()
    }

    private func jobs() throws -> Int? { try self.redis("HLEN", "mr:jobs").integer }

    @Test("a leader is kept out as soon as the next one loads, before that has written anything of its own")
    func claim() throws {
        let (first, second) = (try Leader(of: 1, on: self.server), try Leader(of: 2, on: self.server))
        let before = try first.store.load().position
        try first.write("a", after: before)
        let state = try second.store.load()
        #expect(state.position == Position(epoch: Epoch(2), sequence: before.sequence + 2))
        #expect(throws: StorageError.fenced) {
            try first.write("b", after: Position(epoch: Epoch(1), sequence: before.sequence + 1))
        }
        #expect(try self.jobs() == 1)
        try second.write("c", after: state.position)
        #expect(try self.jobs() == 2)
    }

    @Test("that Redis cannot write to its disk is no refusal that a client may hear of")
    func fullDisk() throws {
        let leader = try Leader(of: 1, on: self.server)
        let before = try leader.store.load().position
        var connection = try RedisConnection.open(.unixSocket(path: self.server.socketPath))
        try failSnapshot(over: &connection)

        let error = #expect(throws: StorageError.self) { try leader.write("a", after: before) }
        #expect(error?.isDisconnected == true)
        #expect(leader.authority.refusals.elements.isEmpty)
        #expect(try self.jobs() == 0)
    }

    @Test("a leader of an earlier epoch does not even begin, and changes nothing")
    func earlier() throws {
        let (later, earlier) = (try Leader(of: 5, on: self.server), try Leader(of: 4, on: self.server))
        let state = try later.store.load()
        try later.write("a", after: state.position)
        #expect(throws: StorageError.fenced) { try earlier.store.load() }
        #expect(throws: StorageError.self) { try earlier.write("b", after: state.position) }
        try later.write("c", after: Position(epoch: Epoch(5), sequence: state.position.sequence + 1))
        #expect(try self.jobs() == 2)
    }

    @Test("nothing is read or written by one that does not lead")
    func authority() throws {
        let leader = try Leader(of: 1, on: self.server)
        let state = try leader.store.load()
        leader.authority.change(to: nil)
        let error = StorageError.disconnected(reason: "this manager does not lead any more")
        #expect(throws: error) { try leader.write("a", after: state.position) }
        #expect(throws: error) { try leader.store.load() }
        #expect(throws: error) { try leader.store.memoryByteCount() }
        // Another term of the same manager reads everything anew.
        leader.authority.change(to: WriteTicket(epoch: Epoch(1), generation: 2))
        #expect(throws: error) { try leader.write("a", after: state.position) }
        #expect(try self.redis("EXISTS", "mr:jobs").integer == 0)
    }

    @Test("a Redis that became a replica is no answer for a client, and one with another history is read anew")
    func history() throws {
        let leader = try Leader(of: 1, on: self.server)
        try leader.write("a", after: try leader.store.load().position)
        let position = Position(epoch: Epoch(1), sequence: 1)
        _ = try self.redis("REPLICAOF", "127.0.0.1", "1")
        let error = StorageError.disconnected(reason: "the Redis at this address is a replica")
        #expect(throws: error) { try leader.write("b", after: position) }
        #expect(throws: error) { try leader.store.load() }

        _ = try self.redis("REPLICAOF", "NO", "ONE")
        let state = try leader.store.load()
        #expect(state.position == Position(epoch: Epoch(1), sequence: 2), "the epoch is not written again")
        #expect(leader.reports.elements.count == 1)
        #expect(leader.reports.elements.first?.hasPrefix("another Redis answers at this address") == true)
        try leader.write("b", after: state.position)
        #expect(try self.jobs() == 2)
    }

    @Test("a Redis that is exchanged between two transactions is noticed before the second")
    func exchange() throws {
        let leader = try Leader(of: 1, on: self.server)
        try leader.write("a", after: try leader.store.load().position)
        for role in [["127.0.0.1", "1"], ["NO", "ONE"]] { _ = try self.redis("REPLICAOF", role[0], role[1]) }
        let position = Position(epoch: Epoch(1), sequence: 1)
        #expect(throws: StorageError.disconnected(reason: "another Redis answers at this address")) {
            try leader.write("b", after: position)
        }
        #expect(throws: StorageError.self, "without a load") { try leader.write("b", after: position) }
        #expect(try self.jobs() == 1)
    }

    @Test("what was written and is not there any more is said")
    func loss() throws {
        let leader = try Leader(of: 3, on: self.server)
        let state = try leader.store.load()
        try leader.write("a", after: state.position)
        _ = try self.redis("FLUSHALL")
        #expect(throws: StorageError.fenced) {
            try leader.write("b", after: Position(epoch: Epoch(3), sequence: state.position.sequence + 1))
        }
        let empty = try leader.store.load()
        #expect(empty.jobCount == 0)
        let report = try #require(leader.reports.elements.first)
        let expected = "this Redis has lost what was acknowledged: it was at epoch 3, sequence 1, "
        #expect(report.hasPrefix(expected), "\(report)")
        try leader.write("b", after: empty.position)
        #expect(try self.jobs() == 1)
    }

    @Test("a Redis that is full refuses, and the clients may be told")
    func full() throws {
        let leader = try Leader(of: 1, on: self.server)
        let state = try leader.store.load()
        _ = try self.redis("CONFIG", "SET", "maxmemory", "1mb")
        let error = #expect(throws: StorageError.self) { try leader.write("a", after: state.position) }
        #expect(error?.refusal?.hasPrefix("OOM") == true)
        _ = try self.redis("CONFIG", "SET", "maxmemory", "0")
        try leader.write("a", after: state.position)
        #expect(try self.jobs() == 1)
    }

    @Test("data of a form that is not known is left as it is")
    func version() throws {
        _ = try self.redis("HSET", "mr:cluster", "version", "99", "epoch", "1", "sequence", "7", "token", "0")
        let leader = try Leader(of: 2, on: self.server)
        let error = #expect(throws: StorageError.self) { try leader.store.load() }
        #expect(error?.isIncompatible == true)
        #expect(try self.redis("HGET", "mr:cluster", "epoch").string == "1")
        #expect(try self.redis("HGET", "mr:cluster", "sequence").string == "7")
    }
}
