@testable import FaktoryClient
import Testing

@Suite("Connection pool", .timeLimit(.minutes(10)))
struct ConnectionPoolTests {
    private func pool(connections: Int = 1, waiters: Int = 10) -> ConnectionPool<Int> {
        ConnectionPool(maximumConnectionCount: connections, maximumWaiterCount: waiters)
    }

    /// Starts a caller, and returns once it waits.
    private func waiting(for pool: ConnectionPool<Int>) async -> Task<Int?, any Error> {
        let count = pool.waiterCount
        let task = Task { try await pool.acquire().connection }
        while pool.waiterCount == count { await Task.yield() }
        return task
    }

    @Test("the first holder opens a connection, and the next gets it when it was given back")
    func reuse() async throws {
        let pool = self.pool()
        #expect(try await pool.acquire().connection == nil)
        #expect(pool.release(7) == nil)
        #expect(try await pool.acquire().connection == 7)
    }

    @Test("a broken connection is not lent again, but its permit is")
    func broken() async throws {
        let pool = self.pool()
        _ = try await pool.acquire()
        #expect(pool.release(nil) == nil)
        #expect(try await pool.acquire().connection == nil)
    }

    @Test("as many permits are lent as there may be connections, and the next caller waits its turn")
    func bound() async throws {
        let pool = self.pool(connections: 2)
        _ = try await pool.acquire()
        _ = try await pool.acquire()
        let first = await self.waiting(for: pool)
        let second = await self.waiting(for: pool)
        #expect(pool.release(1) == nil)
        #expect(try await first.value == 1)
        #expect(pool.waiterCount == 1)
        #expect(pool.release(2) == nil)
        #expect(try await second.value == 2)
    }

    @Test("as many callers wait as are allowed, and one more fails at once")
    func waiterBound() async throws {
        let pool = self.pool(waiters: 2)
        _ = try await pool.acquire()
        let waiters = [await self.waiting(for: pool), await self.waiting(for: pool)]
        let error = await #expect(throws: FaktoryError.self) { try await pool.acquire() }
        #expect(error?.code == .poolExhausted)
        for (index, waiter) in waiters.enumerated() {
            _ = pool.release(index)
            #expect(try await waiter.value == index)
        }
    }

    @Test("a caller who is cancelled leaves the line, and the permit goes to the one behind")
    func cancelled() async throws {
        let pool = self.pool()
        _ = try await pool.acquire()
        let first = await self.waiting(for: pool)
        let second = await self.waiting(for: pool)
        first.cancel()
        await #expect(throws: CancellationError.self) { try await first.value }
        #expect(pool.release(3) == nil)
        #expect(try await second.value == 3)
        #expect(pool.release(3) == nil)
        #expect(try await pool.acquire().connection == 3)
    }

    @Test("a caller who was cancelled before never holds a permit")
    func cancelledBefore() async throws {
        let pool = self.pool()
        let caller = Task {
            while !Task.isCancelled { await Task.yield() }
            return try await pool.acquire().connection
        }
        caller.cancel()
        await #expect(throws: CancellationError.self) { try await caller.value }
        #expect(try await pool.acquire().connection == nil)
    }

    @Test("no permit is lost or lent twice when callers are cancelled at any moment")
    func cancelledAnytime() async throws {
        let pool = self.pool(connections: 2, waiters: 1000)
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<400 {
                group.addTask {
                    let caller = Task {
                        let permit = try await pool.acquire()
                        await Task.yield()
                        _ = pool.release(permit.connection ?? number)
                    }
                    if number.isMultiple(of: 3) { caller.cancel() }
                    _ = await caller.result
                }
            }
        }
        #expect(pool.waiterCount == 0)
        _ = try await pool.acquire()
        _ = try await pool.acquire()
        let third = await self.waiting(for: pool)
        #expect(pool.release(1) == nil)
        #expect(try await third.value == 1)
    }

    @Test("a pool that is closed fails those who wait, and returns connections to be closed")
    func closed() async throws {
        let pool = self.pool(connections: 2)
        _ = try await pool.acquire()
        _ = try await pool.acquire()
        #expect(pool.release(1) == nil)
        _ = try await pool.acquire()
        let waiter = await self.waiting(for: pool)
        #expect(pool.close().isEmpty)
        await #expect(throws: FaktoryError.self) { try await waiter.value }
        #expect(pool.release(2) == 2)
        let error = await #expect(throws: FaktoryError.self) { try await pool.acquire() }
        #expect(error?.code == .closed)
    }

    @Test("idle connections can be taken out, and are then not lent")
    func removeIdle() async throws {
        let pool = self.pool()
        _ = try await pool.acquire()
        _ = pool.release(5)
        #expect(pool.removeIdle() == [5])
        #expect(try await pool.acquire().connection == nil)
    }
}
