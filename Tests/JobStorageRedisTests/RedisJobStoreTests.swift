import JobCore
import JobStorage
import JobStorageRedis
import Redis
import TestSupport
import Testing

/// What only a store over a Redis can show; what every store promises is proved by the conformance suite.
@Suite("The store over Redis")
struct RedisJobStoreTests {
    private let server: RedisServer

    init() throws {
        self.server = try RedisServer()
    }

    private func store(loadingPatience: Duration = .seconds(600), ioTimeout: Duration = .seconds(10)) throws
        -> RedisJobStore
    {
        RedisJobStore(
            configuration: try RedisStoreConfiguration(
                endpoint: .unixSocket(path: self.server.socketPath),
                ioTimeout: ioTimeout,
                loadingPatience: loadingPatience
            )
        )
    }

    private func loadedStore(ioTimeout: Duration = .seconds(10)) throws -> RedisJobStore {
        let store = try self.store(ioTimeout: ioTimeout)
        _ = try store.load()
        return store
    }

    private func redis(_ name: String, _ arguments: any RedisArgument...) throws -> Int? {
        var connection = try RedisConnection.open(.unixSocket(path: self.server.socketPath))
        return try connection.command(name, arguments: arguments).integer
    }

    private func bytes(_ name: String, _ arguments: any RedisArgument...) throws -> [UInt8]? {
        var connection = try RedisConnection.open(.unixSocket(path: self.server.socketPath))
        return try connection.command(name, arguments: arguments).bytes
    }

    @Test("finds a job whose bytes were changed, and puts it aside")
    func corruptRecord() throws {
        let store = try self.loadedStore()
        try store.commit(.turn(1) { $0.store(JobID("j1"), StoredJob(token: 1, payload: Array("{}".utf8))) })
        var record = try #require(try self.bytes("HGET", "mr:jobs", "j1"))
        record[record.count - 1] ^= 4
        _ = try self.redis("HSET", "mr:jobs", "j1", record)

        #expect(try store.records(of: [JobID("j1")]) == [.corrupt(record)])

        try store.commit(
            .turn(2) { transaction in
                transaction.remove(JobID("j1"))
                transaction.quarantined[JobID("j1")] = record
            }
        )
        #expect(try self.bytes("HGET", "mr:quarantine", "j1") == record)
        #expect(try store.records(of: [JobID("j1")]) == [.missing])
    }

    @Test("keeps the expiry of a reservation whose record was changed")
    func corruptReservation() throws {
        let store = try self.loadedStore()
        let expiry = WallTime(nanosecondsSinceEpoch: 5_000)
        let reservation = StoredReservation(
            worker: "w",
            reservedAt: expiry,
            expiresAt: expiry,
            lane: nil,
            offer: 1,
            request: 2
        )
        try store.commit(.turn(1) { $0.hold(JobID("j1"), reservation) })
        _ = try self.redis("HSET", "mr:reservation", "j1", "junk")

        let loaded = try store.load().reservations

        #expect(loaded.map(\.jobID) == [JobID("j1")])
        #expect(loaded.map(\.reservation.expiresAt) == [expiry])
        #expect(loaded.map(\.reservation.worker) == [""])
    }

    @Test("begins without reading what is stored, however much that is")
    func payloadsAreNotRead() throws {
        let store = try self.loadedStore()
        let job = StoredJob(token: 1, payload: .init(repeating: 7, count: 100_000))
        let time = WallTime(nanosecondsSinceEpoch: 1_000_000)
        let reservation = StoredReservation(
            worker: "w",
            reservedAt: time,
            expiresAt: time,
            lane: nil,
            offer: 0,
            request: 0
        )
        try store.commit(
            .turn(1) { transaction in
                transaction.knownQueues[.default] = true
                for number in 0..<100 {
                    let (held, waiting) = (JobID("held-\(number)"), JobID("waiting-\(number)"))
                    transaction.store(held, job)
                    transaction.hold(held, reservation)
                    transaction.store(waiting, job)
                    transaction.queues[.default, default: QueueChanges()].append(QueueEntry(token: 1, jobID: waiting))
                }
            }
        )
        let before = try self.sentByteCount()

        let state = try store.load()

        #expect(state.reservations.count == 100)
        #expect(state.jobCount == 200)
        #expect(try self.sentByteCount() - before < 100_000)
    }

    /// Bytes that the Redis has sent to its clients.
    private func sentByteCount() throws -> Int {
        let text = String(decoding: try self.bytes("INFO", "stats") ?? [], as: UTF8.self)
        let label = "total_net_output_bytes:"
        let line = text.split(whereSeparator: \.isNewline).first { $0.hasPrefix(label) }
        return try #require(line.flatMap { Int($0.dropFirst(label.count)) })
    }

