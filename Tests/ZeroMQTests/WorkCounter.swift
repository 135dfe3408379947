import Synchronization

/// Work that threads put down for another, reduced to its number.
final class WorkCounter: Sendable {
    private let count = Mutex(0)

    func put() {
        self.count.withLock { $0 += 1 }
    }

    func takeAll() -> Int {
        self.count.withLock { count in
            defer { count = 0 }
            return count
        }
    }
}
