import JobCore
import JobStorage
import Testing

extension JobStoreConformance {
    private func tokens(of queue: QueueName, in store: any JobStore) throws -> [UInt64] {
        try store.entries(of: queue, from: 0, count: 100).map(\.token)
    }

    @Test("gives entries out in the order in which they came", arguments: StoreKind.allCases)
    func fifo(kind: StoreKind) throws {
        let store = try kind.makeData().loadedStore()
        try store.commit(.turn(1) { for token in 1...3 { $0.enqueue("j\(token)", token: UInt64(token), to: "q") } })
        try store.commit(.turn(2) { for token in 4...5 { $0.enqueue("j\(token)", token: UInt64(token), to: "q") } })
        #expect(try self.tokens(of: "q", in: store) == [1, 2, 3, 4, 5])

        try store.commit(.turn(3) { $0.queues["q", default: QueueChanges()].take(2) })

        #expect(try self.tokens(of: "q", in: store) == [3, 4, 5])
    }

    @Test("hands out next what was given back last", arguments: StoreKind.allCases)
    func giveBack(kind: StoreKind) throws {
        let store = try kind.makeData().loadedStore()
        try store.commit(.turn(1) { $0.enqueue("j3", token: 3, to: "q") })

        try store.commit(
            .turn(2) { transaction in
                transaction.queues["q", default: QueueChanges()].giveBack(QueueEntry(token: 2, jobID: "j2"))
                transaction.queues["q", default: QueueChanges()].giveBack(QueueEntry(token: 1, jobID: "j1"))
            }
        )

        #expect(try self.tokens(of: "q", in: store) == [1, 2, 3])
    }

    @Test("joins before it takes, and takes and gives back in order, in one transaction", arguments: StoreKind.allCases)
    func mixedTurn(kind: StoreKind) throws {
        let store = try kind.makeData().loadedStore()
        try store.commit(.turn(1) { for token in 1...2 { $0.enqueue("j\(token)", token: UInt64(token), to: "q") } })

        // The third entry is taken in the transaction in which it joins.
        try store.commit(
            .turn(2) { transaction in
                transaction.queues["q", default: QueueChanges()].take(3)
                transaction.enqueue("j3", token: 3, to: "q")
                transaction.enqueue("j4", token: 4, to: "q")
                transaction.queues["q", default: QueueChanges()].giveBack(QueueEntry(token: 2, jobID: "j2"))
                transaction.queues["q", default: QueueChanges()].giveBack(QueueEntry(token: 1, jobID: "j1"))
                transaction.queues["q", default: QueueChanges()].take()
            }
        )

        #expect(try self.tokens(of: "q", in: store) == [2, 4])
    }

    @Test("keeps changes of different queues apart", arguments: StoreKind.allCases)
    func severalQueues(kind: StoreKind) throws {
        let store = try kind.makeData().loadedStore()
        // Names that would hit other keys, were they not told apart.
        let names: [QueueName] = ["jobs", "queue", "queues", "dead", "cluster", "a.b-c_D9"]
        try store.commit(
            .turn(1) { transaction in
                for (index, name) in names.enumerated() {
                    transaction.enqueue("job-\(index)", token: UInt64(index + 1), to: name)
                    transaction.knownQueues[name] = true
                }
            }
        )

        for (index, name) in names.enumerated() {
            #expect(try self.tokens(of: name, in: store) == [UInt64(index + 1)])
        }
        #expect(Set(try store.load().queues) == Set(names.map { StoredQueue(name: $0, entryCount: 1) }))
    }

    @Test("tells an entry that no longer counts by its token", arguments: StoreKind.allCases)
    func staleToken(kind: StoreKind) throws {
        let store = try kind.makeData().loadedStore()
        try store.commit(.turn(1) { for token in 1...2 { $0.enqueue("j\(token)", token: UInt64(token), to: "q") } })
        try store.commit(
            .turn(2) { transaction in
                transaction.remove("j1")
                transaction.remove("j2")
                transaction.enqueue("j1", token: 3, to: "q")
            }
        )

        let entries = try store.entries(of: "q", from: 0, count: 10)
        let records = try store.records(of: entries.map(\.jobID))

        #expect(entries.map(\.token) == [1, 2, 3])
        #expect(zip(entries, records).map { $0.token == $1.token } == [false, false, true])
        #expect(records == [.job(.sample("j1", token: 3)), .missing, .job(.sample("j1", token: 3))])
    }

    @Test("empties a cleared queue before anything joins it", arguments: StoreKind.allCases)
    func clearedQueue(kind: StoreKind) throws {
        let store = try kind.makeData().loadedStore()
        try store.commit(
            .turn(1) { transaction in
                transaction.knownQueues["q"] = true
                for token in 1...3 { transaction.enqueue("j\(token)", token: UInt64(token), to: "q") }
            }
        )
        try store.commit(
            .turn(2) { transaction in
                transaction.enqueue("j4", token: 4, to: "q")
                transaction.queues["q", default: QueueChanges()].clear()
                transaction.enqueue("j5", token: 5, to: "q")
            }
        )
        #expect(try self.tokens(of: "q", in: store) == [5])

        try store.commit(
            .turn(3) { transaction in
                transaction.queues["q", default: QueueChanges()].clear()
                transaction.knownQueues["q"] = false
            }
        )

        #expect(try self.tokens(of: "q", in: store) == [])
        #expect(try store.load().queues == [])
    }

    @Test("knows a queue that is empty", arguments: StoreKind.allCases)
    func emptyQueue(kind: StoreKind) throws {
        let store = try kind.makeData().loadedStore()
        try store.commit(.turn(1) { $0.knownQueues["q"] = true })

        #expect(try store.load().queues == [StoredQueue(name: "q", entryCount: 0)])
    }

    @Test("keeps the pause of a queue that is not known", arguments: StoreKind.allCases)
    func pausedQueues(kind: StoreKind) throws {
        let store = try kind.makeData().loadedStore()
        try store.commit(
            .turn(1) { transaction in
                transaction.pausedQueues["unknown"] = true
                transaction.pausedQueues["resumed"] = true
            }
        )
        try store.commit(.turn(2) { $0.pausedQueues["resumed"] = false })

        let state = try store.load()

        #expect(state.pausedQueues == ["unknown"])
        #expect(state.queues == [])
    }

    @Test(
        "pages through a queue from its oldest entry, and from its newest",
        arguments: StoreKind.allCases,
        [(0, 3), (2, 3), (9, 3), (10, 3), (12, 1), (0, 0), (3, -1), (-1, 2), (0, 10), (0, 99)]
    )
    func queuePages(kind: StoreKind, page: (offset: Int, count: Int)) throws {
        let store = try kind.makeData().loadedStore()
        try store.commit(
            .turn(1) { transaction in
                for token in 1...9 { transaction.enqueue("j\(token)", token: UInt64(token), to: "q") }
                transaction.queues["q", default: QueueChanges()].giveBack(QueueEntry(token: 0, jobID: "j0"))
            }
        )

        let tokens = try store.entries(of: "q", from: page.offset, count: page.count).map(\.token)
        let newest = try store.newestEntries(of: "q", from: page.offset, count: page.count).map(\.token)

        let all = Array(UInt64(0)...9)
        #expect(tokens == (page.offset < 0 ? [] : Array(all.dropFirst(page.offset).prefix(max(0, page.count)))))
        let reversed = Array(all.reversed())
        #expect(newest == (page.offset < 0 ? [] : Array(reversed.dropFirst(page.offset).prefix(max(0, page.count)))))
    }
}
