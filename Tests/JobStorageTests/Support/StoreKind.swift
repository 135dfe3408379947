import JobStorage
import JobStorageRedis

/// The stores that the suite runs over.
enum StoreKind: CaseIterable, Sendable {
    case inMemory
    case redis

    /// A data set that nobody else has.
    func makeData() throws -> TestData {
        switch self {
        case .inMemory: .inMemory(InMemoryJobData())
        case .redis: .redis(try TestRedis())
        }
    }
}

/// A data set of one test, over which it opens stores and readers.
enum TestData {
    case inMemory(InMemoryJobData)
    case redis(TestRedis)

    /// One more store over the data, as a leader that takes over has it.
    func store() -> any JobStore {
        switch self {
        case .inMemory(let data): InMemoryJobStore(over: data)
        case .redis(let redis): RedisJobStore(configuration: redis.configuration)
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
        case .redis(let redis): RedisJobReader(configuration: redis.configuration)
        }
    }
}
