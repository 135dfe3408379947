import Dispatch
import Synchronization

/// What was told to a test from other threads, in order, for it to wait for.
package final class Told<Element: Sendable>: Sendable {
    /// What was waited for has not come in time, and what has.
    package struct Silence: Error {
        package let awaited: String
        package let told: [Element]
    }

    private struct State {
        var elements: [Element] = []
        var waiting: [DispatchSemaphore] = []
        var suspended: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    package init() {}

    /// Everything so far.
    package var elements: [Element] { self.state.withLock { $0.elements } }

    package func put(_ element: Element) {
        let (waiting, suspended) = self.state.withLock { state in
            state.elements.append(element)
            defer {
                state.waiting = []
                state.suspended = []
            }
            return (state.waiting, state.suspended)
        }
        for semaphore in waiting { semaphore.signal() }
        for continuation in suspended { continuation.resume() }
    }

    /// Blocks until something was told that `matches` answers something for, behind the first that are skipped.
    package func wait<Match>(
        for awaited: String,
        skipping skipped: Int = 0,
        within seconds: Int = 120,
        _ matches: (Element) -> Match?
    ) throws -> Match {
        let deadline = DispatchTime.now() + .seconds(seconds)
        while true {
            let semaphore = DispatchSemaphore(value: 0)
            let told = self.state.withLock { state in
                state.waiting.append(semaphore)
                return state.elements
            }
            for element in told.dropFirst(skipped) {
                if let match = matches(element) { return match }
            }
            guard semaphore.wait(timeout: deadline) == .success else { throw Silence(awaited: awaited, told: told) }
        }
    }

    /// Suspends until something was told that `matches` answers something for, behind the first that are skipped.
    ///
    /// A test that may wait in vain needs a time limit of its own.
    package func next<Match>(skipping skipped: Int = 0, _ matches: (Element) -> Match?) async -> Match {
        while true {
            let told = self.elements
            for element in told.dropFirst(skipped) {
                if let match = matches(element) { return match }
            }
            await withCheckedContinuation { continuation in
                let hasMore = self.state.withLock { state in
                    guard state.elements.count == told.count else { return true }
                    state.suspended.append(continuation)
                    return false
                }
                if hasMore { continuation.resume() }
            }
        }
    }
}
