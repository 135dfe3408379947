import Glibc

/// An executor that owns one thread, so that an actor with a C handle runs there and may block.
///
/// An actor that answers `asUnownedSerialExecutor()` as its `unownedExecutor`, and keeps the executor in a
/// `let`, is confined to this thread: its handles are opened, used and closed there. Several actors may
/// share one executor; they then exclude each other. A task may prefer it as its task executor, too.
///
/// The thread starts with the first job and lasts until `shutDown()`. Jobs run one after the other in the
/// order in which they came, whatever their priorities.
///
/// No job is ever dropped, because a task that is not resumed would hang for ever: what comes after
/// `shutDown()`, such as the isolated deinit of an actor, still runs, on a thread that ends with the last of it.
/// There is never more than one thread at a time.
package final class ThreadExecutor: SerialExecutor, TaskExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var isShutDown = false
        /// Whether there is a thread, or one about to start.
        var hasThread = false
        var thread: pthread_t?
        var waitingForEnd: [CheckedContinuation<Void, Never>] = []
    }

    /// What the kernel shows as the name of the thread; its first 15 bytes.
    package let name: String
    private let state = Condition(State())

    package init(name: String) {
        self.name = name
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let needsThread = self.state.change { state in
            state.jobs.append(job)
            defer { state.hasThread = true }
            return !state.hasThread
        }
        if needsThread {
            startThread(name: self.name, run: { self.run() }, then: { waiting in waiting.forEach { $0.resume() } })
        }
    }

    /// Lets the thread finish what it has been given, and returns when it has ended.
    ///
    /// May be called more than once, and from an actor that this executor runs.
    package func shutDown() async {
        await withCheckedContinuation { continuation in
            let isOver = self.state.change { state in
                state.isShutDown = true
                if state.hasThread { state.waitingForEnd.append(continuation) }
                return !state.hasThread
            }
            if isOver { continuation.resume() }
        }
    }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }

    package func asUnownedTaskExecutor() -> UnownedTaskExecutor {
        UnownedTaskExecutor(ordinary: self)
    }

    package func checkIsolated() {
        precondition(self.isCurrentThread, "this must run on the thread \(self.name)")
    }

    package func isIsolatingCurrentContext() -> Bool? {
        self.isCurrentThread
    }

    /// Whether the caller is on the thread of this executor.
    ///
    /// It is never inlined, because the compiler takes `pthread_self` for a constant, even across an `await`.
    @inline(never)
    package var isCurrentThread: Bool {
        self.state.withLock { state in
            guard let thread = state.thread else { return false }
            return pthread_equal(thread, pthread_self()) != 0
        }
    }

    /// Runs jobs until there is none left after the shutdown, and answers who waits for that.
    private func run() -> [CheckedContinuation<Void, Never>] {
        self.state.withLock { $0.thread = pthread_self() }
        while true {
            switch self.state.wait(until: Self.nextTurn) {
            case .jobs(let jobs):
                for job in jobs {
                    job.runSynchronously(
                        isolatedTo: self.asUnownedSerialExecutor(),
                        taskExecutor: self.asUnownedTaskExecutor()
                    )
                }
            case .end(let waiting):
                return waiting
            }
        }
    }

    private enum Turn {
        case jobs([UnownedJob])
        case end([CheckedContinuation<Void, Never>])
    }

    /// Takes what is to be done next, or the thread's leave; nil while there is neither.
    private static func nextTurn(_ state: inout State) -> Turn? {
        if !state.jobs.isEmpty {
            defer { state.jobs = [] }
            return .jobs(state.jobs)
        }
        guard state.isShutDown else { return nil }
        state.hasThread = false
        state.thread = nil
        defer { state.waitingForEnd = [] }
        return .end(state.waitingForEnd)
    }
}
