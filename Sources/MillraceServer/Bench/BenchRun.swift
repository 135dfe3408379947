import FaktoryClient
import NIOCore

/// A run of the load generator; lives on one event loop, which alone touches it.
///
/// It opens its connections, starts them all at once, and is over when each job was pushed, fetched and acknowledged,
/// or when no job has come for ``patience``.
final class BenchRun {
    /// How many connections are being opened at the same time.
    private static let openingCount = 64
    /// How long no job may be pushed, fetched or acknowledged before those still missing count as lost.
    private static let patience = TimeAmount.seconds(15)
    /// How often one of the workers tells the server that they live.
    private static let beatInterval = TimeAmount.seconds(10)

    let options: BenchOptions
    let names: BenchJobNames
    let fetchCommand: ByteBuffer
    let idleFetchCommand: ByteBuffer

    private let server: ClientConfiguration
    private let eventLoop: any EventLoop
    private let outcome: EventLoopPromise<BenchReport>
    private let watch: BenchWatch
    private let payload: String
    private let progress: @Sendable (String) -> Void

    private(set) var isOver = false
    private var roles: [BenchConnection.Role]
    private var connections: [BenchConnection] = []
    private var repeated: RepeatedTask?

    private var ledger: BenchLedger
    private var push = BenchLatency()
    private var fetch = BenchLatency()
    private var acknowledgement = BenchLatency()
    private var pushToStart = BenchLatency()

    private var startedAt: UInt64 = 0
    private var lastEventAt: UInt64 = 0
    private var nextBeatAt: UInt64 = 0
    private var reportedCount = 0

    init(
        _ options: BenchOptions,
        server: ClientConfiguration,
        watch: BenchWatch,
        names: BenchJobNames,
        on eventLoop: any EventLoop,
        progress: @escaping @Sendable (String) -> Void
    ) {
        self.options = options
        self.server = server
        self.watch = watch
        self.names = names
        self.eventLoop = eventLoop
        self.progress = progress
        self.outcome = eventLoop.makePromise()
        self.ledger = BenchLedger(jobCount: options.jobCount)
        self.payload = String(repeating: "x", count: options.payloadByteCount)
        let queues = (0..<options.queueCount).map { names.queue($0) }.joined(separator: " ")
        self.fetchCommand = ByteBuffer(string: "FETCH \(queues)\r\n")
        self.idleFetchCommand = ByteBuffer(string: "FETCH \(names.idleQueue)\r\n")
        self.roles =
            Array(repeating: .idle, count: options.idleWorkerCount)
            + Array(repeating: .worker, count: options.workerCount)
            + Array(repeating: .producer, count: options.producerCount)
        self.roles.reverse()
    }

    /// Nanoseconds of the clock that the event loop's deadlines are in.
    static func now() -> UInt64 { NIODeadline.now().uptimeNanoseconds }

    /// Begins; the future has the report, or the reason why there is none.
    func start() -> EventLoopFuture<BenchReport> {
        let openings = (0..<min(Self.openingCount, self.roles.count)).map { _ in self.openNext() }
        EventLoopFuture.andAllSucceed(openings, on: self.eventLoop).assumeIsolated().whenComplete { result in
            switch result {
            case .success: self.begin()
            case .failure(let error): self.fail(error)
            }
        }
        return self.outcome.futureResult
    }

    /// Opens one connection after the other until none is left to open.
    private func openNext() -> EventLoopFuture<Void> {
        guard !self.isOver, let role = self.roles.popLast() else { return self.eventLoop.makeSucceededVoidFuture() }
        var server = self.server
        server.identity = role == .producer ? nil : WorkerIdentity(id: self.names.run, labels: ["bench"])
        let opened = self.eventLoop.makePromise(of: FaktoryConnection.self)
        opened.completeWithTask { [server] in try await FaktoryConnection.open(to: server) }
        return opened.futureResult.assumeIsolated().flatMap { connection in
            self.join(BenchConnection(role, over: connection, in: self))
            return self.openNext()
        }.nonisolated()
    }

    /// Takes in a connection that the server has welcomed.
    private func join(_ connection: BenchConnection) {
        guard !self.isOver else {
            connection.close()
            return
        }
        self.connections.append(connection)
    }

