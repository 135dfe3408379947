import Foundation
import Synchronization
import Testing
import ThreadConfinement

@Suite("A dedicated thread")
struct DedicatedThreadTests {
    private static func nameOfThisThread() -> String? {
        try? String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)
    }

    @Test("runs its closure under its own name, cut at fifteen bytes")
    func name() async {
        let thread = DedicatedThread(name: "millrace-leader-loop") { Self.nameOfThisThread() }
        #expect(await thread.value() == "millrace-leader\n")
    }

    @Test("hands its result to whoever joins, and to whoever comes late")
    func result() async {
        let thread = DedicatedThread(name: "answer") { 42 }
        #expect(thread.join() == 42)
        #expect(thread.join() == 42)
        #expect(await thread.value() == 42)
    }

    @Test("hands its result to all that wait when it ends")
    func manyWaiters() async throws {
        let (gate, opened) = AsyncStream.makeStream(of: Void.self)
        let latch = DispatchSemaphore(value: 0)
        let thread = DedicatedThread(name: "slow") { () -> Int in
            latch.wait()
            return 7
        }
        let results = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<3 {
                group.addTask {
                    opened.yield()
                    return await thread.value()
                }
            }
            var begun = gate.makeAsyncIterator()
            for _ in 0..<3 { await begun.next() }
            latch.signal()
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(results == [7, 7, 7])
    }

    @Test("lets go of what its closure captured before its result is seen")
    func release() {
        final class Owned: Sendable {}
        func start() -> (DedicatedThread<Void>, WeakBox) {
            let owned = Owned()
            let box = WeakBox(owned)
            return (DedicatedThread(name: "owner") { withExtendedLifetime(owned) {} }, box)
        }
        let (thread, box) = start()
        thread.join()
        #expect(box.isEmpty)
    }

    private final class WeakBox {
        private weak var object: AnyObject?
        init(_ object: AnyObject) { self.object = object }
        var isEmpty: Bool { self.object == nil }
    }
}
