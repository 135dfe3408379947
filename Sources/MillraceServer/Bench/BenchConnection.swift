import FaktoryWire
import NIOCore

/// One connection of the generator: a command is sent when the one before it has been answered, and never earlier.
///
/// All of it happens on the event loop of the run, without a task for a command.
final class BenchConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// What the connection does.
    enum Role {
        case producer
        case worker
        /// A worker at a queue in which there is never a job.
        case idle
    }

    /// What the next reply answers.
    private enum Awaited {
        case greeting
        case welcome
        case push(Range<Int>, dueAt: UInt64)
        case fetch
        /// `isFirst` is false for a job that was fetched before or is not of this run.
        case acknowledgement(isFirst: Bool)
        case beat
        case nothing
    }

    private let role: Role
    private let run: BenchRun
    private let ready: EventLoopPromise<Void>
    private var decoder = ReplyDecoder()
    private var received = ByteBuffer()
    private var awaited = Awaited.greeting
    private var sentAt: UInt64 = 0

    init(_ role: Role, in run: BenchRun, ready: EventLoopPromise<Void>) {
        self.role = role
        self.run = run
        self.ready = ready
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.received.writeImmutableBuffer(self.unwrapInboundIn(data))
        do {
            while let reply = try self.decoder.decode(from: &self.received) {
                try self.take(reply, context)
            }
            if self.received.readableBytes == 0 { self.received.clear() }
        } catch {
            self.end(with: error, context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.end(with: BenchError.disconnected, context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.end(with: error, context)
    }

    private func end(with error: any Error, _ context: ChannelHandlerContext) {
        self.ready.fail(error)
        self.run.fail(error)
        context.close(promise: nil)
    }

    private func take(_ reply: Reply, _ context: ChannelHandlerContext) throws {
        let now = BenchRun.now()
        switch self.awaited {
        case .greeting:
            guard case .simple(let text) = reply else { throw self.unexpected(reply, to: "the connection") }
            try self.introduce(answering: Greeting(parsing: text), context)
        case .welcome:
            guard reply == .simple("OK") else { throw self.unexpected(reply, to: "HELLO") }
            self.awaited = .nothing
            self.run.join(context.channel) { self.sendNext(context) }
            self.ready.succeed()
        case .push(let jobs, let dueAt):
            try self.requireAccepted(reply)
            self.run.confirmPush(of: jobs, from: dueAt, to: now)
            self.sendNext(context)
        case .fetch:
            try self.takeJob(reply, at: now, context)
        case .acknowledgement(let isFirst):
            guard reply == .simple("OK") else { throw self.unexpected(reply, to: "ACK") }
            if isFirst { self.run.acknowledge(from: self.sentAt, to: now) }
            self.sendNext(context)
        case .beat:
            if case .error = reply { throw self.unexpected(reply, to: "BEAT") }
            self.sendNext(context)
        case .nothing:
            throw self.unexpected(reply, to: "nothing")
        }
    }

    private func unexpected(_ reply: Reply, to command: String) -> BenchError {
        switch reply {
        case .bulk(let content): .unexpectedReply(to: command, String(buffer: content))
        case .error(let code, let text): .unexpectedReply(to: command, "\(code) \(text)")
        case .simple(let text): .unexpectedReply(to: command, text)
        case .integer, .null: .unexpectedReply(to: command, "\(reply)")
        }
    }

    private func introduce(answering greeting: Greeting, _ context: ChannelHandlerContext) throws {
        var hello = Hello()
        if let challenge = greeting.challenge {
            guard let password = self.run.password else { throw BenchError.passwordWanted }
            hello.passwordHash = challenge.expectedHash(password: password, version: Greeting.protocolVersion)
        }
        if self.role != .producer {
            hello.workerID = self.run.names.run
            hello.hostname = "localhost"
            hello.processID = Int(self.run.processID)
            hello.labels = ["bench"]
        }
        var buffer = context.channel.allocator.buffer(capacity: 256)
        hello.write(to: &buffer)
        self.send(buffer, awaiting: .welcome, context)
    }

    /// PUSH is answered OK, PUSHB with the jobs that were refused: none may be.
    private func requireAccepted(_ reply: Reply) throws(BenchError) {
        switch reply {
        case .simple("OK"): return
        case .bulk(let refused) where refused.readableBytesView.elementsEqual("{}".utf8): return
        default: throw self.unexpected(reply, to: self.run.pushName)
        }
    }

    private func takeJob(_ reply: Reply, at now: UInt64, _ context: ChannelHandlerContext) throws {
        switch reply {
        case .null:
            self.sendNext(context)
        case .bulk(let document):
            guard let jobID = self.run.names.jobID(in: document) else { throw self.unexpected(reply, to: "FETCH") }
            let isFirst = self.run.fetch(document, from: self.sentAt, to: now)
            var buffer = context.channel.allocator.buffer(capacity: 64)
            buffer.writeString("ACK {\"jid\":\"\(jobID)\"}\r\n")
            self.send(buffer, awaiting: .acknowledgement(isFirst: isFirst), context)
        default:
            throw self.unexpected(reply, to: "FETCH")
        }
    }

    private func sendNext(_ context: ChannelHandlerContext) {
        guard !self.run.isOver else {
            self.awaited = .nothing
            return
        }
        switch self.role {
        case .producer:
            self.pushNext(context)
        case .worker, .idle:
            if let beat = self.run.beatIfDue() {
                self.send(beat, awaiting: .beat, context)
            } else {
                let fetch = self.role == .worker ? self.run.fetchCommand : self.run.idleFetchCommand
                self.send(fetch, awaiting: .fetch, context)
            }
        }
    }

    private func pushNext(_ context: ChannelHandlerContext) {
        let jobs = self.run.issue()
        guard !jobs.isEmpty else {
            self.awaited = .nothing
            return
        }
        guard let dueAt = self.run.dueTime(of: jobs) else {
            self.push(jobs, dueAt: BenchRun.now(), context)
            return
        }
        guard dueAt > BenchRun.now() else {
            self.push(jobs, dueAt: dueAt, context)
            return
        }
        self.awaited = .nothing
        context.eventLoop.assumeIsolated().scheduleTask(deadline: .uptimeNanoseconds(dueAt)) {
            guard !self.run.isOver else { return }
            self.push(jobs, dueAt: dueAt, context)
        }
    }

    private func push(_ jobs: Range<Int>, dueAt: UInt64, _ context: ChannelHandlerContext) {
        let command = self.run.pushCommand(for: jobs, dueAt: dueAt, context.channel.allocator)
        self.send(command, awaiting: .push(jobs, dueAt: dueAt), context)
    }

    private func send(_ buffer: ByteBuffer, awaiting awaited: Awaited, _ context: ChannelHandlerContext) {
        self.awaited = awaited
        self.sentAt = BenchRun.now()
        context.writeAndFlush(self.wrapOutboundOut(buffer), promise: nil)
    }
}
