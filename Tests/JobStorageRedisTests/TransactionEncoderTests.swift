import JobCore
import JobStorage
import Redis
import Testing

@testable import JobStorageRedis

@Suite("The encoder of transactions")
struct TransactionEncoderTests {
    private static func commands(
        for transaction: StorageTransaction,
        flushedQueues: [QueueName] = [],
        limitsDay: Bool = false
    ) throws -> [String] {
        var encoder = TransactionEncoder(keys: RedisKeys(prefix: "p:"))
        encoder.encode(transaction, flushedQueues: flushedQueues, limitsDay: limitsDay)
        let bytes = encoder.commands.withUnsafeBytes { Array($0) }
        let commands = try WireCommands(parsing: bytes).commands
        #expect(commands.count == encoder.commands.commandCount)
        return commands.map { $0.joined(separator: " ") }
    }

    private static let position = "HSET p:cluster version 1 epoch 3 sequence 4 token 5"

    private static func transaction(_ fill: (inout StorageTransaction) throws -> Void) rethrows -> StorageTransaction {
        let position = Position(epoch: Epoch(3), sequence: 4)
        var transaction = StorageTransaction(position: position, lastToken: 5, day: "2026-03-01")
        try fill(&transaction)
        return transaction
    }

    @Test("writes the position and nothing else for an empty transaction")
    func empty() throws {
        let commands = try Self.commands(for: Self.transaction { _ in })

        #expect(commands == ["MULTI", Self.position, "EXEC"])
    }

    @Test("writes each part in its form, the position last")
    func parts() throws {
        let queue = try QueueName(parsing: "q")
        let session = SessionID(high: 1, low: 2)
        let transaction = Self.transaction { transaction in
            transaction.remove(JobID("removed"))
            transaction.queues[queue] = QueueChanges()
            transaction.queues[queue]?.append(QueueEntry(token: 1, jobID: JobID("a")))
            transaction.queues[queue]?.append(QueueEntry(token: 2, jobID: JobID("b")))
            transaction.queues[queue]?.take()
            transaction.queues[queue]?.take()
            transaction.queues[queue]?.giveBack(QueueEntry(token: 4, jobID: JobID("d")))
            transaction.queues[queue]?.giveBack(QueueEntry(token: 3, jobID: JobID("c")))
            transaction.knownQueues[queue] = true
            transaction.pausedQueues[queue] = false
            transaction.add(JobID("late"), to: .dead, at: WallTime(nanosecondsSinceEpoch: -1_500))
            transaction.remove(JobID("gone"), from: .retries)
            transaction.release(JobID("released"))
            transaction.processed = 3
            transaction.failures = 1
            transaction.sessions.updateValue(nil, forKey: session)
            transaction.workerStates[WorkerID("w")] = .quiet
            transaction.beatingWorkers[WorkerID("w")] = true
            let times = [WallTime(nanosecondsSinceEpoch: 2_500), WallTime(nanosecondsSinceEpoch: 7_000)]
            transaction.crashes[JobID("poison")] = .some(times)
            transaction.returned.updateValue(nil, forKey: JobID("back"))
            transaction.outcomes = OutcomeChange(segment: 2, beginsFor: .seconds(240), bytes: Array("ended".utf8))
            transaction.keyValues["k"] = Array("v".utf8)
            transaction.redisCommands = [[Array("ZADD".utf8), Array("mw".utf8), Array("1".utf8), Array("x".utf8)]]
            transaction.quarantined[JobID("bad")] = Array("?".utf8)
        }

        let commands = try Self.commands(for: transaction, limitsDay: true)

        #expect(commands.first == "MULTI" && commands.suffix(2) == [Self.position, "EXEC"])
        let expected = [
            "HDEL p:jobs removed",
            "LPUSH p:queue:q 1:a 2:b", "LTRIM p:queue:q 0 -3", "RPUSH p:queue:q 4:d 3:c",
            "SADD p:queues q", "SREM p:paused q",
            "ZREM p:working released", "HDEL p:reservation released",
            "INCRBY p:processed 3", "INCRBY p:processed:2026-03-01 3",
            "INCRBY p:failures 1", "INCRBY p:failures:2026-03-01 1",
            "EXPIRE p:processed:2026-03-01 34560000", "EXPIRE p:failures:2026-03-01 34560000",
            "HDEL p:sessions 00000000000000010000000000000002",
            "UNLINK p:session:00000000000000010000000000000002 p:progress:00000000000000010000000000000002",
            "HSET p:workers w quiet", "SADD p:beating w", "HSET p:crashes poison 2 7",
            "HDEL p:returned back",
            "UNLINK p:outcomes:2", "APPEND p:outcomes:2 ended", "EXPIRE p:outcomes:2 240", "SET p:kv:k v",
            "ZADD mw 1 x", "HSET p:quarantine bad ?",
        ]
        // The sets stand in whatever order a dictionary has.
        let setCommands: Set = ["ZADD p:dead -2 late", "ZREM p:retries gone"]
        #expect(commands.dropFirst().dropLast(2).filter { !setCommands.contains($0) } == expected)
        #expect(setCommands.isSubset(of: commands))
    }

