import FaktoryClient
import FaktoryWire
import NIOCore

/// One connection of the generator: a command is sent when the one before it has been answered, and never earlier.
///
/// All of it happens on the event loop of the run, without a task for a command.
final class BenchConnection {
    /// What the connection does.
    enum Role {
        case producer
        case worker
        /// A worker at a queue in which there is never a job.
        case idle
    }

    /// How long a reply may take before the run breaks off; longer than a front holds a command.
    private static let replyTimeout = Duration.seconds(30)

    private let role: Role
    /// Which worker process of the run the connection belongs to.
    private let process: Int
    private let connection: FaktoryConnection
    private let run: BenchRun

    init(_ role: Role, of process: Int, over connection: FaktoryConnection, in run: BenchRun) {
        self.role = role
        self.process = process
        self.connection = connection
        self.run = run
    }

    /// Sends the first command.
    func start() {
        self.sendNext()
    }

    func close() {
        self.connection.close()
    }

    private func sendNext() {
        guard !self.run.isOver else { return }
        switch self.role {
        case .producer:
            self.pushNext()
        case .worker, .idle:
            if let beat = self.run.beatIfDue(of: self.process) {
                self.send(beat) { reply, _, _ in
                    if case .error = reply { throw Self.unexpected(reply, to: "BEAT") }
                    self.sendNext()
                }
            } else {
                self.fetch()
            }
        }
    }

    /// Sends a command; `take` gets its reply, when it was sent and when it was answered.
    private func send(
        _ command: ByteBuffer,
        then take: @escaping (_ reply: Reply, _ sentAt: UInt64, _ now: UInt64) throws -> Void
    ) {
        let sentAt = BenchRun.now()
        self.connection.send(command, timeout: Self.replyTimeout) { result in
            let now = BenchRun.now()
            do {
                try take(try result.get(), sentAt, now)
            } catch {
                self.run.fail(error)
            }
        }
    }

    private static func unexpected(_ reply: Reply, to command: String) -> BenchError {
        switch reply {
        case .bulk(let content): .unexpectedReply(to: command, String(buffer: content))
        case .error(let code, let text): .unexpectedReply(to: command, "\(code) \(text)")
        case .simple(let text): .unexpectedReply(to: command, text)
        case .integer, .null: .unexpectedReply(to: command, "\(reply)")
        }
    }
}

// MARK: - Producers

extension BenchConnection {
    private func pushNext() {
        let jobs = self.run.issue()
        guard !jobs.isEmpty else { return }
        guard let dueAt = self.run.dueTime(of: jobs) else {
            self.push(jobs, dueAt: BenchRun.now())
            return
        }
        guard dueAt > BenchRun.now() else {
            self.push(jobs, dueAt: dueAt)
            return
        }
        self.run.schedule(at: dueAt) {
            guard !self.run.isOver else { return }
            self.push(jobs, dueAt: dueAt)
        }
    }

    private func push(_ jobs: Range<Int>, dueAt: UInt64) {
        self.send(self.run.pushCommand(for: jobs, dueAt: dueAt)) { reply, _, now in
            try self.requireAccepted(reply)
            self.run.confirmPush(of: jobs, from: dueAt, to: now)
            self.sendNext()
        }
    }

    /// PUSH is answered OK, PUSHB with the jobs that were refused: none may be.
    private func requireAccepted(_ reply: Reply) throws(BenchError) {
        switch reply {
        case .simple("OK"): return
        case .bulk(let refused) where refused.readableBytesView.elementsEqual("{}".utf8): return
        default: throw Self.unexpected(reply, to: self.run.pushName)
        }
    }
}

// MARK: - Workers

extension BenchConnection {
    private func fetch() {
        let command = self.role == .worker ? self.run.fetchCommand : self.run.idleFetchCommand
        self.send(command) { reply, sentAt, now in
            switch reply {
            case .null:
                self.sendNext()
            case .bulk(let document):
                guard let jobID = self.run.names.jobID(in: document) else { fallthrough }
                self.acknowledge(jobID, dueAt: self.run.fetch(document, from: sentAt, to: now))
            default:
                throw Self.unexpected(reply, to: "FETCH")
            }
        }
    }

    /// - Parameter dueAt: when the job was due; nil for one that was fetched before or is not of this run.
    private func acknowledge(_ jobID: String, dueAt: UInt64?) {
        self.send(ByteBuffer(string: "ACK {\"jid\":\"\(jobID)\"}\r\n")) { reply, sentAt, now in
            guard reply == .simple("OK") else { throw Self.unexpected(reply, to: "ACK") }
            if let dueAt { self.run.acknowledge(dueAt: dueAt, from: sentAt, to: now) }
            self.sendNext()
        }
    }
}
