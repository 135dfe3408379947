import Logging

/// A process that does jobs: it fetches them, runs their handlers, and tells the server how it went.
///
/// ```swift
/// var handlers = JobHandlers()
/// handlers.register(SendReceipt.self) { job, context in
///     try await mailer.send(job.orderID, to: job.address)
/// }
/// let worker = try FaktoryWorker(
///     handlers: handlers,
///     configuration: WorkerConfiguration(client: try .fromEnvironment())
/// )
/// try await worker.run()
/// ```
///
/// While it runs it outlives every failure of the server. It ends when ``stop()`` is called, when the server tells
/// it to, or when its task is cancelled: it takes no more jobs, gives those that run ``WorkerConfiguration/shutdownTimeout``,
/// hands the rest back as failed, and takes leave.
public final class FaktoryWorker: Sendable {
    /// How the worker works.
    public let configuration: WorkerConfiguration
    /// The client through which it talks to the server.
    public let client: FaktoryClient

    private let handlers: JobHandlers
    private let lifecycle = WorkerLifecycle()

    /// Prepares a worker; nothing is connected before ``run()``.
    ///
    /// - Throws: ``FaktoryError/Code/invalidConfiguration`` when the TLS trust roots cannot be read.
    public init(handlers: JobHandlers, configuration: WorkerConfiguration) throws(FaktoryError) {
        precondition(configuration.concurrency >= 1, "\(configuration.concurrency) jobs at a time are none")
        var configuration = configuration
        configuration.client.identity = configuration.client.identity ?? WorkerIdentity()
        // One for each job at a time, one for the heartbeat, and one for a handler that pushes.
        configuration.client.maximumConnectionCount = configuration.concurrency + 2
        self.configuration = configuration
        self.handlers = handlers
        self.client = try FaktoryClient(configuration: configuration.client)
    }

    /// What the worker is doing.
    public var phase: WorkerPhase {
        self.lifecycle.phase
    }

    /// Takes no more jobs, but goes on living until it is stopped.
    public func quiet() {
        self.lifecycle.advance(to: .quiet)
    }

    /// Ends in an orderly way; ``run()`` returns when that is done.
    public func stop() {
        self.lifecycle.advance(to: .terminating)
    }

    /// Works until it is stopped. To be called once.
    ///
    /// Handlers that still run after ``WorkerConfiguration/shutdownTimeout`` are cancelled, and this returns when
    /// they have; their jobs have been handed back by then, whatever they do.
    ///
    /// - Throws: ``FaktoryError/Code/authenticationFailed`` and ``FaktoryError/Code/invalidName``, which no patience mends.
    public func run() async throws {
        let fatal = await withTaskGroup(of: Event.self) { group in
            group.addTask { .processed(await self.process()) }
            group.addTask { await self.beat() }
            group.addTask { await self.limitShutdown() }

            var fatal: FaktoryError?
            waiting: for await event in group {
                switch event {
                case .processed(let error):
                    fatal = error
                    break waiting
                case .outOfTime:
                    await self.handBack(self.lifecycle.giveUp())
                    group.cancelAll()
                case .heartStopped:
                    continue
                }
            }
            group.cancelAll()
            return fatal
        }
        self.lifecycle.advance(to: .terminating)
        self.client.close()
        if let fatal { throw fatal }
    }

    private enum Event: Sendable {
        case processed(FaktoryError?)
        case outOfTime
        case heartStopped
    }
}

// MARK: - Jobs

extension FaktoryWorker {
    /// Runs as many loops as jobs may run at once, and ends when all have.
    private func process() async -> FaktoryError? {
        await withTaskGroup(of: FaktoryError?.self) { group in
            for _ in 0..<self.configuration.concurrency {
                group.addTask { await self.fetchAndRun() }
            }
            var fatal: FaktoryError?
            for await error in group {
                guard let error else { continue }
                fatal = fatal ?? error
                self.stop()
            }
            return fatal
        }
    }

    /// One job after the other while the worker is running; then waits until it is to end.
    private func fetchAndRun() async -> FaktoryError? {
        var failureCount = 0
        while self.phase == .running, !Task.isCancelled {
            do {
                var generator = SystemRandomNumberGenerator()
                let queues = self.configuration.queues.order(using: &generator)
                if let job = try await self.client.fetch(from: queues) {
                    await self.run(job)
                }
                failureCount = 0
            } catch let error as FaktoryError where error.isFatal {
                return error
            } catch {
                failureCount += 1
                await self.lifecycle.pause(for: self.delay(after: error, failureCount: failureCount))
            }
        }
        await self.lifecycle.wait(for: .terminating)
        return nil
    }