    @Test("clears before anything joins")
    func clearing() throws {
        let queue = try QueueName(parsing: "q")
        let transaction = Self.transaction { transaction in
            transaction.clear(.dead)
            transaction.queues[queue] = QueueChanges()
            transaction.queues[queue]?.clear()
            transaction.queues[queue]?.append(QueueEntry(token: 1, jobID: JobID("a")))
        }

        let commands = try Self.commands(for: transaction)

        #expect(commands == ["MULTI", "UNLINK p:dead p:queue:q", "LPUSH p:queue:q 1:a", Self.position, "EXEC"])
    }

    @Test("flushes the keys that it knows, and the lists that it is told of")
    func flush() throws {
        let transaction = Self.transaction { $0.flushesEverything = true }

        let commands = try Self.commands(for: transaction, flushedQueues: [QueueName(parsing: "q")])
        let flushed = Set(try #require(commands.dropFirst().first).split(separator: " ").map { String($0) })

        let keys: Set = [
            "UNLINK", "p:jobs", "p:queues", "p:paused", "p:working", "p:reservation", "p:processed", "p:failures",
            "p:workers", "p:beating", "p:crashes", "p:returned", "p:outcomes:0", "p:outcomes:3", "p:scheduled",
            "p:retries", "p:dead", "p:queue:q",
            "p:processed:2026-03-02",
            "p:processed:2026-03-01", "p:failures:2026-02-28", "p:failures:2025-01-25",
        ]
        #expect(keys.isSubset(of: flushed))
        #expect(flushed.count == 20 + 2 * Table.allCases.count { $0.isFlushed } + 2 * 402)
        #expect(commands.count == 4)
    }

    @Test(
        "splits a command that has too many arguments",
        arguments: [(100_000, [100_000]), (100_001, [100_000, 1])] as [(Int, [Int])]
    )
    func splitting(entryCount: Int, expected: [Int]) throws {
        let queue = try QueueName(parsing: "q")
        let transaction = Self.transaction { transaction in
            transaction.queues[queue] = QueueChanges()
            for token in 1...entryCount {
                transaction.queues[queue]?.append(QueueEntry(token: UInt64(token), jobID: JobID("j")))
            }
        }

        let pushes = try Self.commands(for: transaction).filter { $0.hasPrefix("LPUSH") }

        #expect(pushes.map { $0.split(separator: " ").count - 2 } == expected)
    }
}

/// Commands as a server reads them off the wire.
private struct WireCommands {
    private(set) var commands: [[String]] = []
    private let bytes: [UInt8]
    private var offset = 0

    init(parsing bytes: [UInt8]) throws {
        self.bytes = bytes
        while self.offset < bytes.count {
            var command: [String] = []
            for _ in 0..<(try self.header("*")) {
                let byteCount = try self.header("$")
                command.append(String(decoding: bytes[self.offset..<(self.offset + byteCount)], as: UTF8.self))
                self.offset += byteCount + 2
            }
            self.commands.append(command)
        }
    }

    private mutating func header(_ mark: Character) throws -> Int {
        let end = try #require(self.bytes[self.offset...].firstIndex(of: 13))
        let line = String(decoding: self.bytes[self.offset..<end], as: UTF8.self)
        try #require(line.first == mark)
        self.offset = end + 2
        return try #require(Int(line.dropFirst()))
    }
}
