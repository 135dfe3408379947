import JobCore
import JobStorage
import Testing

extension JobStoreConformance {
    @Test("keeps a payload byte for byte", arguments: StoreKind.allCases)
    func payload(kind: StoreKind) throws {
        let store = try kind.makeData().loadedStore()
        let everyByte = StoredJob(token: 1 << 63, payload: (0...255).map { UInt8($0) })
        let empty = StoredJob(token: 0, payload: [])
        let large = StoredJob(token: 7, payload: (0..<1_000_003).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        try store.commit(
            .turn(1) { transaction in
                transaction.store("every-byte", everyByte)
                transaction.store("empty", empty)
                transaction.store("large", large)
            }
        )

        let records = try store.records(of: ["empty", "missing", "every-byte", "large"])

        #expect(records == [.job(empty), .missing, .job(everyByte), .job(large)])
    }

    @Test("lets the last word on a job count", arguments: StoreKind.allCases)
    func lastWord(kind: StoreKind) throws {
        let store = try kind.makeData().loadedStore()
        try store.commit(
            .turn(1) { transaction in
                transaction.store("kept", .sample("first"))
                transaction.store("kept", .sample("second"))
                transaction.store("removed", .sample("first"))
                transaction.remove("removed")
                transaction.remove("revived")
                transaction.store("revived", .sample("first"))
            }
        )

        let records = try store.records(of: ["kept", "removed", "revived"])

        #expect(records == [.job(.sample("second")), .missing, .job(.sample("first"))])
    }

    @Test("tells how many bytes the record of a job takes, and 0 where there is none", arguments: StoreKind.allCases)
    func recordByteCounts(kind: StoreKind) throws {
        let store = try kind.makeData().loadedStore()
        let jobs = (0..<2_500).map { JobID("job-\($0)") }
        try store.commit(.turn(1) { for job in jobs { $0.store(job, .sample("x")) } })
        try store.commit(.turn(2) { for job in jobs.prefix(500) { $0.remove(job) } })
        try store.commit(
            .turn(3) { $0.store("large", StoredJob(token: 1, payload: .init(repeating: 7, count: 9_000))) }
        )

        let byteCounts = try store.recordByteCounts(of: jobs + ["large"])

        let overhead = try #require(byteCounts.last) - 9_000
        #expect((1...64).contains(overhead))
        #expect(byteCounts.dropLast() == Array(repeating: 0, count: 500) + Array(repeating: overhead + 1, count: 2_000))
        #expect(try store.recordByteCounts(of: []).isEmpty)
    }

    @Test(
        "brings the records that have room in a budget of bytes, and one at least",
        arguments: StoreKind.allCases,
        [(0, 1), (1, 1), (2_500, 2), (3_500, 3), (1_000_000, 5), (.max, 5)]
    )
    func byteBudget(kind: StoreKind, budget: (byteCount: Int, recordCount: Int)) throws {
        let store = try kind.makeData().loadedStore()
        let jobs: [JobID] = ["a", "missing", "b", "c", "d"]
        try store.commit(
            .turn(1) { transaction in
                for job in jobs where job != "missing" {
                    transaction.store(job, StoredJob(token: 1, payload: .init(repeating: 7, count: 1_500)))
                }
            }
        )

        let (records, byteCount) = try store.records(of: jobs, byteBudget: budget.byteCount)

        #expect(records == Array(try store.records(of: jobs).prefix(budget.recordCount)))
        #expect(byteCount <= max(budget.byteCount, 1_600))
        #expect(byteCount >= records.reduce(0) { $0 + $1.payloadByteCount })
        #expect(try store.records(of: [], byteBudget: budget.byteCount).records.isEmpty)
    }

    @Test("takes names with spaces, line ends and colons", arguments: StoreKind.allCases)
    func oddNames(kind: StoreKind) throws {
        let data = try kind.makeData()
        let store = try data.loadedStore()
        let odd: JobID = "a b\r\n*1\r\n:7:é"
        try store.commit(
            .turn(1) { transaction in
                transaction.enqueue(odd, token: 9, to: "q")
                transaction.add(odd, to: .retries, at: .microseconds(5))
                transaction.hold(odd, .sample(worker: "w\r\n é"))
                transaction.keyValues["k\r\n"] = [13, 10]
            }
        )

        #expect(try store.entries(of: "q", from: 0, count: 1) == [QueueEntry(token: 9, jobID: odd)])
        #expect(try store.members(of: .retries, from: 0, count: 1).map(\.jobID) == [odd])
        #expect(try store.keyValue("k\r\n") == [13, 10])
        let state = try data.store().load()
        #expect(try store.newestEntries(of: "q", from: 0, count: 1) == [QueueEntry(token: 9, jobID: odd)])
        #expect(try store.recordByteCounts(of: [odd]) != [0])
        #expect(state.reservations.map(\.jobID) == [odd])
        #expect(state.reservations.first?.reservation == .sample(worker: "w\r\n é"))
    }

    @Test("tells a reservation with its lane and its origin until it is released", arguments: StoreKind.allCases)
    func reservations(kind: StoreKind) throws {
        let data = try kind.makeData()
        let store = try data.loadedStore()
        let lane = LaneKey(session: SessionID(high: 1, low: .max), lane: 65_535)
        let offered = StoredReservation(
            worker: "w1",
            reservedAt: WallTime(nanosecondsSinceEpoch: 1_795_440_108_123_456_789),
            expiresAt: WallTime(nanosecondsSinceEpoch: 1_795_441_908_123_456_789),
            lane: lane,
            offer: .max,
            request: 3,
            origin: StoredReservation.Origin(queue: "q.1", token: .max)
        )
        try store.commit(
            .turn(1) { transaction in
                transaction.store("offered", .sample("one"))
                transaction.hold("offered", offered)
                transaction.hold("released", .sample(worker: ""))
                transaction.hold("orphan", .sample(worker: ""))
            }
        )
        try store.commit(.turn(2) { $0.release("released") })

        let reservations = try data.store().load().reservations
        let byJob = Dictionary(uniqueKeysWithValues: reservations.map { ($0.jobID, $0.reservation) })

        #expect(byJob == ["offered": offered, "orphan": .sample(worker: "")])
    }

    @Test("follows a reservation that is extended", arguments: StoreKind.allCases)
    func extendedReservation(kind: StoreKind) throws {
        let store = try kind.makeData().loadedStore()
        try store.commit(.turn(1) { $0.hold("j1", .sample(worker: "first")) })
        try store.commit(.turn(2) { $0.hold("j1", .sample(worker: "second", expiringAt: .microseconds(77))) })

        let reservations = try store.load().reservations

        #expect(reservations.map(\.reservation) == [.sample(worker: "second", expiringAt: .microseconds(77))])
    }
}