    private func run(_ job: FetchedJob) async {
        let id = self.lifecycle.begin(job)
        let failure = await self.failure(of: job)
        guard self.lifecycle.finish(id) else { return }
        await self.report(job, failure)
    }

    /// Runs the handler within the middleware; nil when that went well.
    private func failure(of job: FetchedJob) async -> JobFailure? {
        guard let entry = self.handlers[job.jobType] else {
            return JobFailure(
                errorType: "UnknownJobType",
                message: "this worker has no handler for \(job.jobType)",
                backtrace: []
            )
        }
        do {
            let context = JobContext(job: job, client: self.client)
            try await self.call(entry.handler, in: context, insideOf: self.configuration.middleware[...])
            return nil
        } catch {
            return JobFailure(error, at: entry.place)
        }
    }

    private func call(
        _ handler: JobHandlers.Handler,
        in context: JobContext,
        insideOf middleware: ArraySlice<any JobMiddleware>
    ) async throws {
        guard let outermost = middleware.first else { return try await handler(context) }
        try await outermost.run(context) { context in
            try await self.call(handler, in: context, insideOf: middleware.dropFirst())
        }
    }

    /// Tells the server how a job went, however long that takes while the worker has time.
    private func report(_ job: FetchedJob, _ failure: JobFailure?) async {
        // Awaited at once: a task of its own, since the server is to hear of it even when this one was cancelled.
        await Task {
            var failureCount = 0
            while true {
                do {
                    return try await self.send(job, failure)
                } catch {
                    failureCount += 1
                    guard self.isWorthRetrying(error) else {
                        return self.logger.warning("could not report a job", metadata: job.metadata(error))
                    }
                    try? await Task.sleep(for: self.delay(after: error, failureCount: failureCount))
                }
            }
        }.value
    }

    private func send(_ job: FetchedJob, _ failure: JobFailure?) async throws {
        if let failure {
            try await self.client.fail(job.id, because: failure)
        } else {
            try await self.client.acknowledge(job.id)
        }
    }

    private func isWorthRetrying(_ error: any Error) -> Bool {
        guard let code = (error as? FaktoryError)?.code, !self.lifecycle.isGivingUp else { return false }
        return [.connectionFailed, .connectionLost, .timedOut, .poolExhausted].contains(code)
    }

    private func delay(after error: any Error, failureCount: Int) -> Duration {
        self.logger.debug("the server cannot be reached", metadata: ["error": "\(error)"])
        var generator = SystemRandomNumberGenerator()
        return self.configuration.reconnection.delay(afterFailures: failureCount, using: &generator)
    }

    private var logger: Logger {
        self.configuration.client.logger
    }
}

// MARK: - Life

extension FaktoryWorker {
    /// Tells the server regularly that this worker lives, and does as it says.
    private func beat() async -> Event {
        while (try? await Task.sleep(for: self.configuration.heartbeatInterval)) != nil {
            do {
                self.lifecycle.advance(to: try await self.client.beat(in: self.phase))
            } catch let error as FaktoryError where error.code == .refused {
                // The server has forgotten this worker; the next connection introduces it again.
                self.client.dropIdleConnections()
            } catch {
                self.logger.debug("the heartbeat failed", metadata: ["error": "\(error)"])
            }
        }
        return .heartStopped
    }

    /// Ends when running jobs have had the time that they may take after the worker was told to end.
    private func limitShutdown() async -> Event {
        await self.lifecycle.wait(for: .terminating)
        try? await Task.sleep(for: self.configuration.shutdownTimeout)
        return .outOfTime
    }

    /// Fails the jobs that were not finished in time, so that the server has others do them soon.
    private func handBack(_ jobs: [FetchedJob]) async {
        let failure = JobFailure(
            errorType: "WorkerShutdown",
            message: "the worker ended before the job did",
            backtrace: []
        )
        await withTaskGroup(of: Void.self) { group in
            for job in jobs {
                group.addTask { await self.report(job, failure) }
            }
        }
    }
}

extension FaktoryError {
    /// Whether a worker that meets it cannot hope for better.
    fileprivate var isFatal: Bool {
        [.authenticationFailed, .invalidConfiguration, .invalidName].contains(self.code)
    }
}

extension FetchedJob {
    fileprivate func metadata(_ error: any Error) -> Logger.Metadata {
        ["jid": "\(self.id)", "jobtype": "\(self.jobType)", "error": "\(error)"]
    }
}