    private func begin() {
        do {
            try self.watch.begin()
        } catch {
            self.fail(error)
            return
        }
        self.startedAt = Self.now()
        self.lastEventAt = self.startedAt
        let run = NIOLoopBound(self, eventLoop: self.eventLoop)
        self.repeated = self.eventLoop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
            run.value.look()
        }
        // Workers were opened before producers, so that the first pushes find them waiting.
        for connection in self.connections { connection.start() }
    }

    /// Once a second: shows the progress, and gives up when there is none.
    private func look() {
        let count = self.ledger.acknowledgedCount
        self.progress(
            "\(count) of \(self.options.jobCount) jobs done, \(count - self.reportedCount) in the last second"
        )
        self.reportedCount = count
        if Self.now() - self.lastEventAt > UInt64(Self.patience.nanoseconds) { self.finish() }
    }

    /// Breaks the run off; does nothing when it is over.
    func fail(_ error: any Error) {
        guard !self.isOver else { return }
        self.close()
        self.outcome.fail(error)
    }

    private func finish() {
        guard !self.isOver else { return }
        let usage = self.watch.end(perJob: self.ledger.acknowledgedCount)
        self.close()
        self.outcome.succeed(
            BenchReport(
                pushName: self.pushName,
                seconds: Double(self.lastEventAt - self.startedAt) / 1_000_000_000,
                ledger: self.ledger,
                push: self.push,
                fetch: self.fetch,
                acknowledgement: self.acknowledgement,
                pushToStart: self.pushToStart,
                processes: usage
            )
        )
    }

    private func close() {
        self.isOver = true
        self.repeated?.cancel()
        for connection in self.connections { connection.close() }
        self.connections = []
    }
}

extension BenchRun {
    var pushName: String { self.options.batchJobCount == 1 ? "PUSH" : "PUSHB" }

    /// The next jobs to push with one command; empty when there are no more.
    func issue() -> Range<Int> {
        self.ledger.issue(upTo: self.options.batchJobCount)
    }

    /// When jobs are due by the rate; nil when they are due as soon as they can be sent.
    func dueTime(of jobs: Range<Int>) -> UInt64? {
        guard let rate = self.options.jobsPerSecond else { return nil }
        return self.startedAt + UInt64(jobs.lowerBound) * 1_000_000_000 / UInt64(rate)
    }

    /// Runs `body` at a time of ``now()`` that is yet to come.
    func schedule(at time: UInt64, _ body: @escaping () -> Void) {
        self.eventLoop.assumeIsolated().scheduleTask(deadline: .uptimeNanoseconds(time), body)
    }

    func pushCommand(for jobs: Range<Int>, dueAt: UInt64) -> ByteBuffer {
        self.ledger.send(jobs, dueAt: dueAt)
        let isBatch = self.options.batchJobCount > 1
        var buffer = ByteBuffer()
        buffer.reserveCapacity(jobs.count * (self.payload.utf8.count + 128) + 16)
        buffer.writeString(isBatch ? "PUSHB [" : "PUSH ")
        for job in jobs {
            if job > jobs.lowerBound { buffer.writeStaticString(",") }
            let queue = self.names.queue(job % self.options.queueCount)
            buffer.writeString("{\"jid\":\"\(self.names.jobID(of: job))\",\"queue\":\"\(queue)\",")
            buffer.writeString("\"jobtype\":\"bench\",\"args\":[\"\(self.payload)\"]}")
        }
        buffer.writeString(isBatch ? "]\r\n" : "\r\n")
        return buffer
    }

    func confirmPush(of jobs: Range<Int>, from dueAt: UInt64, to now: UInt64) {
        self.ledger.confirmPush(of: jobs)
        self.push.record(from: dueAt, to: now)
        self.note(at: now)
    }

    /// - Returns: whether the job is of this run, and fetched for the first time.
    func fetch(_ document: ByteBuffer, from sentAt: UInt64, to now: UInt64) -> Bool {
        self.fetch.record(from: sentAt, to: now)
        guard case .first(let dueAt) = self.ledger.fetch(self.names.job(in: document)) else { return false }
        self.pushToStart.record(from: dueAt, to: now)
        self.lastEventAt = now
        return true
    }

    func acknowledge(from sentAt: UInt64, to now: UInt64) {
        self.ledger.acknowledge()
        self.acknowledgement.record(from: sentAt, to: now)
        self.note(at: now)
    }

    /// The worker's BEAT when one is due; whoever asks has to send it.
    func beatIfDue() -> ByteBuffer? {
        let now = Self.now()
        guard now >= self.nextBeatAt else { return nil }
        self.nextBeatAt = now + UInt64(Self.beatInterval.nanoseconds)
        return ByteBuffer(string: "BEAT {\"wid\":\"\(self.names.run)\"}\r\n")
    }

    private func note(at now: UInt64) {
        self.lastEventAt = now
        if self.ledger.isComplete { self.finish() }
    }
}
