import Dispatch
import Synchronization

/// A value that threads change, and that others wait on until it is as they want it.
final class Observed<Value: Sendable>: Sendable {
    private struct State {
        var value: Value
        var waiting: [DispatchSemaphore] = []
    }

    private let state: Mutex<State>

    init(_ value: Value) {
        self.state = Mutex(State(value: value))
    }

    var value: Value { self.state.withLock { $0.value } }

    /// Changes the value and lets all who wait look at it again.
    @discardableResult
    func change<Result: Sendable>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        let (result, waiting) = try self.state.withLock { state in
            let result = try body(&state.value)
            defer { state.waiting = [] }
            return (result, state.waiting)
        }
        for semaphore in waiting { semaphore.signal() }
        return result
    }

    /// Blocks until `isSo`; false when it is not within the limit.
    func wait(within limit: Duration, until isSo: (Value) -> Bool) -> Bool {
        let deadline = DispatchTime.now() + .milliseconds(Int(limit / .milliseconds(1)))
        while true {
            let semaphore = DispatchSemaphore(value: 0)
            let isDone = self.state.withLock { state in
                if isSo(state.value) { return true }
                state.waiting.append(semaphore)
                return false
            }
            if isDone { return true }
            if semaphore.wait(timeout: deadline) == .timedOut { return isSo(self.value) }
        }
    }
}
