import Glibc
import ServiceLifecycle
import Synchronization

/// Keeps child processes running, and stops them in order.
///
/// Children are started in the order in which they are listed, and stopped one after the other in the reverse of it.
/// One that ends by itself is started again after the wait of ``RestartBackoff``; one that never came up may be given up,
/// after ``StartJudgement``, and then all are stopped. A child has a process group of its
/// own, so that a terminal's Ctrl-C reaches only the supervisor; through a launcher it also ends with the supervisor.
package actor Supervisor {
    /// How long a child may still take to end once ``stop()`` has been called impatiently.
    package static let hurriedTimeout = Duration.milliseconds(500)
    /// The call of ``stop()`` that is taken for impatience: the second may be an accident.
    package static let impatientCall = 3

    private let children: [ChildProcess]
    private let prepare: @Sendable (String) throws -> Void
    private let report: @Sendable (SupervisorEvent) -> Void
    private var running: [Int: RunningProcess] = [:]
    /// Children that are being started, each with what opens when that has come to an end.
    private var starting: [Int: Gate] = [:]
    private var startedAt: [Int: ContinuousClock.Instant] = [:]
    private let stopCalls = Mutex(0)
    private let hopeless = Mutex<String?>(nil)
    private let stopRequested = Gate()
    private let hurry = Gate()

    /// - Parameters:
    ///   - children: with names that differ, the first to be started first.
    ///   - launcher: the path of our own executable, through which children are started so that they end with us;
    ///     `nil` starts them directly.
    ///   - prepare: called with the name of a child before each of its starts, on a thread where it may block; what it
    ///     throws is why the child could not be started.
    ///   - report: called with each event, in the order of events, and must not block.
    package init(
        children: [ChildProcess],
        launcher: String?,
        prepare: @escaping @Sendable (String) throws -> Void = { _ in },
        report: @escaping @Sendable (SupervisorEvent) -> Void
    ) {
        let parent = getpid()
        self.children = children.map { child in
            launcher.map { child.started(through: $0, parent: parent) } ?? child
        }
        self.prepare = prepare
        self.report = report
    }

    /// The child that was given up, and because of which everything was stopped.
    package nonisolated var givenUp: String? { self.hopeless.withLock { $0 } }

    /// Asks for an orderly stop; may be called from anywhere and as often as one likes.
    ///
    /// The second call changes nothing, and from the third on nobody is waited for longer than ``hurriedTimeout``.
    package nonisolated func stop() {
        let calls = self.stopCalls.withLock { count in
            count = min(count + 1, Self.impatientCall)
            return count
        }
        self.stopRequested.open()
        if calls == Self.impatientCall { self.hurry.open() }
    }

    /// Does what a signal to the supervisor means: TERM and INT stop, any other is passed on to the children.
    package func receive(_ signal: Int32) {
        switch signal {
        case SIGTERM, SIGINT: self.stop()
        default: self.forward(signal)
        }
    }

    /// Sends a signal to every child that runs, for example SIGHUP to let them read their settings again.
    package func forward(_ signal: Int32) {
        for process in self.running.values { process.send(signal) }
    }

    private func supervise() async {
        await withTaskGroup(of: Void.self) { group in
            for index in self.children.indices where !self.stopRequested.isOpen {
                await self.start(index)
                group.addTask { await self.keepRunning(index) }
            }
            await self.stopRequested.wait()
            for index in self.children.indices.reversed() { await self.end(index) }
        }
    }

    private func start(_ index: Int) async {
        let name = self.children[index].name
        let settled = Gate()
        self.starting[index] = settled
        defer {
            self.starting[index] = nil
            settled.open()
        }
        self.startedAt[index] = .now
        let prepare = self.prepare
        switch await RunningProcess.start(self.children[index], after: { try prepare(name) }) {
        case .success(let process):
            self.running[index] = process
            self.report(.started(name, processID: process.processID))
        case .failure(let failure):
            self.report(.failedToStart(name, reason: failure.reason))
        }
    }

    /// Waits for the end of a child and starts it again, until a stop was asked for.
    private func keepRunning(_ index: Int) async {
        let name = self.children[index].name
        var backoff = RestartBackoff()
        var judgement = StartJudgement(attemptBound: self.children[index].attemptBound)
        while true {
            var exit: ChildExit?
            if let process = self.running[index] {
                await process.ended.wait()
                exit = self.settle(index, process)
            }
            if self.stopRequested.isOpen { return }
            let lifetime = self.startedAt[index]?.duration(to: .now) ?? .zero
            if let exit, !judgement.goesOn(after: exit, living: lifetime) {
                self.report(.gaveUp(name, exit))
                self.hopeless.withLock { $0 = $0 ?? name }
                self.stop()
                return
            }
            let wait = backoff.wait(afterLiving: lifetime)
            self.report(.restarting(name, in: wait))
            await self.stopRequested.wait(atMost: wait)
            if self.stopRequested.isOpen { return }
            await self.start(index)
        }
    }

    /// Asks a child to end, and kills it when it takes too long; returns when it has ended.
    private func end(_ index: Int) async {
        await self.starting[index]?.wait()
        guard let process = self.running[index], !process.ended.isOpen else { return }
        let child = self.children[index]
        self.report(.stopping(child.name))
        process.send(SIGTERM)
        let hurry = self.hurry
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await process.ended.wait(atMost: child.stopTimeout) }
            group.addTask {
                await hurry.wait()
                await process.ended.wait(atMost: Self.hurriedTimeout)
            }
            await group.next()
            group.cancelAll()
        }
        if !process.ended.isOpen {
            self.report(.killed(child.name))
            process.killGroup()
        }
        await process.ended.wait()
        self.settle(index, process)
    }

    /// Takes in that a child's process has ended, for whoever notices it first.
    @discardableResult
    private func settle(_ index: Int, _ process: RunningProcess) -> ChildExit? {
        guard self.running[index] === process else { return nil }
        self.running[index] = nil
        let exit = process.reap()
        self.report(.exited(self.children[index].name, exit))
        return exit
    }
}

extension Supervisor: Service {
    /// Runs the children until a stop, a graceful shutdown or a cancellation, and returns when all have ended.
    package func run() async {
        // Awaited below. It is a task of its own so that cancelling the caller begins the orderly stop, rather than
        // cutting each of its waits short.
        let supervision = Task { await self.supervise() }
        await withTaskCancellationOrGracefulShutdownHandler {
            await supervision.value
        } onCancelOrGracefulShutdown: {
            self.stop()
        }
    }
}
