import JobStorage

/// The stores that the suite runs over.
enum StoreKind: CaseIterable, Sendable {
    case inMemory

    /// A data set that nobody else has.
    func makeData() throws -> TestData {
        switch self {
        case .inMemory: .inMemory(InMemoryJobData())
        }
    }
}

/// A data set of one test, over which it opens stores and readers.
enum TestData {
    case inMemory(InMemoryJobData)

    /// One more store over the data, as a leader that takes over has it.
    func store() -> any JobStore {
        switch self {
        case .inMemory(let data): InMemoryJobStore(over: data)
        }
    }

    func loadedStore() throws -> any JobStore {
        let store = self.store()
        _ = try store.load()
        return store
    }

    func reader() -> any JobStoreReader {
        switch self {
        case .inMemory(let data): InMemoryJobReader(reading: data)
        }
    }
}
