import JobCore
import JobStorage
import Testing

extension JobStoreConformance {
    @Test("orders members by score, and those of one score by name", arguments: StoreKind.allCases)
    func order(kind: StoreKind) throws {
        let store = try kind.makeData().loadedStore()
        try store.commit(
            .turn(1) { transaction in
                transaction.add("c", to: .scheduled, at: .microseconds(2))
                transaction.add("a", to: .scheduled, at: .microseconds(2))
                transaction.add("Z", to: .scheduled, at: .microseconds(2))
                transaction.add("é", to: .scheduled, at: .microseconds(2))
                transaction.add("ab", to: .scheduled, at: .microseconds(2))
                transaction.add("last", to: .scheduled, at: .microseconds(10))
                transaction.add("first", to: .scheduled, at: .microseconds(-1))
            }
        )

        let members = try store.members(of: .scheduled, from: 0, count: 100).map(\.jobID)

        #expect(members == ["first", "Z", "a", "ab", "c", "é", "last"])
    }

    @Test("moves a job within a set and between sets", arguments: StoreKind.allCases)
    func moves(kind: StoreKind) throws {
        let store = try kind.makeData().loadedStore()
        try store.commit(
            .turn(1) { transaction in
                transaction.add("j1", to: .scheduled, at: .microseconds(1))
                transaction.add("j2", to: .scheduled, at: .microseconds(2))
            }
        )
        try store.commit(
            .turn(2) { transaction in
                transaction.add("j1", to: .scheduled, at: .microseconds(3))
                transaction.remove("j2", from: .scheduled)
                transaction.add("j2", to: .dead, at: .microseconds(4))
                transaction.remove("never", from: .retries)
            }
        )

        #expect(try store.scores(of: ["j1", "j2"], in: .scheduled) == [.microseconds(3), nil])
        #expect(try store.scores(of: ["j1", "j2"], in: .dead) == [nil, .microseconds(4)])
        #expect(try store.scores(of: [], in: .dead) == [])
        #expect(try store.load().setCounts == [.scheduled: 1, .retries: 0, .dead: 1])
    }

    @Test("lets the last word on a member count", arguments: StoreKind.allCases)
    func lastWordOnMember(kind: StoreKind) throws {
        let store = try kind.makeData().loadedStore()
        try store.commit(
            .turn(1) { transaction in
                transaction.add("left", to: .retries, at: .microseconds(1))
                transaction.remove("left", from: .retries)
                transaction.remove("joined", from: .retries)
                transaction.add("joined", to: .retries, at: .microseconds(1))
            }
        )

        #expect(try store.scores(of: ["left", "joined"], in: .retries) == [nil, .microseconds(1)])
    }

    @Test("empties a cleared set before anything joins it", arguments: StoreKind.allCases)
    func clearedSet(kind: StoreKind) throws {
        let store = try kind.makeData().loadedStore()
        try store.commit(
            .turn(1) { transaction in
                for set in JobSet.allCases { transaction.add("old", to: set, at: .microseconds(1)) }
            }
        )
        try store.commit(
            .turn(2) { transaction in
                transaction.clear(.retries)
                transaction.add("new", to: .retries, at: .microseconds(2))
            }
        )

        #expect(try store.scores(of: ["old", "new"], in: .retries) == [nil, .microseconds(2)])
        #expect(try store.load().setCounts == [.scheduled: 1, .retries: 1, .dead: 1])
    }