    @Test("does not begin with a lane whose record was changed")
    func corruptLane() throws {
        let store = try self.loadedStore()
        let session = SessionID(high: 1, low: 2)
        try store.commit(
            .turn(1) { transaction in
                transaction.sessions[session] = .some("front")
                transaction.lanes[LaneKey(session: session, lane: 3)] = LaneRecord(
                    batch: 1,
                    offered: 0,
                    settled: 0,
                    replies: []
                )
            }
        )
        _ = try self.redis("HSET", "mr:session:\(session)", "3", "junk")

        let error = #expect(throws: StorageError.self) { try store.load() }
        #expect(error?.isIncompatible == true)
    }

    @Test("does not begin with the progress of a command whose record was changed")
    func corruptProgress() throws {
        let store = try self.loadedStore()
        let session = SessionID(high: 1, low: 2)
        let key = ProgressKey(lane: LaneKey(session: session, lane: 3), request: 4, part: 0)
        try store.commit(
            .turn(1) { transaction in
                transaction.sessions[session] = .some("front")
                transaction.progress[key] = [1]
            }
        )
        #expect(try self.bytes("HGET", "mr:progress:\(session)", "3:4:0") != nil)
        _ = try self.redis("HSET", "mr:progress:\(session)", "3:4:0", "junk")

        let error = #expect(throws: StorageError.self) { try store.load() }
        #expect(error?.isIncompatible == true)
    }

    @Test("is refused by a Redis without memory, changes nothing, and serves when there is some again")
    func outOfMemory() throws {
        let store = try self.loadedStore()
        try store.commit(.turn(1) { $0.processed = 1 })
        _ = try self.redis("CONFIG", "SET", "maxmemory", "1mb")

        let error = #expect(throws: StorageError.self) {
            try store.commit(.turn(2) { $0.store(JobID("j1"), StoredJob(token: 1, payload: [1])) })
        }
        #expect(error?.refusal?.hasPrefix("OOM") == true, "\(String(describing: error))")
        #expect(try store.records(of: [JobID("j1")]) == [.missing])

