import Foundation
import JobCore
import JobStorage
import Redis
import Synchronization
import TestSupport
import Testing

@testable import JobStorageRedis

/// A transaction of which every part says the sequence, so that two parts that disagree show a torn one.
private enum Telltale {
    static let jobs = (0..<5).map { JobID("job-\($0)") }
    static let lane = LaneKey(session: SessionID(high: 1, low: 2), lane: 0)

    static func transaction(_ sequence: UInt64) -> StorageTransaction {
        .turn(sequence) { transaction in
            for job in Self.jobs {
                transaction.store(job, StoredJob(token: sequence, payload: Array("\(sequence)".utf8)))
                for set in JobSet.allCases {
                    transaction.add(job, to: set, at: WallTime(nanosecondsSinceEpoch: Int64(sequence) * 1_000))
                }
            }
            var changes = QueueChanges()
            changes.append(QueueEntry(token: sequence, jobID: Self.jobs[0]))
            if sequence > 1 { changes.take() }
            transaction.queues[.default] = changes
            transaction.knownQueues[.default] = true
            transaction.processed = 1
            transaction.sessions[Self.lane.session] = .some("\(sequence)")
            transaction.lanes[Self.lane] = LaneRecord(batch: sequence, offered: 0, settled: 0, replies: [])
            transaction.keyValues["k"] = Array("\(sequence)".utf8)
        }
    }

    /// Everything in the data says the sequence of its position.
    static func check(_ store: RedisJobStore) throws -> UInt64 {
        let state = try store.load()
        let sequence = state.position.sequence
        guard sequence > 0 else {
            #expect(state.jobCount == 0 && state.queues.isEmpty && state.sessions.isEmpty)
            return 0
        }
        let time = WallTime(nanosecondsSinceEpoch: Int64(sequence) * 1_000)
        let job = StoredJob(token: sequence, payload: Array("\(sequence)".utf8))
        #expect(state.lastToken == sequence)
        #expect(try store.records(of: Self.jobs) == Self.jobs.map { _ in .job(job) })
        for set in JobSet.allCases {
            #expect(try store.scores(of: Self.jobs, in: set) == Self.jobs.map { _ in time })
        }
        let entries = try store.entries(of: .default, from: 0, count: 10)
        #expect(entries == [QueueEntry(token: sequence, jobID: Self.jobs[0])])
        #expect(state.counters.processed == sequence)
        #expect(state.sessions == [Self.lane.session: "\(sequence)"])
        #expect(state.lanes[Self.lane]?.batch == sequence)
        #expect(try store.keyValue("k") == Array("\(sequence)".utf8))
        return sequence
    }
}

@Suite("A crash")
struct CrashTests {
    private let server: RedisServer
    private let configuration: RedisStoreConfiguration

    init() throws {
        self.server = try RedisServer()
        self.configuration = try RedisStoreConfiguration(endpoint: .unixSocket(path: self.server.socketPath))
    }

    /// With `everysec` Redis puts off its write for up to two seconds while the disk is busy with a sync, so that its
    /// crash may take along what it had acknowledged; only `always` promises more than whole transactions.
    @Test(
        "of Redis under load tears no transaction, and loses none that was acknowledged if each is synced",
        arguments: ["everysec", "always"]
    )
    func killedRedis(sync: String) throws {
        let server = try RedisServer(arguments: ["--appendfsync", sync])
        let configuration = try RedisStoreConfiguration(endpoint: .unixSocket(path: server.socketPath))
        for round in 1...5 {
            let store = RedisJobStore(configuration: configuration)
            let first = try Telltale.check(store) + 1
            let running = DispatchSemaphore(value: 0)
            let ended = DispatchSemaphore(value: 0)
            let acknowledged = Mutex<UInt64>(0)
            Thread.detachNewThread {
                let writer = RedisJobStore(configuration: configuration)
                var sequence = first
                do {
                    _ = try writer.load()
                    while true {
                        try writer.commit(Telltale.transaction(sequence))
                        acknowledged.withLock { $0 = sequence }
                        if sequence == first + 50 { running.signal() }
                        sequence += 1
                    }
                } catch {
                    ended.signal()
                }
            }
            #expect(running.wait(timeout: .now() + 60) == .success)
            server.kill()
            #expect(ended.wait(timeout: .now() + 60) == .success)
            try server.restart()

            let sequence = try Telltale.check(RedisJobStore(configuration: configuration))

            let last = acknowledged.withLock { $0 }
            #expect(last >= first + 50, "round \(round)")
            #expect(sequence <= last + 1, "round \(round): \(sequence) after \(last)")
            #expect(sequence >= (sync == "always" ? last : first - 1), "round \(round): \(sequence) after \(last)")
        }
    }

    @Test("of the leader in the middle of a transaction's bytes leaves nothing of it")
    func cutTransaction() throws {
        let store = RedisJobStore(configuration: self.configuration)
        _ = try store.load()
        try store.commit(Telltale.transaction(1))
        var encoder = TransactionEncoder(keys: RedisKeys(prefix: "mr:"))
        encoder.encode(Telltale.transaction(2), flushedQueues: [], limitsDay: false)
        let bytes = encoder.commands.withUnsafeBytes { Array($0) }

        for byteCount in stride(from: 1, to: bytes.count, by: 37) + [bytes.count - 1] {
            try self.sendAndClose(Array(bytes.prefix(byteCount)))
            #expect(try Telltale.check(store) == 1, "\(byteCount) bytes of \(bytes.count)")
        }
        // All of them do something, so that the others could have.
        try self.sendAndClose(bytes)
        #expect(try Telltale.check(store) == 2)
    }

    /// Sends bytes, and returns when Redis has seen that no more come.
    private func sendAndClose(_ bytes: [UInt8]) throws {
        let descriptor = try self.connect()
        defer { close(descriptor) }
        try #require(
            bytes.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) } == bytes.count
        )
        try #require(shutdown(descriptor, Int32(SHUT_WR)) == 0)
        // Redis closes its end when it has read everything up to the end of ours.
        var chunk = [UInt8](repeating: 0, count: 4096)
        while recv(descriptor, &chunk, chunk.count, 0) > 0 {}
    }

    private func connect() throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        try #require(descriptor >= 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: self.server.socketPath.utf8) }
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Foundation.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(code == 0)
        return descriptor
    }
}
