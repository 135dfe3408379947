package import Election
import JobCore
import JobStorage
import Synchronization
import ThreadConfinement

/// What a manager in shared mode has in place of a Redis of its own: the one that all managers use.
///
/// There is nothing to detach, to promote or to follow, and nothing to remember: the data itself says which epoch is the
/// last. What is left is to say whether the Redis is there. A manager that does not reach it does not lead, so that one
/// that does can; and when another Redis answers, leaders are elected anew, with an epoch that no data has seen.
package final class SharedMemberStore: MemberStore {
    enum Work: Sendable {
        case store(MemberRecord)
        case perform(RedisAction)
        case report(@Sendable (RedisReport?) -> Void)
    }

    private let configuration: RedisStoreConfiguration
    private let membership: Membership
    private let warn: @Sendable (String) -> Void
    private let queue = AgentQueue<Work>()
    private let thread = Mutex<DedicatedThread<Void>?>(nil)

    /// - Parameters:
    ///   - configuration: where the Redis is, and for how long it may be silent before it counts as gone.
    ///   - warn: is told what an operator ought to know, in words; called on the thread of the store.
    package init(
        configuration: RedisStoreConfiguration,
        membership: Membership,
        warn: @escaping @Sendable (String) -> Void
    ) {
        self.configuration = configuration
        self.membership = membership
        self.warn = warn
    }

    package func readRecord() throws -> MemberRecord { MemberRecord(promise: Epoch(0), isClean: true) }

    package func start(
        _ tell: @escaping @Sendable (TakeOverEvent) -> Void,
        failing fail: @escaping @Sendable (any Error) -> Void
    ) {
        let (configuration, membership, queue, warn) = (self.configuration, self.membership, self.queue, self.warn)
        let thread = DedicatedThread(name: "agent") {
            let redis = SharedRedis(configuration: configuration)
            SharedRedisAgent(redis: redis, membership: membership, queue: queue, warn: warn, tell: tell).run()
        }
        self.thread.withLock { $0 = thread }
    }

    package func store(_ record: MemberRecord) {
        self.queue.put(.store(record))
    }

    package func perform(_ action: RedisAction) {
        self.queue.put(.perform(action))
    }

    /// Nobody's confirmations are asked for.
    package func admit(_ name: ReplicaName, of member: MemberID) {}

    package func report(_ answer: @escaping @Sendable (RedisReport?) -> Void) {
        self.queue.put(.report(answer))
    }

    package func stop() {
        self.queue.end()
        self.thread.withLock { $0.take() }?.join()
    }
}