    @Test("tells what is due up to a moment, that moment included", arguments: StoreKind.allCases)
    func due(kind: StoreKind) throws {
        let store = try kind.makeData().loadedStore()
        try store.commit(
            .turn(1) { transaction in
                for index in 1...5 {
                    transaction.store("j\(index)", .sample("\(index)"))
                    transaction.add("j\(index)", to: .scheduled, at: .microseconds(Int64(index * 10)))
                }
                transaction.add("gone", to: .scheduled, at: .microseconds(15))
            }
        )

        let due = try store.due(in: .scheduled, until: .microseconds(30), count: 100)
        #expect(due.map(\.jobID) == ["j1", "gone", "j2", "j3"])
        #expect(due.map(\.score) == [10, 15, 20, 30].map { .microseconds($0) })
        #expect(try store.due(in: .scheduled, until: .microseconds(9), count: 100).isEmpty)
        #expect(
            try store.due(in: .scheduled, until: .microseconds(30), count: 2).map(\.jobID) == ["j1", "gone"]
        )
        #expect(try store.due(in: .scheduled, until: .microseconds(30), count: 0).isEmpty)
        #expect(try store.due(in: .scheduled, until: .microseconds(30), count: -1).isEmpty)
    }

    @Test(
        "pages through a set by rank",
        arguments: StoreKind.allCases,
        [(0, 3), (2, 3), (9, 3), (10, 3), (12, 1), (0, 0), (3, -1), (-1, 2), (0, 10), (0, 99)]
    )
    func setPages(kind: StoreKind, page: (offset: Int, count: Int)) throws {
        let store = try kind.makeData().loadedStore()
        let jobs = (0..<10).map { JobID("j\($0)") }
        try store.commit(.turn(1) { for job in jobs { $0.add(job, to: .dead, at: .microseconds(1)) } })

        let listed = try store.members(of: .dead, from: page.offset, count: page.count).map(\.jobID)

        #expect(listed == (page.offset < 0 ? [] : Array(jobs.dropFirst(page.offset).prefix(max(0, page.count)))))
    }

    @Test("shows a scan every member, in however many slices", arguments: StoreKind.allCases, [3, 1_000])
    func scan(kind: StoreKind, memberCount: Int) throws {
        let store = try kind.makeData().loadedStore()
        let jobs = (0..<memberCount).map { JobID("job-\($0)") }
        try store.commit(
            .turn(1) { transaction in
                for (index, job) in jobs.enumerated() {
                    transaction.store(job, .sample(job.text))
                    transaction.add(job, to: .dead, at: .microseconds(Int64(index)))
                }
            }
        )

        var seen: [JobID: WallTime] = [:]
        var cursor: UInt64? = 0
        while let current = cursor {
            let slice = try store.scan(.dead, from: current, count: 10)
            for member in slice.members { seen[member.jobID] = member.score }
            cursor = slice.next
        }

        let scores = (0..<memberCount).map { WallTime.microseconds(Int64($0)) }
        #expect(seen == Dictionary(uniqueKeysWithValues: zip(jobs, scores)))
        let empty = try store.scan(.retries, from: 0, count: 10)
        #expect(empty.members.isEmpty && empty.next == nil)
    }

    @Test("tells which reservations have ended, the first to end in front", arguments: StoreKind.allCases)
    func expiredReservations(kind: StoreKind) throws {
        let store = try kind.makeData().loadedStore()
        try store.commit(
            .turn(1) { transaction in
                for (job, expiry) in [("late", 31), ("b", 20), ("a", 20), ("last", 30), ("first", 10), ("gone", 5)] {
                    transaction.hold(JobID(job), .sample(worker: "w", expiringAt: .microseconds(Int64(expiry))))
                }
            }
        )
        try store.commit(
            .turn(2) { transaction in
                transaction.release("gone")
                transaction.hold("late", .sample(worker: "w", expiringAt: .microseconds(40)))
            }
        )

        #expect(try store.expiredReservations(until: .microseconds(30), count: 9) == ["first", "a", "b", "last"])
        #expect(try store.expiredReservations(until: .microseconds(30), count: 2) == ["first", "a"])
        #expect(try store.expiredReservations(until: .microseconds(9), count: 9) == [])
        #expect(try store.expiredReservations(until: .microseconds(30), count: 0) == [])
    }

    @Test(
        "gives scores back to the microsecond",
        arguments: StoreKind.allCases,
        [
            0, 1, -1, 999, 1_000, 1_999, -1_001, 1_795_440_108_123_456_789, 1_795_440_108_123_457_000,
            9_007_199_254_740_991_000,
            9_007_199_254_740_992_000, 9_007_199_254_740_993_999, .max, .min,
        ] as [Int64]
    )
    func scores(kind: StoreKind, nanoseconds: Int64) throws {
        let store = try kind.makeData().loadedStore()
        let time = WallTime(nanosecondsSinceEpoch: nanoseconds)
        try store.commit(.turn(1) { $0.add("j1", to: .scheduled, at: time) })

        let rounded = time.roundedToScore
        #expect(try store.scores(of: ["j1"], in: .scheduled) == [rounded])
        #expect(try store.due(in: .scheduled, until: time, count: 1).map(\.score) == [rounded])
        #expect(try store.members(of: .scheduled, from: 0, count: 1).map(\.score) == [rounded])
    }
}
