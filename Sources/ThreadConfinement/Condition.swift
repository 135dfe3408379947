import Glibc

/// A lock that threads may wait on until what it protects has changed.
///
/// It lives on the heap because a `pthread_mutex_t` must never move.
///
/// `@unchecked Sendable` holds because every access to `value` is made under the mutex, the pointers never
/// change, and they are freed only when nobody refers to the object any longer.
final class Condition<Value>: @unchecked Sendable {
    private var value: Value
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let changed: UnsafeMutablePointer<pthread_cond_t>

    init(_ value: sending Value) {
        self.value = value
        self.mutex = .allocate(capacity: 1)
        self.changed = .allocate(capacity: 1)
        self.mutex.initialize(to: pthread_mutex_t())
        self.changed.initialize(to: pthread_cond_t())
        pthread_mutex_init(self.mutex, nil)
        pthread_cond_init(self.changed, nil)
    }

    deinit {
        pthread_cond_destroy(self.changed)
        pthread_mutex_destroy(self.mutex)
        self.changed.deallocate()
        self.mutex.deallocate()
    }

    /// Reads or changes the value without waking anybody.
    func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
        pthread_mutex_lock(self.mutex)
        defer { pthread_mutex_unlock(self.mutex) }
        return body(&self.value)
    }

    /// Changes the value, then wakes every thread that waits.
    func change<Result>(_ body: (inout Value) -> Result) -> Result {
        let result = self.withLock(body)
        pthread_cond_broadcast(self.changed)
        return result
    }

    /// Blocks until `body` answers something, asking again after each change.
    func wait<Result>(until body: (inout Value) -> Result?) -> Result {
        pthread_mutex_lock(self.mutex)
        defer { pthread_mutex_unlock(self.mutex) }
        while true {
            if let result = body(&self.value) { return result }
            pthread_cond_wait(self.changed, self.mutex)
        }
    }
}
