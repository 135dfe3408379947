import JobCore
import JobStorage
import Testing

extension JobStoreConformance {
    @Test("counts by the day and in all", arguments: StoreKind.allCases)
    func counters(kind: StoreKind) throws {
        let data = try kind.makeData()
        let store = try data.loadedStore()
        for (sequence, day) in ["2026-03-01", "2026-03-01", "2026-03-02"].enumerated() {
            try store.commit(
                .turn(UInt64(sequence + 1), day: day) { transaction in
                    transaction.processed = 5
                    transaction.failures = sequence == 1 ? 0 : 2
                }
            )
        }

        let days = try store.counters(on: ["2026-03-02", "2026-02-28", "2026-03-01"])

        #expect(
            days == [JobCounters(processed: 5, failures: 2), JobCounters(), JobCounters(processed: 10, failures: 2)]
        )
        #expect(try store.counters(on: []) == [])
        #expect(try data.store().load().counters == JobCounters(processed: 15, failures: 4))
    }

    @Test("remembers lanes of sessions, and forgets them with their session", arguments: StoreKind.allCases)
    func sessions(kind: StoreKind) throws {
        let data = try kind.makeData()
        let store = try data.loadedStore()
        let kept = SessionID(high: 1, low: 2)
        let ended = SessionID(high: 3, low: 4)
        let record = LaneRecord(batch: .max, offered: 2, settled: 1, replies: [0, 13, 10, 255])
        let empty = LaneRecord(batch: 1, offered: 0, settled: 0, replies: [])
        try store.commit(
            .turn(1) { transaction in
                transaction.sessions[kept] = .some("front-1 é")
                transaction.sessions[ended] = .some("")
                transaction.lanes[LaneKey(session: kept, lane: 0)] = empty
                transaction.lanes[LaneKey(session: kept, lane: 65_535)] = empty
                transaction.lanes[LaneKey(session: ended, lane: 0)] = empty
            }
        )
        try store.commit(.turn(2) { $0.lanes[LaneKey(session: kept, lane: 0)] = record })
        #expect(try data.store().load().sessions == [kept: "front-1 é", ended: ""])

        // What a session does in its last turn goes with it.
        try store.commit(
            .turn(3) { transaction in
                transaction.sessions.updateValue(nil, forKey: ended)
                transaction.lanes[LaneKey(session: ended, lane: 1)] = empty
            }
        )

        let state = try data.store().load()
        #expect(state.sessions == [kept: "front-1 é"])
        #expect(
            state.lanes == [LaneKey(session: kept, lane: 0): record, LaneKey(session: kept, lane: 65_535): empty]
        )

        // Nothing of an ended session comes back when one begins again under its identity.
        try store.commit(.turn(4) { $0.sessions[ended] = .some("again") })
        #expect(try data.store().load().lanes.count == 2)
    }

    @Test(
        "remembers how far long commands have come, and forgets them with their session",
        arguments: StoreKind.allCases
    )
    func progress(kind: StoreKind) throws {
        let data = try kind.makeData()
        let store = try data.loadedStore()
        let kept = LaneKey(session: SessionID(high: 1, low: 2), lane: 65_535)
        let ended = LaneKey(session: SessionID(high: 3, low: 4), lane: 0)
        let first = ProgressKey(lane: kept, request: .max, part: 0)
        let second = ProgressKey(lane: kept, request: .max, part: .max)
        let finished = ProgressKey(lane: kept, request: 1, part: 0)
        let orphan = ProgressKey(lane: ended, request: 1, part: 0)
        try store.commit(
            .turn(1) { transaction in
                transaction.sessions[kept.session] = .some("kept")
                transaction.sessions[ended.session] = .some("ended")
                transaction.progress[first] = [0, 13, 10, 255]
                transaction.progress[second] = .some([])
                transaction.progress[finished] = [1]
                transaction.progress[orphan] = [2]
            }
        )
        let all: [ProgressKey: [UInt8]] = [first: [0, 13, 10, 255], second: [], finished: [1], orphan: [2]]
        #expect(try data.store().load().progress == all)

        try store.commit(
            .turn(2) { transaction in
                transaction.progress[first] = [7]
                transaction.progress.updateValue(nil, forKey: finished)
                transaction.sessions.updateValue(nil, forKey: ended.session)
                transaction.flushesEverything = true
            }
        )
        #expect(try data.store().load().progress == [first: [7], second: []])

        // Nothing of an ended session comes back when one begins again under its identity.
        try store.commit(.turn(3) { $0.sessions[ended.session] = .some("again") })
        #expect(try data.store().load().progress.count == 2)
    }

    @Test("remembers what workers were told", arguments: StoreKind.allCases)
    func workerStates(kind: StoreKind) throws {
        let data = try kind.makeData()
        let store = try data.loadedStore()
        try store.commit(
            .turn(1) { transaction in
                transaction.workerStates[WorkerID("quiet")] = .quiet
                transaction.workerStates[WorkerID("ended")] = .terminate
                transaction.workerStates[WorkerID("running")] = .running
            }
        )
        try store.commit(
            .turn(2) { transaction in
                transaction.workerStates.updateValue(nil, forKey: WorkerID("ended"))
                transaction.workerStates[WorkerID("quiet")] = .terminate
            }
        )

        let states = try data.store().load().workerStates

        #expect(states == [WorkerID("quiet"): .terminate, WorkerID("running"): .running])
    }

    @Test("remembers which workers beat, and when workers vanished with a job", arguments: StoreKind.allCases)
    func crashes(kind: StoreKind) throws {
        let data = try kind.makeData()
        let store = try data.loadedStore()
        let times = [WallTime(nanosecondsSinceEpoch: 1_772_352_930_000_001_999), .microseconds(-1), .microseconds(0)]
        try store.commit(
            .turn(1) { transaction in
                transaction.beatingWorkers = [WorkerID("w 1"): true, WorkerID("gone"): true]
                transaction.crashes["poison é"] = .some(times)
                transaction.crashes["done"] = .some([.microseconds(2)])
            }
        )
        try store.commit(
            .turn(2) { transaction in
                transaction.beatingWorkers = [WorkerID("gone"): false]
                transaction.crashes.updateValue(nil, forKey: "done")
            }
        )

        let state = try data.store().load()

        #expect(state.beatingWorkers == [WorkerID("w 1")])
        #expect(state.crashes == ["poison é": times.map(\.roundedToScore)])
    }

    @Test("remembers the reservations of jobs that were taken back", arguments: StoreKind.allCases)
    func returned(kind: StoreKind) throws {
        let data = try kind.makeData()
        let store = try data.loadedStore()
        var held = StoredReservation.sample(worker: "w")
        held.lock = ReservedLock([0, 10, 255], until: .microseconds(7))
        try store.commit(
            .turn(1) { transaction in
                transaction.returned["back é"] = .some(held)
                transaction.returned["again"] = .some(.sample(worker: "w"))
            }
        )
        try store.commit(.turn(2) { $0.returned.updateValue(nil, forKey: "again") })

        #expect(try data.store().load().returned == ["back é": held])
    }

    @Test(
        "keeps the records of every table, and finds those that have ended",
        arguments: StoreKind.allCases,
        Table.allCases
    )
    func tables(kind: StoreKind, table: Table) throws {
        let data = try kind.makeData()
        let store = try data.loadedStore()
        let end = WallTime.microseconds(1_800)
        func record(_ body: [UInt8], after microseconds: Int64) -> TableRecord {
            TableRecord(body, end: table.hasEnds ? .microseconds(1_800 + microseconds) : nil)
        }
        try store.commit(
            .turn(1) { transaction in
                transaction.put(record([0, 13, 10, 255], after: 0), under: [0, 10, 255], in: table)
                transaction.put(record([], after: 1), under: [], in: table)
                transaction.put(record([1], after: 2), under: [2], in: table)
                transaction.put(record([2], after: 3), under: [3], in: table)
            }
        )
        try store.commit(
            .turn(2) { transaction in
                transaction.remove([2], from: table)
                transaction.remove([9], from: table)
                transaction.put(record([7], after: -1), under: [3], in: table)
            }
        )

        let reader = data.reader()
        let names: [[UInt8]] = [[0, 10, 255], [], [2], [3]]
        let expected = [record([0, 13, 10, 255], after: 0), record([], after: 1), nil, record([7], after: -1)]
        #expect(try reader.tableRecords(of: names, in: table) == expected)
        #expect(try reader.tableRecords(of: [], in: table) == [])
        if table.hasEnds {
            #expect(try reader.endedNames(in: table, until: end, count: 10) == [[3], [0, 10, 255]])
            #expect(try reader.endedNames(in: table, until: .microseconds(1_801), count: 10).count == 3)
            #expect(try reader.endedNames(in: table, until: end, count: 1) == [[3]])
            #expect(try reader.endedNames(in: table, until: end, count: 0) == [])
        }
        try store.commit(.turn(3) { $0.flushesEverything = true })
        let left = try reader.tableRecords(of: names, in: table).compactMap(\.self)
        #expect(left.isEmpty == table.isFlushed)
        if table.hasEnds, table.isFlushed {
            #expect(try reader.endedNames(in: table, until: .microseconds(9_999), count: 10) == [])
        }
    }

    @Test("keeps the log of outcomes in segments that grow, and are emptied as a whole", arguments: StoreKind.allCases)
    func outcomes(kind: StoreKind) throws {
        let data = try kind.makeData()
        let store = try data.loadedStore()
        func append(_ sequence: UInt64, _ segment: Int, _ bytes: [UInt8], begins: Bool = false) throws {
            let change = OutcomeChange(segment: segment, beginsFor: begins ? .seconds(600) : nil, bytes: bytes)
            try store.commit(.turn(sequence) { $0.outcomes = change })
        }
        try append(1, 0, [0, 13, 10, 255], begins: true)
        try append(2, 0, [7, 8])
        try append(3, 3, [1], begins: true)
        #expect(try data.store().load().outcomeByteCounts == [6, 0, 0, 1])
        #expect(try store.outcomes(in: 0, from: 0, count: 100) == [0, 13, 10, 255, 7, 8])
        #expect(try store.outcomes(in: 0, from: 3, count: 2) == [255, 7])
        #expect(try store.outcomes(in: 0, from: 6, count: 1) == [])
        #expect(try store.outcomes(in: 1, from: 0, count: 1) == [])
        #expect(try store.outcomes(in: 0, from: 0, count: 0) == [])
        try append(4, 0, [9], begins: true)
        #expect(try store.outcomes(in: 0, from: 0, count: 100) == [9])
        try store.commit(.turn(5) { $0.flushesEverything = true })
        #expect(try data.store().load().outcomeByteCounts == [0, 0, 0, 0])
    }

    @Test("keeps the values of middleware", arguments: StoreKind.allCases)
    func keyValues(kind: StoreKind) throws {
        let store = try kind.makeData().loadedStore()
        try store.commit(
            .turn(1) { transaction in
                transaction.keyValues["kept"] = [0, 255]
                transaction.keyValues["empty"] = .some([])
                transaction.keyValues["deleted"] = [1]
            }
        )
        try store.commit(.turn(2) { $0.keyValues.updateValue(nil, forKey: "deleted") })

        #expect(try store.keyValue("kept") == [0, 255])
        #expect(try store.keyValue("empty") == [])
        #expect(try store.keyValue("deleted") == nil)
    }

    @Test("flushes everything but sessions, lanes, the position and middleware's values", arguments: StoreKind.allCases)
    func flush(kind: StoreKind) throws {
        let data = try kind.makeData()
        let store = try data.loadedStore()
        let lane = LaneKey(session: SessionID(high: 1, low: 2), lane: 0)
        let record = LaneRecord(batch: 1, offered: 0, settled: 0, replies: [])
        try store.commit(
            .turn(1) { transaction in
                transaction.enqueue("enqueued", token: 1, to: "q")
                transaction.knownQueues["q"] = true
                transaction.pausedQueues["p"] = true
                for set in JobSet.allCases { transaction.add("member", to: set, at: .microseconds(1)) }
                transaction.hold("held", .sample(worker: "w"))
                transaction.processed = 2
                transaction.failures = 1
                transaction.workerStates[WorkerID("w")] = .quiet
                transaction.beatingWorkers[WorkerID("w")] = true
                transaction.crashes["held"] = .some([.microseconds(1)])
                transaction.returned["enqueued"] = .some(.sample(worker: "w"))
                transaction.sessions[lane.session] = .some("front-1")
                transaction.lanes[lane] = record
                transaction.keyValues["k"] = [1]
            }
        )

        // What else the turn does comes after the flush.
        try store.commit(
            .turn(2) { transaction in
                transaction.flushesEverything = true
                transaction.enqueue("new", token: 2, to: "q")
                transaction.knownQueues["q"] = true
                transaction.processed = 7
            }
        )

        let state = try data.store().load()
        #expect(state.position.sequence == 2)
        #expect(state.jobCount == 1)
        #expect(try store.recordByteCounts(of: ["new"]) != [0])
        #expect(state.queues == [StoredQueue(name: "q", entryCount: 1)])
        #expect(state.pausedQueues == [])
        #expect(state.reservations.isEmpty)
        #expect(state.setCounts == [.scheduled: 0, .retries: 0, .dead: 0])
        #expect(state.counters == JobCounters(processed: 7))
        #expect(try store.counters(on: [StorageTransaction.sampleDay]) == [JobCounters(processed: 7)])
        #expect(state.workerStates == [:])
        #expect(state.beatingWorkers.isEmpty && state.crashes.isEmpty && state.returned.isEmpty)
        #expect(state.sessions == [lane.session: "front-1"])
        #expect(state.lanes == [lane: record])
        #expect(try store.keyValue("k") == [1])
    }
}