        _ = try self.redis("CONFIG", "SET", "maxmemory", "0")
        try store.commit(.turn(2) { $0.store(JobID("j1"), StoredJob(token: 1, payload: [1])) })
        #expect(try store.load().position.sequence == 2)
        #expect(try store.records(of: [JobID("j1")]) == [.job(StoredJob(token: 1, payload: [1]))])
    }

    @Test("is refused by a replica and changes nothing")
    func replica() throws {
        let store = try self.loadedStore()
        _ = try self.redis("REPLICAOF", "127.0.0.1", "1")

        let error = #expect(throws: StorageError.self) { try store.commit(.turn(1) { $0.processed = 1 }) }

        #expect(error?.refusal?.hasPrefix("READONLY") == true, "\(String(describing: error))")
        _ = try self.redis("REPLICAOF", "NO", "ONE")
        #expect(try store.load().position.sequence == 0)
    }

    @Test("drops the whole transaction when a command of middleware is none")
    func unknownCommand() throws {
        let store = try self.loadedStore()

        let error = #expect(throws: StorageError.self) {
            try store.commit(
                .turn(1) { transaction in
                    transaction.processed = 1
                    transaction.redisCommands = [[Array("NOSUCH".utf8), [1]]]
                }
            )
        }

        #expect(error?.refusal?.contains("NOSUCH") == true, "\(String(describing: error))")
        #expect(try store.load().counters.processed == 0)
    }

    @Test("sends no command of middleware that would end the transaction", arguments: ["EXEC", "discard", "Multi", ""])
    func forbiddenCommand(verb: String) throws {
        let store = try self.loadedStore()

        let error = #expect(throws: StorageError.self) {
            try store.commit(.turn(1) { $0.redisCommands = verb.isEmpty ? [[]] : [[Array(verb.utf8)]] })
        }

        #expect(error?.refusal != nil)
        try store.commit(.turn(1))
        #expect(try store.load().position.sequence == 1)
    }

    @Test("carries out commands of middleware in order, with the rest")
    func middleware() throws {
        let store = try self.loadedStore()
        let commands = [["RPUSH", "mw", "a"], ["RPUSH", "mw", "b"], ["LPOP", "mw"]]
        try store.commit(.turn(1) { $0.redisCommands = commands.map { $0.map { Array($0.utf8) } } })

        #expect(try self.bytes("LINDEX", "mw", 0) == Array("b".utf8))
    }

    @Test("stops when a key has another type than it must have")
    func wrongType() throws {
        let store = try self.loadedStore()
        _ = try self.redis("SET", "mr:jobs", "x")

        let error = #expect(throws: StorageError.self) {
            try store.commit(.turn(1) { $0.store(JobID("j1"), StoredJob(token: 1, payload: [])) })
        }

        #expect(error?.isIncompatible == true, "\(String(describing: error))")
        #expect(throws: StorageError.notLoaded) { try store.commit(.turn(2)) }
        #expect(throws: StorageError.notLoaded) { try store.records(of: []) }
    }

    @Test("does not begin over data of another version")
    func otherVersion() throws {
        try self.loadedStore().commit(.turn(1))
        _ = try self.redis("HSET", "mr:cluster", "version", "2")

        #expect(throws: StorageError.incompatible("the data has version 2, and this program reads 1")) {
            try self.store().load()
        }
    }

    @Test("does not begin over keys of its names that it did not write")
    func foreignKeys() throws {
        _ = try self.redis("SADD", "mr:queues", "q")

        let error = #expect(throws: StorageError.self) { try self.store().load() }
        #expect(error?.isIncompatible == true)
    }

    @Test("leaves the keys of others alone when it flushes")
    func flush() throws {
        let store = try self.loadedStore()
        for key in ["jobs", "mr2:jobs", "queue:q"] { _ = try self.redis("SET", key, "theirs") }
        try store.commit(.turn(1) { $0.knownQueues[QueueName.default] = true })
        try store.commit(.turn(2) { $0.flushesEverything = true })

        for key in ["jobs", "mr2:jobs", "queue:q"] { #expect(try self.bytes("GET", key) == Array("theirs".utf8)) }
        #expect(try store.load().queues == [])
    }

    @Test("keeps the counters of a day for four hundred days, and those in all for ever")
    func dailyCounters() throws {
        let store = try self.loadedStore()
        try store.commit(.turn(1) { $0.processed = 1 })
        try store.commit(.turn(2) { $0.failures = 1 })

        for key in ["mr:processed:2026-03-01", "mr:failures:2026-03-01"] {
            let seconds = try #require(try self.redis("TTL", key))
            #expect((399 * 86_400...400 * 86_400).contains(seconds), "\(key)")
        }
        #expect(try self.redis("TTL", "mr:processed") == -1)
        #expect(try self.redis("TTL", "mr:failures") == -1)
        // After a flush the counters of the day begin anew, and so does their time.
        try store.commit(
            .turn(3) { transaction in
                transaction.flushesEverything = true
                transaction.failures = 1
            }
        )
        #expect(try #require(try self.redis("TTL", "mr:failures:2026-03-01")) > 399 * 86_400)
    }

    @Test("gives up on a Redis that is silent, and begins again when it is back")
    func silence() throws {
        let store = try self.loadedStore(ioTimeout: .seconds(1))
        try store.commit(.turn(1))
        self.server.pause()

        #expect(throws: StorageError.disconnected(reason: "Redis did not answer in time")) {
            try store.commit(.turn(2))
        }
        #expect(throws: StorageError.notLoaded) { try store.commit(.turn(3)) }

        self.server.resume()
        let position = try store.load().position
        #expect((1...2).contains(position.sequence))
        try store.commit(.turn(position.sequence + 1))
        #expect(try store.load().position.sequence == position.sequence + 1)
    }

    @Test("tells the memory that Redis takes")
    func memory() throws {
        let store = try self.loadedStore()

        #expect(try #require(try store.memoryByteCount()) > 100_000)
    }

    @Test("reads with a reader again after its connection was lost")
    func reader() throws {
        let store = try self.loadedStore()
        try store.commit(.turn(1) { $0.keyValues["k"] = [1] })
        let reader = RedisJobReader(
            configuration: try RedisStoreConfiguration(endpoint: .unixSocket(path: self.server.socketPath))
        )
        #expect(try reader.keyValue("k") == [1])
        try self.server.restart()

        #expect(throws: StorageError.self) { try reader.keyValue("k") }
        #expect(try reader.keyValue("k") == [1])
    }

    @Test("logs in, and is refused without the password")
    func password() throws {
        let server = try RedisServer(listeningOnTCP: true, arguments: ["--requirepass", "secret"])
        let endpoint = RedisEndpoint.tcp(host: "127.0.0.1", port: try #require(server.port))
        let right = RedisJobStore(configuration: try RedisStoreConfiguration(endpoint: endpoint, password: "secret"))
        let wrong = RedisJobStore(configuration: try RedisStoreConfiguration(endpoint: endpoint, password: "other"))
        let none = RedisJobStore(configuration: try RedisStoreConfiguration(endpoint: endpoint))

        #expect(try right.load().position.sequence == 0)
        for store in [wrong, none] {
            let error = #expect(throws: StorageError.self) { try store.load() }
            #expect(error?.refusal != nil, "\(String(describing: error))")
        }
    }
}
