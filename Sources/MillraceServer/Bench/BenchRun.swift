import FaktoryClient
import NIOCore

/// A run of the load generator; lives on one event loop, which alone touches it.
///
/// It opens its connections, starts them all at once, and is over when each job was pushed, fetched and acknowledged,
/// or when no job has come for ``patience``. Without workers it is over when each job was pushed.
final class BenchRun {
    /// How many connections are being opened at the same time.
    private static let openingCount = 64
    /// How long no job may be pushed, fetched or acknowledged before those still missing count as lost.
    private static let patience = TimeAmount.seconds(15)
    /// How many of the idle connections are of one worker process.
    private static let idleProcessSize = 10
    /// How often a worker process tells the server that it lives.
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
    private var unopened: [(role: BenchConnection.Role, process: Int)]
    /// Those that push, fetch and acknowledge.
    private var connections: [BenchConnection] = []
    private var idleConnections: [BenchConnection] = []
    private var repeated: RepeatedTask?

    private var ledger: BenchLedger
    private var latencies = BenchLatencies()

    private var startedAt: UInt64 = 0
    private var lastEventAt: UInt64 = 0
    /// When each worker process has to send its next BEAT.
    private var nextBeatsAt: [UInt64]
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
        self.ledger = BenchLedger(jobCount: options.jobCount, hasWorkers: options.workerCount > 0)
        self.payload = String(repeating: "x", count: options.payloadByteCount)
        let queues = (0..<options.queueCount).map { names.queue($0) }.joined(separator: " ")
        self.fetchCommand = ByteBuffer(string: "FETCH \(queues)\r\n")
        self.idleFetchCommand = ByteBuffer(string: "FETCH \(names.idleQueue)\r\n")
        // The workers are all of process 0. The first to be opened stands last.
        let idle = (0..<options.idleWorkerCount).map { (BenchConnection.Role.idle, 1 + $0 / Self.idleProcessSize) }
        self.unopened =
            Array(repeating: (.producer, 0), count: options.producerCount)
            + Array(repeating: (.worker, 0), count: options.workerCount) + idle.reversed()
        self.nextBeatsAt = Array(repeating: 0, count: 1 + (idle.last?.1 ?? 0))
    }

    /// Nanoseconds of the clock that the event loop's deadlines are in.
    static func now() -> UInt64 { NIODeadline.now().uptimeNanoseconds }

    /// Begins; the future has the report, or the reason why there is none.
    func start() -> EventLoopFuture<BenchReport> {
        let openings = (0..<min(Self.openingCount, self.unopened.count)).map { _ in self.openNext() }
        // Those that are still being opened when one fails are waited for: their event loop must outlive them.
        EventLoopFuture.whenAllComplete(openings, on: self.eventLoop).assumeIsolated().whenSuccess { results in
            do {
                for result in results { try result.get() }
                self.begin()
            } catch {
                self.fail(error)
            }
        }
        return self.outcome.futureResult
    }

    /// Opens one connection after the other until none is left to open.
    private func openNext() -> EventLoopFuture<Void> {
        guard !self.isOver, let (role, process) = self.unopened.popLast() else {
            return self.eventLoop.makeSucceededVoidFuture()
        }
        var server = self.server
        server.identity =
            role == .producer ? nil : WorkerIdentity(id: self.names.workerID(process), labels: ["bench"])
        let opened = self.eventLoop.makePromise(of: FaktoryConnection.self)
        opened.completeWithTask { [server] in try await FaktoryConnection.open(to: server) }
        return opened.futureResult.assumeIsolated().flatMap { connection in
            self.join(BenchConnection(role, of: process, over: connection, in: self), as: role)
            return self.openNext()
        }.flatMapError { error in
            self.unopened = []
            return self.eventLoop.makeFailedFuture(error)
        }.nonisolated()
    }

    /// Takes in a connection that the server has welcomed.
    ///
    /// One that idles begins at once, so that thousands of them do not all ask again at the same moment.
    private func join(_ connection: BenchConnection, as role: BenchConnection.Role) {
        guard !self.isOver else {
            connection.close()
            return
        }
        if role == .idle {
            self.idleConnections.append(connection)
            connection.start()
        } else {
            self.connections.append(connection)
        }
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
        let count = self.ledger.doneCount
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
        let usage = self.watch.end(perJob: self.ledger.doneCount)
        self.close()
        self.outcome.succeed(
            BenchReport(
                pushName: self.pushName,
                seconds: Double(self.lastEventAt - self.startedAt) / 1_000_000_000,
                ledger: self.ledger,
                latencies: self.latencies,
                processes: usage
            )
        )
    }

    private func close() {
        self.isOver = true
        self.repeated?.cancel()
        for connection in self.connections + self.idleConnections { connection.close() }
        self.connections = []
        self.idleConnections = []
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
        self.latencies.push.record(from: dueAt, to: now)
        self.note(at: now)
    }

    /// - Returns: when the job was due; nil for one that is not of this run, or was fetched before.
    func fetch(_ document: ByteBuffer, from sentAt: UInt64, to now: UInt64) -> UInt64? {
        self.latencies.fetch.record(from: sentAt, to: now)
        guard case .first(let dueAt) = self.ledger.fetch(self.names.job(in: document)) else { return nil }
        self.latencies.pushToStart.record(from: dueAt, to: now)
        self.lastEventAt = now
        return dueAt
    }

    func acknowledge(dueAt: UInt64, from sentAt: UInt64, to now: UInt64) {
        self.ledger.acknowledge()
        self.latencies.acknowledgement.record(from: sentAt, to: now)
        self.latencies.pushToDone.record(from: dueAt, to: now)
        self.note(at: now)
    }

    /// The BEAT of a worker process when one is due; whoever asks has to send it.
    func beatIfDue(of process: Int) -> ByteBuffer? {
        let now = Self.now()
        guard now >= self.nextBeatsAt[process] else { return nil }
        self.nextBeatsAt[process] = now + UInt64(Self.beatInterval.nanoseconds)
        return ByteBuffer(string: "BEAT {\"wid\":\"\(self.names.workerID(process))\"}\r\n")
    }

    private func note(at now: UInt64) {
        self.lastEventAt = now
        if self.ledger.isComplete { self.finish() }
    }
}
