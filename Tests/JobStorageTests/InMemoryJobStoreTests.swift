import JobCore
import JobStorage
import Testing

@Suite("The store in memory")
struct InMemoryJobStoreTests {
    private let data = InMemoryJobData()

    private func loadedStore() throws -> InMemoryJobStore {
        let store = InMemoryJobStore(over: self.data)
        _ = try store.load()
        return store
    }

    @Test("refuses on demand and changes nothing")
    func refusal() throws {
        let store = try self.loadedStore()
        store.fault = .refusing("OOM")

        #expect(throws: StorageError.refused("OOM")) { try store.commit(.turn(1)) }
        #expect(throws: StorageError.refused("OOM")) { try store.commit(.turn(1)) }
        store.fault = nil
        try store.commit(.turn(1))
        #expect(try store.load().position.sequence == 1)
    }

    @Test(
        "loses an answer or a transaction on demand, and serves again after it was loaded",
        arguments: [
            (InMemoryJobStore.Fault.losingTheAnswer, UInt64(1)), (.losingTheTransaction, 0),
        ]
    )
    func loss(fault: InMemoryJobStore.Fault, sequence: UInt64) throws {
        let store = try self.loadedStore()
        store.fault = fault

        #expect(throws: StorageError.disconnected(reason: "the test broke the connection")) {
            try store.commit(.turn(1))
        }
        #expect(throws: StorageError.notLoaded) { try store.commit(.turn(2)) }
        #expect(try store.load().position.sequence == sequence)
        try store.commit(.turn(2))
        #expect(try store.load().position.sequence == 2)
    }

    @Test("keeps what was put aside and what middleware sent for a test to see")
    func records() throws {
        let store = try self.loadedStore()
        try store.commit(
            .turn(1) { transaction in
                transaction.quarantined["j1"] = [1, 2]
                transaction.redisCommands = [[[65], [66]]]
            }
        )

        #expect(self.data.quarantined == ["j1": [1, 2]])
        #expect(self.data.redisCommands == [[[65], [66]]])
    }
}
