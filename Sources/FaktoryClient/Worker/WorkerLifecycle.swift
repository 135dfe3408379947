import Synchronization

/// What a worker is doing, which jobs it holds, and who wants to know.
final class WorkerLifecycle: Sendable {
    private struct State {
        var phase = WorkerPhase.running
        var isGivingUp = false
        var jobs: [UInt64: FetchedJob] = [:]
        var nextID: UInt64 = 0
        var observers: [UInt64: AsyncStream<WorkerPhase>.Continuation] = [:]
    }

    private let state = Mutex(State())

    /// The phase at this moment.
    var phase: WorkerPhase {
        self.state.withLock { $0.phase }
    }

    /// Whether the time for running jobs is over; the server is not worth waiting for any more.
    var isGivingUp: Bool {
        self.state.withLock { $0.isGivingUp }
    }

    /// Goes forward to a phase; going back is no change.
    func advance(to phase: WorkerPhase) {
        let observers = self.state.withLock { state in
            guard phase > state.phase else { return [AsyncStream<WorkerPhase>.Continuation]() }
            state.phase = phase
            return Array(state.observers.values)
        }
        for observer in observers {
            observer.yield(phase)
        }
    }

    /// Waits until a phase has been reached; returns early when the caller is cancelled.
    func wait(for wanted: WorkerPhase) async {
        for await phase in self.phases() where phase >= wanted { return }
    }

    /// Waits for a time, or until the worker is to take no more jobs.
    func pause(for duration: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await Task.sleep(for: duration) }
            group.addTask { await self.wait(for: .quiet) }
            await group.next()
            group.cancelAll()
        }
    }

    private func phases() -> AsyncStream<WorkerPhase> {
        let (stream, continuation) = AsyncStream.makeStream(of: WorkerPhase.self)
        let id = self.state.withLock { state in
            state.nextID += 1
            state.observers[state.nextID] = continuation
            continuation.yield(state.phase)
            return state.nextID
        }
        continuation.onTermination = { _ in
            _ = self.state.withLock { $0.observers.removeValue(forKey: id) }
        }
        return stream
    }

    // MARK: Jobs

    /// Notes a job that was fetched; it is this worker's to report until ``finish(_:)`` or ``giveUp()``.
    func begin(_ job: FetchedJob) -> UInt64 {
        self.state.withLock { state in
            state.nextID += 1
            state.jobs[state.nextID] = job
            return state.nextID
        }
    }

    /// Takes a job off the list; false when it has been given up meanwhile and is not to be reported again.
    func finish(_ id: UInt64) -> Bool {
        self.state.withLock { $0.jobs.removeValue(forKey: id) != nil }
    }

    /// Takes all jobs off the list, for the caller to hand back to the server.
    func giveUp() -> [FetchedJob] {
        self.state.withLock { state in
            state.isGivingUp = true
            let jobs = Array(state.jobs.values)
            state.jobs = [:]
            return jobs
        }
    }
}
