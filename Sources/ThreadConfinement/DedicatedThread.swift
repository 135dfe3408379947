import Glibc

/// A thread with a name that runs one closure to its end, where blocking is allowed.
///
/// The thread starts in `init` and needs nobody to collect it. Whoever wants the result waits for it with
/// `join()`, which blocks, or with `value()`, which suspends; both may be called often and from anywhere
/// but from the closure itself.
package final class DedicatedThread<Value: Sendable>: Sendable {
    private struct State {
        var result: Value?
        var waiting: [CheckedContinuation<Value, Never>] = []
    }

    private let state: Condition<State>

    /// Starts the thread.
    ///
    /// The kernel shows the first 15 bytes of `name`. Everything that the closure captured is released before
    /// anybody sees its result. A process that cannot have another thread stops here.
    package init(name: String, _ body: @escaping @Sendable () -> Value) {
        let state = Condition(State())
        self.state = state
        startThread(name: name, run: body) { result in
            let waiting = state.change { current in
                current.result = result
                defer { current.waiting = [] }
                return current.waiting
            }
            for continuation in waiting { continuation.resume(returning: result) }
        }
    }

    /// Blocks the calling thread until the closure has ended, and answers what it returned.
    @discardableResult
    package func join() -> Value {
        self.state.wait { $0.result }
    }

    /// Suspends until the closure has ended, and answers what it returned.
    ///
    /// Cancelling the waiting task does not end the wait: only the closure knows how to be stopped.
    package func value() async -> Value {
        await withCheckedContinuation { continuation in
            let result: Value? = self.state.withLock { state in
                if state.result == nil { state.waiting.append(continuation) }
                return state.result
            }
            if let result { continuation.resume(returning: result) }
        }
    }
}
