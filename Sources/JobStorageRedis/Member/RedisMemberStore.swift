package import Election
import Synchronization
import ThreadConfinement

/// A member's Redis and its record on disk, looked after by a thread of its own.
package final class RedisMemberStore: MemberStore {
    enum Work: Sendable {
        case store(MemberRecord)
        case perform(RedisAction)
        case report(@Sendable (RedisReport?) -> Void)
    }

    private let configuration: RedisStoreConfiguration
    private let durability: MemberRedisServer.Durability
    private let directory: String
    private let others: [MemberID: RedisAddress]
    private let roster: ReplicaRoster
    private let warn: @Sendable (String) -> Void
    private let queue = AgentQueue<Work>()
    private let thread = Mutex<DedicatedThread<Void>?>(nil)

    /// - Parameters:
    ///   - configuration: how the manager enters its own Redis.
    ///   - durability: when that Redis is to confirm a write; there is a warning if it does so earlier.
    ///   - directory: where that Redis has its files, and where the record is kept.
    ///   - others: where the Redis of each other member is.
    ///   - roster: which replicas count; it learns who they are.
    ///   - warn: is told what an operator ought to know, in words; called on the thread of the store.
    package init(
        configuration: RedisStoreConfiguration,
        durability: MemberRedisServer.Durability,
        directory: String,
        others: [MemberID: RedisAddress],
        roster: ReplicaRoster,
        warn: @escaping @Sendable (String) -> Void
    ) {
        self.configuration = configuration
        self.durability = durability
        self.directory = directory
        self.others = others
        self.roster = roster
        self.warn = warn
    }

    package func readRecord() throws -> MemberRecord {
        guard let content = try PromiseFile(directory: self.directory).read() else { return .missing }
        return MemberRecord(promise: content.promise, isClean: content.isClean, run: content.run.map(RedisRun.init))
    }

    package func start(
        _ tell: @escaping @Sendable (TakeOverEvent) -> Void,
        failing fail: @escaping @Sendable (any Error) -> Void
    ) {
        let (configuration, directory, others) = (self.configuration, self.directory, self.others)
        let (durability, roster, queue, warn) = (self.durability, self.roster, self.queue, self.warn)
        let thread = DedicatedThread(name: "agent") {
            RedisAgent(
                redis: MemberRedis(configuration: configuration),
                durability: durability,
                directory: directory,
                others: others,
                roster: roster,
                queue: queue,
                warn: warn,
                tell: tell,
                fail: fail
            ).run()
        }
        self.thread.withLock { $0 = thread }
    }

    package func store(_ record: MemberRecord) {
        self.queue.put(.store(record))
    }

    package func perform(_ action: RedisAction) {
        self.queue.put(.perform(action))
    }

    package func admit(_ name: ReplicaName, of member: MemberID) {
        self.roster.admit(name, of: member)
    }

    package func report(_ answer: @escaping @Sendable (RedisReport?) -> Void) {
        self.queue.put(.report(answer))
    }

    package func stop() {
        self.queue.end()
        self.thread.withLock { $0.take() }?.join()
    }
}
