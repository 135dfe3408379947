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
        #expect(Set(try store.load().jobIDs) == ["kept", "revived"])
    }

    @Test("lists every live job once", arguments: StoreKind.allCases)
    func jobIDs(kind: StoreKind) throws {
        let store = try kind.makeData().loadedStore()
        let jobs = (0..<2_500).map { JobID("job-\($0)") }
        try store.commit(.turn(1) { for job in jobs { $0.store(job, .sample("x")) } })
        try store.commit(.turn(2) { for job in jobs.prefix(500) { $0.remove(job) } })

        let listed = try store.load().jobIDs

        #expect(listed.count == 2_000)
        #expect(Set(listed) == Set(jobs.dropFirst(500)))
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

        #expect(try store.entries(of: "q", from: 0, count: 1).map(\.entry) == [QueueEntry(token: 9, jobID: odd)])
        #expect(try store.members(of: .retries, from: 0, count: 1).map(\.member.jobID) == [odd])
        #expect(try store.keyValue("k\r\n") == [13, 10])
        let state = try data.store().load()
        #expect(state.jobIDs == [odd])
        #expect(state.reservations.map(\.jobID) == [odd])
        #expect(state.reservations.first?.reservation == .sample(worker: "w\r\n é"))
    }

    @Test("tells a reservation with its lane and its record until it is released", arguments: StoreKind.allCases)
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
            request: 3
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
        let byJob = Dictionary(uniqueKeysWithValues: reservations.map { ($0.jobID, ($0.reservation, $0.record)) })

        #expect(Set(byJob.keys) == ["offered", "orphan"])
        #expect(byJob["offered"]?.0 == offered)
        #expect(byJob["offered"]?.1 == .job(.sample("one")))
        #expect(byJob["orphan"]?.0 == .sample(worker: ""))
        #expect(byJob["orphan"]?.1 == .missing)
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
