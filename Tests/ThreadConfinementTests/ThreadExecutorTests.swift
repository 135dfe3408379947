import Foundation
import Testing
import ThreadConfinement

@Suite("A thread executor")
struct ThreadExecutorTests {
    /// An actor with something that only one thread may touch.
    private actor Confined {
        private let executor: ThreadExecutor
        private let ended: AsyncStream<pthread_t>.Continuation?
        private(set) var order: [Int] = []

        nonisolated var unownedExecutor: UnownedSerialExecutor { self.executor.asUnownedSerialExecutor() }

        init(on executor: ThreadExecutor, ended: AsyncStream<pthread_t>.Continuation? = nil) {
            self.executor = executor
            self.ended = ended
        }

        isolated deinit {
            self.ended?.yield(pthread_self())
        }

        func thread() -> pthread_t { pthread_self() }

        func append(_ number: Int) { self.order.append(number) }

        func isConfinedAfterYield() async -> Bool {
            await Task.yield()
            return self.executor.isCurrentThread
        }

        func stopExecutor() async -> Bool {
            await self.executor.shutDown()
            return self.executor.isCurrentThread
        }

        nonisolated func assumeOnThread() -> Bool { self.assumeIsolated { _ in true } }

        func assumeFromWithin() -> Bool { self.assumeOnThread() }
    }

    @Test("runs every step of its actor on one thread, which is none of the others")
    func oneThread() async {
        let executor = ThreadExecutor(name: "confined")
        let actor = Confined(on: executor)
        let first = await actor.thread()
        #expect(await actor.isConfinedAfterYield())
        #expect(await Task.detached { await actor.thread() }.value == first)
        #expect(pthread_self() != first)
        #expect(!executor.isCurrentThread)
        #expect(await actor.assumeFromWithin())
        await executor.shutDown()
    }

    @Test("shared by two actors runs both on the same thread")
    func shared() async {
        let executor = ThreadExecutor(name: "shared")
        let (one, other) = (Confined(on: executor), Confined(on: executor))
        #expect(await one.thread() == other.thread())
        await executor.shutDown()
    }

    @Test("runs a task that prefers it")
    func taskExecutor() async {
        let executor = ThreadExecutor(name: "preferred")
        let isCurrent = await Task(executorPreference: executor) { executor.isCurrentThread }.value
        #expect(isCurrent)
        await executor.shutDown()
    }

    @Test("finishes what it was given before it shuts down")
    func orderlyShutdown() async {
        let executor = ThreadExecutor(name: "orderly")
        let actor = Confined(on: executor)
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<1_000 { group.addTask { await actor.append(number) } }
        }
        await executor.shutDown()
        #expect(await actor.order.sorted() == Array(0..<1_000))
    }

    @Test("shuts down at once if it never ran, and more than once")
    func idleShutdown() async {
        let executor = ThreadExecutor(name: "idle")
        await executor.shutDown()
        await executor.shutDown()
        #expect(!executor.isCurrentThread)
    }

    @Test("still runs what comes after its shutdown, so that no task hangs")
    func lateJobs() async {
        let executor = ThreadExecutor(name: "late")
        let (threads, ended) = AsyncStream.makeStream(of: pthread_t.self)
        var actor: Confined? = Confined(on: executor, ended: ended)
        let first = await actor?.thread()
        #expect(await actor?.stopExecutor() == true)
        #expect(await actor?.isConfinedAfterYield() == true)
        #expect(first != nil)
        actor = nil
        var iterator = threads.makeAsyncIterator()
        #expect(await iterator.next() != nil)
    }
}
