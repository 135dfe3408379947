import Synchronization

/// Lends a bounded number of connections, to the caller who has waited longest first.
///
/// What is lent is a *permit*; an idle connection comes with it if there is one, else the holder opens its own.
/// Whoever has a permit gives it back exactly once. The lock is never held across a suspension.
final class ConnectionPool<Connection: Sendable>: Sendable {
    /// The right to use one connection.
    struct Permit: Sendable {
        /// A connection that was used before and may have broken since; nil when the holder has to open one.
        let connection: Connection?
    }

    private struct Waiter {
        let id: UInt64
        let continuation: CheckedContinuation<Permit, any Error>
    }

    private struct State {
        var idle: [Connection] = []
        var lentCount = 0
        var waiters: [Waiter] = []
        /// Callers that were cancelled before they began to wait, or after they were served.
        var cancelled: Set<UInt64> = []
        var nextID: UInt64 = 0
        var isClosed = false
    }

    /// The most connections that are lent or idle.
    let maximumConnectionCount: Int
    /// The most callers that wait.
    let maximumWaiterCount: Int

    private let state = Mutex(State())

    init(maximumConnectionCount: Int, maximumWaiterCount: Int) {
        precondition(maximumConnectionCount >= 1, "a pool of \(maximumConnectionCount) connections serves nobody")
        precondition(maximumWaiterCount >= 0, "\(maximumWaiterCount) callers cannot wait")
        self.maximumConnectionCount = maximumConnectionCount
        self.maximumWaiterCount = maximumWaiterCount
    }

    /// How many callers wait for a permit now.
    var waiterCount: Int {
        self.state.withLock { $0.waiters.count }
    }

    /// Waits for a permit.
    ///
    /// - Throws: ``FaktoryError/Code/poolExhausted`` when too many wait already, ``FaktoryError/Code/closed``, or
    ///   `CancellationError`; the caller then holds nothing.
    func acquire() async throws -> Permit {
        try Task.checkCancellation()
        let id = self.state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        defer { _ = self.state.withLock { $0.cancelled.remove(id) } }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                self.enter(Waiter(id: id, continuation: continuation))
            }
        } onCancel: {
            self.cancel(id)
        }
    }

    private func enter(_ waiter: Waiter) {
        let outcome: Result<Permit, any Error>? = self.state.withLock { state in
            if state.isClosed { return .failure(FaktoryError(.closed, "the client has been closed")) }
            if state.cancelled.contains(waiter.id) { return .failure(CancellationError()) }
            if state.lentCount < self.maximumConnectionCount {
                state.lentCount += 1
                return .success(Permit(connection: state.idle.popLast()))
            }
            guard state.waiters.count < self.maximumWaiterCount else {
                return .failure(FaktoryError(.poolExhausted, "\(state.waiters.count) callers wait for a connection"))
            }
            state.waiters.append(waiter)
            return nil
        }
        if let outcome { waiter.continuation.resume(with: outcome) }
    }

    private func cancel(_ id: UInt64) {
        let waiter: Waiter? = self.state.withLock { state in
            guard let index = state.waiters.firstIndex(where: { $0.id == id }) else {
                state.cancelled.insert(id)
                return nil
            }
            return state.waiters.remove(at: index)
        }
        waiter?.continuation.resume(throwing: CancellationError())
    }

    /// Gives a permit back.
    ///
    /// - Parameter connection: the connection that was used under it, if it can be used again.
    /// - Returns: the connection when the pool has no use for it, so that the caller closes it.
    func release(_ connection: Connection?) -> Connection? {
        let (waiter, unused): (Waiter?, Connection?) = self.state.withLock { state in
            if !state.waiters.isEmpty { return (state.waiters.removeFirst(), nil) }
            state.lentCount -= 1
            if state.isClosed { return (nil, connection) }
            if let connection { state.idle.append(connection) }
            return (nil, nil)
        }
        waiter?.continuation.resume(returning: Permit(connection: connection))
        return unused
    }

    /// Takes out all idle connections, for the caller to close.
    func removeIdle() -> [Connection] {
        self.state.withLock { state in
            let idle = state.idle
            state.idle = []
            return idle
        }
    }

    /// Lends no more, fails everyone who waits, and takes out all idle connections for the caller to close.
    func close() -> [Connection] {
        let (waiters, idle) = self.state.withLock { state in
            let taken = (state.waiters, state.idle)
            state.isClosed = true
            state.waiters = []
            state.idle = []
            return taken
        }
        for waiter in waiters {
            waiter.continuation.resume(throwing: FaktoryError(.closed, "the client has been closed"))
        }
        return idle
    }
}
