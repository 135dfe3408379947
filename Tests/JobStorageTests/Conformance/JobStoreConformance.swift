import JobCore
import JobStorage
import Testing

/// What every store promises, proved over each of them.
@Suite("Every job store", .redis)
struct JobStoreConformance {
    @Test("begins with a fresh data set at the position before any leader", arguments: StoreKind.allCases)
    func fresh(kind: StoreKind) throws {
        let state = try kind.makeData().store().load()

        #expect(state.position == Position(epoch: Epoch(0), sequence: 0))
        #expect(state.lastToken == 0)
        #expect(state.queues.isEmpty && state.pausedQueues.isEmpty && state.reservations.isEmpty)
        #expect(state.lanes.isEmpty && state.sessions.isEmpty && state.workerStates.isEmpty)
        #expect(state.jobCount == 0)
        #expect(state.setCounts == [.scheduled: 0, .retries: 0, .dead: 0])
        #expect(state.counters == JobCounters())
    }

    @Test("gives the next leader the position and the last token", arguments: StoreKind.allCases)
    func position(kind: StoreKind) throws {
        let data = try kind.makeData()
        let store = try data.loadedStore()
        let position = Position(epoch: Epoch(3), sequence: 17)
        try store.commit(StorageTransaction(position: position, lastToken: .max, day: "2026-03-01"))

        let state = try data.store().load()

        #expect(state.position == position)
        #expect(state.lastToken == .max)
    }

    @Test("neither reads nor writes before it was loaded", arguments: StoreKind.allCases)
    func unloaded(kind: StoreKind) throws {
        let data = try kind.makeData()
        let store = data.store()

        #expect(throws: StorageError.notLoaded) { try store.commit(.turn(1)) }
        #expect(throws: StorageError.notLoaded) { try store.records(of: ["j1"]) }
        #expect(try data.store().load().position.sequence == 0)
    }

    @Test("fences off a leader whose epoch is over, until it has loaded anew", arguments: StoreKind.allCases)
    func overtaken(kind: StoreKind) throws {
        let store = try kind.makeData().loadedStore()
        try store.commit(.turn(1, epoch: 2))
        let late = StorageTransaction.turn(2, epoch: 1) { $0.store("j1", .sample("late")) }

        #expect(throws: StorageError.fenced) { try store.commit(late) }
        #expect(throws: StorageError.notLoaded) { try store.commit(.turn(2, epoch: 2)) }
        #expect(try store.load().position == Position(epoch: Epoch(2), sequence: 1))
        #expect(try store.records(of: ["j1"]) == [.missing])
    }

    @Test("shows a reader of its own what was committed", arguments: StoreKind.allCases)
    func reader(kind: StoreKind) throws {
        let data = try kind.makeData()
        let store = try data.loadedStore()
        let reader = data.reader()
        #expect(try reader.records(of: ["j1"]) == [.missing])

        try store.commit(.turn(1) { $0.store("j1", .sample("one")) })

        #expect(try reader.records(of: ["j1"]) == [.job(.sample("one"))])
    }

    @Test("takes ten thousand jobs in one transaction", arguments: StoreKind.allCases)
    func large(kind: StoreKind) throws {
        let data = try kind.makeData()
        let store = try data.loadedStore()
        let jobCount = 10_000
        try store.commit(
            .turn(1) { transaction in
                transaction.knownQueues["q"] = true
                for index in 1...jobCount {
                    transaction.enqueue("job-\(index)", token: UInt64(index), to: "q")
                    transaction.add("job-\(index)", to: .dead, at: .microseconds(Int64(index)))
                    transaction.hold("job-\(index)", .sample(worker: "w"))
                }
            }
        )

        let state = try data.store().load()

        #expect(state.queues == [StoredQueue(name: "q", entryCount: jobCount)])
        #expect(state.setCounts[.dead] == jobCount)
        #expect(state.reservations.count == jobCount)
        let entries = try store.entries(of: "q", from: 0, count: jobCount)
        #expect(entries.map(\.token) == Array(1...UInt64(jobCount)))
        #expect(try store.records(of: entries.map(\.jobID)).map(\.token) == entries.map(\.token))
    }
}
