import ClusterLink
import FaktoryWire
import JobCore
import Logging
import NIOCore
import NIOPosix
import Synchronization

/// One client's connection: handshake, lines in, replies out.
///
/// Commands go to the lane in the order of their lines and are answered in that order. Replies are collected while
/// a message of the leader is worked through, and leave in one write.
final class ClientHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// What is kept of a connection that may not go on; with so much, nothing more is read from it.
    private static let stalledByteCount = 64 * 1024
    /// How long the client has to read the last words, after which its socket is closed.
    private static let lingerTimeout = TimeAmount.seconds(1)
    /// A line up to this length is understood where it was read.
    ///
    /// Those of PUSH and PUSHB are in any case, since their payload is not looked at.
    private static let promptLineByteCount = 64 * 1024
    /// A buffer that has grown beyond this is not kept for the next replies.
    private static let keptBufferByteCount = 64 * 1024

    /// How often it is looked whether a client that sends nothing more has taken its job.
    private static let confirmationInterval = TimeAmount.milliseconds(10)
    /// The state of a socket that was reset, as `tcp_info` has it.
    private static let closedState: UInt8 = 7

    /// A job that is being written to the client.
    private struct WrittenJob {
        let offer: UInt64
        let request: UInt64
    }

    private enum Phase {
        /// The client has to say HELLO.
        case greeted(PasswordChallenge?)
        /// Its password is being looked at, or was wrong and the answer waits.
        case verifying
        /// Its commands are carried out.
        case serving
        /// The last words have been written; whatever comes is thrown away.
        case lingering
        /// Closed, or about to be.
        case closed
    }

    /// What happens when all commands before have been answered.
    private enum Next {
        /// The line was refused here; go on with the one behind it.
        case reject(String)
        /// Say this, and close.
        case closeSaying(String)
        case close
    }

    private let lane: Lane
    private let limits: ClientLimits
    private var id = ConnectionID(0)
    private var context: ChannelHandlerContext?
    private var phase = Phase.closed
    private var deadline: Scheduled<Void>?

    /// The try of its password that has not been answered.
    private var passwordTry: UInt64?
    /// What arrived before the end of HELLO.
    private var handshake = ByteBuffer()
    /// How many of those bytes are known to hold no LF.
    private var searchedByteCount = 0
    private var splitter: LineSplitter
    private var inputHasEnded = false
    private var isReading = true
    private var isDraining = false
    /// Since when a command has begun and not ended, while nothing but the client keeps it from that.
    private var unfinishedSince: Uptime?
    private var share: BufferShare
    /// Since when something of it counts.
    private var keptSince: Uptime?

    /// The wid of HELLO, for a worker.
    private(set) var worker: String?
    private var join: UInt64?
    /// Whether the worker has asked for a job through this connection.
    private var hasFetched = false
    private var isIdentified = false

    /// Commands that are with the lane, or whose reply waits for its turn.
    private var order = ReplyOrder()
    /// Nothing may be sent until all of them are answered.
    private var isAlone = false
    /// Whether a long line is being understood on another thread; nothing may pass it.
    private var isParsing = false
    /// A FETCH that the lane has not answered.
    private var fetch: UInt64?
    private var next: Next?

    private var output = ByteBuffer()
    private var jobs: [WrittenJob] = []
    /// Jobs of a client that sends nothing more, of which it is not known yet whether it still reads.
    private var unconfirmedCount = 0
    private var isTouched = false

    private var writtenByteCount = 0
    private var takenByteCount = 0
    private var lastProgress: Uptime?
    private var isWatched = false

    init(lane: Lane) {
        self.lane = lane
        self.limits = lane.environment.clientLimits
        self.share = BufferShare(of: lane.environment.buffers)
        self.splitter = LineSplitter(maximumByteCount: self.limits.maximumLineByteCount)
    }
}

// MARK: - The channel

extension ClientHandler {
    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        self.id = self.lane.register(self)
        if context.channel.isActive { self.greet(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.letGo()
        self.lane.unregister(self.id)
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        self.greet(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.letGo()
        self.lane.unregister(self.id)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.lane.environment.logger.debug("A client's connection broke", metadata: ["error": "\(error)"])
        self.close()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let piece = self.unwrapInboundIn(data)
        switch self.phase {
        case .greeted, .verifying: self.handshake.writeImmutableBuffer(piece)
        case .serving: self.splitter.append(piece)
        case .lingering, .closed: break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        self.goOn()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { self.goOn() }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(.inputClosed) = event as? ChannelEvent {
            self.inputEnded()
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    /// The client sends nothing more; whether it still reads cannot be known.
    private func inputEnded() {
        self.inputHasEnded = true
        switch self.phase {
        case .lingering, .closed:
            self.close()
        case .greeted, .verifying, .serving:
            // It may be gone altogether, so that it is given what is there at once, and does not wait.
            self.stopWaiting()
            self.goOn()
        }
    }

    /// Carries on from wherever the connection stands, and writes what there is to write.
    private func goOn() {
        if case .greeted(let challenge) = self.phase { self.readHello(challenge) }
        self.work()
        self.flush()
        self.noteKeptBytes()
    }

    /// Tells the budget what is kept for this client; when that is too much, whoever keeps most has to go.
    private func noteKeptBytes() {
        guard case .serving = self.phase else { return }
        let isWithin = self.share.change(to: self.splitter.pendingByteCount + self.untakenByteCount)
        if self.share.byteCount == 0 {
            self.keptSince = nil
        } else if self.keptSince == nil {
            self.keptSince = self.lane.now
        }
        if !isWithin { self.lane.closeGreediest() }
    }

    /// Replies that were written and that the client's socket has not taken; 0 while those are few.
    private var untakenByteCount: Int {
        guard let channel = self.context?.channel, !channel.isWritable else { return 0 }
        return (try? channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }
}

// MARK: - For the lane

extension ClientHandler {
    /// Takes the answer to a command; false when the client is gone.
    func receive(_ reply: LinkReply, to request: UInt64) -> Bool {
        guard case .serving = self.phase else { return false }
        if case .deferred = reply {
            self.isAlone = true
            return true
        }
        guard self.order.take(reply, to: request) else { return false }
        if self.fetch == request { self.fetch = nil }
        while let (request, reply) = self.order.next() { self.write(reply, to: request) }
        if self.order.isEmpty { self.isAlone = false }
        return true
    }

    /// Notes that the connection needs `finishTurn()`; false when that was noted before.
    func touch() -> Bool {
        guard !self.isTouched else { return false }
        self.isTouched = true
        return true
    }

    func finishTurn() {
        self.isTouched = false
        self.goOn()
    }

    /// Closes the connection when all that was begun is answered, at once when nothing was.
    func drain() {
        self.isDraining = true
        switch self.phase {
        case .greeted, .verifying:
            self.close()
        case .serving:
            self.stopWaiting()
            self.goOn()
        case .lingering, .closed:
            break
        }
    }

    /// Closes the connection without a word.
    func close() {
        self.letGo()
        self.context?.close(promise: nil)
    }

    /// How much is kept for this client, times how long that has been so in seconds, the first of them included.
    ///
    /// Who sends or reads a long command or reply at a good pace is let be while others only sit on theirs.
    func greed(at now: Uptime) -> Int {
        guard let keptSince = self.keptSince else { return 0 }
        let seconds = Int(clamping: keptSince.duration(to: now).components.seconds)
        return self.share.byteCount.multipliedReportingOverflow(by: 1 + max(0, seconds)).partialValue
    }

    /// Closes the connection of a client for which too much is kept.
    func closeForRoom() {
        self.lane.environment.logger.warning(
            "Closed the client for which most is kept, because there is no room",
            metadata: ["bytes": "\(self.share.byteCount)"]
        )
        self.turnAway("no room for \(self.splitter.pendingByteCount) bytes of a command that has not ended")
    }

    /// Closes the connection when the client has taken nothing for too long of what was written to it, or has been
    /// sending one command for too long.
    ///
    /// Called for those that asked to be watched; they need not be any longer when nothing is open.
    func checkProgress(at now: Uptime) {
        self.isWatched = false
        self.checkReader(at: now)
        if self.lastProgress != nil || self.unfinishedSince != nil { self.beWatched() }
        guard let since = self.unfinishedSince, since + self.limits.lineTimeout <= now else { return }
        self.lane.environment.logger.info("Closed a client whose command did not end")
        self.turnAway("a command did not end within \(self.limits.lineTimeout)")
    }

    /// Closes the connection; says why if that cannot be mistaken for the answer to a command.
    private func turnAway(_ reason: String) {
        guard case .serving = self.phase, self.order.isEmpty, self.next == nil, self.untakenByteCount == 0 else {
            self.close()
            return
        }
        self.close(saying: reason)
    }

    /// Wants `checkProgress(at:)` to be called, as hardly any of ten thousand connections does.
    private func beWatched() {
        guard !self.isWatched else { return }
        self.isWatched = true
        self.lane.watch(self)
    }

    private func checkReader(at now: Uptime) {
        guard let context = self.context,
            let buffered = try? context.channel.syncOptions?.getOption(.bufferedWritableBytes), buffered > 0
        else {
            self.lastProgress = nil
            return
        }
        let taken = self.writtenByteCount - buffered
        guard let lastProgress = self.lastProgress, taken == self.takenByteCount else {
            self.takenByteCount = taken
            self.lastProgress = now
            return
        }
        guard lastProgress + self.limits.writeTimeout <= now else { return }
        self.lane.environment.logger.info("Closed a client that does not read its replies")
        self.close()
    }

    /// Ends everything that the lane does for this client.
    private func letGo() {
        if case .closed = self.phase {} else { self.phase = .closed }
        self.deadline?.cancel()
        self.deadline = nil
        if let passwordTry = self.passwordTry {
            self.passwordTry = nil
            self.lane.environment.passwords.giveUp(passwordTry)
        }
        self.unfinishedSince = nil
        self.keptSince = nil
        self.splitter = LineSplitter(maximumByteCount: self.limits.maximumLineByteCount)
        _ = self.share.change(to: 0)
        if let fetch = self.fetch {
            self.fetch = nil
            self.lane.abandon(fetch)
        }
        for job in self.jobs { self.lane.takeBack(offer: job.offer, of: job.request) }
        self.jobs = []
        for job in self.order.removeAll() { self.lane.takeBack(offer: job.offer, of: job.request) }
        if let join = self.join {
            self.join = nil
            self.lane.leave(join)
        }
        if self.isIdentified {
            self.isIdentified = false
            self.lane.environment.counters.forgetIdentified()
        }
    }

    /// Lets a FETCH have what is there and no more: one that waits at the leader is answered with nothing.
    private func stopWaiting() {
        guard let fetch = self.fetch, self.lane.stopWaiting(fetch) else { return }
        _ = self.receive(.null, to: fetch)
    }
}

// MARK: - Handshake

extension ClientHandler {
    private func greet(_ context: ChannelHandlerContext) {
        guard case .closed = self.phase, self.deadline == nil else { return }
        var generator = SystemRandomNumberGenerator()
        let challenge = self.lane.environment.secrets.current.password.map { _ in PasswordChallenge(using: &generator) }
        self.phase = .greeted(challenge)
        self.deadline = context.eventLoop.assumeIsolated().scheduleTask(
            in: self.limits.handshakeTimeout
        ) { self.close() }
        if self.lane.isDraining {
            self.close()
            return
        }
        Greeting(challenge: challenge).write(to: &self.output)
        self.flush()
    }

    private func readHello(_ challenge: PasswordChallenge?) {
        let unsearched = self.handshake.readableBytesView.dropFirst(self.searchedByteCount)
        guard let lineFeed = unsearched.firstIndex(of: UInt8(ascii: "\n")) else {
            self.searchedByteCount = self.handshake.readableBytes
            if self.inputHasEnded || self.handshake.readableBytes > Hello.maximumByteCount + 1 { self.close() }
            return
        }
        var line = self.handshake.readableBytesView[self.handshake.readerIndex..<lineFeed]
        self.handshake.moveReaderIndex(to: lineFeed + 1)
        if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
        guard let hello = Hello(parsing: line) else {
            self.lane.environment.logger.info("Closed a client that did not say a proper HELLO")
            self.close()
            return
        }
        guard let challenge, let password = self.lane.environment.secrets.current.password else {
            self.welcome(hello)
            return
        }
        self.verify(hello, challenge, password)
    }

    /// Has the password looked at on another thread, since thousands of hashes would hold up all other clients.
    ///
    /// The time for HELLO is over then: how long the client waits for its turn is not up to it.
    private func verify(_ hello: Hello, _ challenge: PasswordChallenge, _ password: String) {
        guard let context = self.context else { return }
        self.deadline?.cancel()
        self.deadline = nil
        self.phase = .verifying
        let allowsLegacyHash = self.limits.allowsLegacyHash
        let promise = context.eventLoop.makePromise(of: PasswordVerifier.Verdict.self)
        self.passwordTry = self.lane.environment.passwords.verify(
            from: PasswordVerifier.group(of: context.remoteAddress)
        ) {
            challenge.accepts(
                hello.passwordHash,
                password: password,
                version: Int(hello.version),
                allowLegacyHash: allowsLegacyHash
            )
        } answer: {
            promise.succeed($0)
        }
        promise.futureResult.assumeIsolated().whenSuccess { verdict in
            guard case .verifying = self.phase else { return }
            self.passwordTry = nil
            switch verdict {
            case .right:
                self.welcome(hello)
                self.goOn()
            case .wrong(let delay):
                self.refusePassword(after: delay)
            case .unknown:
                self.close()
            }
        }
    }

    /// Tells the client that its password is wrong; until then nothing else is done for it.
    private func refusePassword(after delay: Duration) {
        guard delay > .zero, let context = self.context else { return self.close(saying: "Invalid password") }
        self.deadline = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(delay)) {
            self.close(saying: "Invalid password")
        }
    }

    private func welcome(_ hello: Hello) {
        self.deadline?.cancel()
        self.deadline = nil
        self.isIdentified = true
        let count = self.lane.environment.counters.identify()
        self.output.writeOKReply()
        guard count <= self.limits.maximumConnectionCount else {
            self.lane.environment.logger.warning("Refused a client beyond the limit", metadata: ["count": "\(count)"])
            self.close(saying: "too many connections: \(count)")
            return
        }
        self.phase = .serving
        if let worker = hello.workerID {
            self.worker = worker
            self.join = self.lane.join(WorkerIntroduction(worker, hello))
        }
        if self.handshake.readableBytes > 0 { self.splitter.append(self.handshake) }
        self.handshake = ByteBuffer()
    }
}

extension WorkerIntroduction {
    fileprivate init(_ worker: String, _ hello: Hello) {
        self.init(
            worker: worker,
            hostname: hello.hostname ?? "",
            processID: Int64(hello.processID ?? 0),
            labels: hello.labels,
            residentKilobytes: UInt64(clamping: hello.residentKilobytes ?? 0)
        )
    }
}

// MARK: - Commands

extension ClientHandler {
    /// Takes as many lines as may be taken now.
    private func work() {
        var isStalled = false
        var hasTakenLine = false
        while case .serving = self.phase {
            if self.isSettled, let next = self.next {
                self.next = nil
                self.perform(next)
                continue
            }
            guard self.maySend else {
                isStalled = true
                break
            }
            guard self.takeLine() else { break }
            hasTakenLine = true
        }
        self.noteUnfinishedLine(isStalled: isStalled, hasTakenLine: hasTakenLine)
        self.updateReading(isStalled: isStalled)
    }

    private func noteUnfinishedLine(isStalled: Bool, hasTakenLine: Bool) {
        guard case .serving = self.phase, !isStalled, self.splitter.pendingByteCount > 0 else {
            self.unfinishedSince = nil
            return
        }
        if hasTakenLine || self.unfinishedSince == nil { self.unfinishedSince = self.lane.now }
        self.beWatched()
    }

    private var maySend: Bool {
        self.next == nil && !self.isAlone && !self.isParsing && self.order.count < self.limits.pipelineDepth
            && !self.lane.isFull && (self.context?.channel.isWritable ?? false)
            && (!self.isDraining || self.order.isEmpty)
    }

    /// Whether every command was answered, and every job that had to be confirmed is.
    private var isSettled: Bool {
        self.order.isEmpty && self.unconfirmedCount == 0 && (!self.inputHasEnded || self.jobs.isEmpty)
    }

    /// Takes one line; false when there is none.
    private func takeLine() -> Bool {
        do throws(LineSplitter.LineTooLong) {
            guard let line = try self.splitter.next() else {
                guard self.inputHasEnded || self.isDraining else { return false }
                self.next = .close
                return self.isSettled
            }
            if self.isDraining {
                // Nothing was done. Whoever hears nothing connects again, and finds the front that shares the port; an
                // error would be the end of the command.
                self.next = self.limits.sharesPort ? .close : .closeSaying("shutdown in progress")
            } else {
                self.execute(line)
            }
        } catch {
            self.next = .closeSaying(error.message)
        }
        return true
    }

    private func execute(_ line: ByteBuffer) {
        if line.readableBytes > Self.promptLineByteCount, !line.readableBytesView.starts(with: "PUSH".utf8) {
            self.parseElsewhere(line)
        } else {
            self.execute(Self.parse(line))
        }
    }

    private static func parse(_ line: ByteBuffer) -> Command {
        line.withUnsafeReadableBytes { Command.parse(line: $0.assumingMemoryBound(to: UInt8.self)) }
    }

    /// Understands a long line on another thread, since all other clients would wait while a million jids are read.
    private func parseElsewhere(_ line: ByteBuffer) {
        self.isParsing = true
        NIOThreadPool.singleton.runIfActive(eventLoop: self.lane.eventLoop) { Self.parse(line) }
            .assumeIsolated().whenComplete { result in
                self.isParsing = false
                guard case .serving = self.phase else { return }
                guard case .success(let command) = result else { return self.close() }
                self.execute(command)
                self.goOn()
            }
    }

    private func execute(_ command: Command) {
        let intake = Intake(
            command,
            worker: self.worker ?? "",
            fetchWait: self.limits.fetchWaitMilliseconds
        )
        switch intake {
        case .forward(let body, let isAlone):
            self.lane.environment.counters.countCommand()
            self.isAlone = isAlone
            let request = self.lane.append(body, for: self.id)
            self.order.expect(request)
            switch body {
            case .fetch:
                self.fetch = request
                if !self.hasFetched, let join = self.join {
                    self.hasFetched = true
                    self.lane.noteFetch(join)
                }
                if self.inputHasEnded { self.stopWaiting() }
            case .beat(let worker, _, let residentKilobytes) where worker == self.worker:
                if let join = self.join { self.lane.noteBeat(join, residentKilobytes: residentKilobytes) }
            default:
                break
            }
        case .reject(let text):
            self.next = .reject(text)
        case .end:
            self.lane.environment.counters.countCommand()
            self.next = .close
        }
    }

    private func perform(_ next: Next) {
        switch next {
        case .reject(let text): self.output.writeErrorReply(text)
        case .closeSaying(let text): self.close(saying: text)
        case .close: self.closeAfterReplies()
        }
    }

    private func updateReading(isStalled: Bool) {
        guard let channel = self.context?.channel else { return }
        let isHeavy = isStalled && self.splitter.pendingByteCount >= Self.stalledByteCount
        let mayRead: Bool
        switch self.phase {
        case .serving: mayRead = !self.lane.isFull && !isHeavy
        case .greeted, .verifying: mayRead = self.handshake.readableBytes <= Hello.maximumByteCount + 2
        case .lingering: mayRead = true
        case .closed: return
        }
        guard mayRead != self.isReading else { return }
        self.isReading = mayRead
        do {
            try channel.syncOptions?.setOption(.autoRead, value: mayRead)
        } catch {
            self.close()
        }
    }
}

// MARK: - Replies

extension ClientHandler {
    private func write(_ reply: LinkReply, to request: UInt64) {
        switch reply {
        case .ok, .nothing: self.output.writeOKReply()
        case .error(let text): self.output.writeCodedError(text)
        case .bulk(let bytes): self.output.writeBulkReply(bytes)
        case .null, .parked, .deferred: self.output.writeNullReply()
        case .job(let offer, let payload):
            self.output.writeBulkReply(payload)
            self.jobs.append(WrittenJob(offer: offer, request: request))
        }
    }

    private func flush() {
        guard self.output.readableBytes > 0, let context = self.context else { return }
        var promise: EventLoopPromise<Void>?
        if !self.jobs.isEmpty {
            promise = context.eventLoop.makePromise()
            self.follow(self.jobs, written: promise?.futureResult)
            self.jobs = []
        }
        self.writtenByteCount += self.output.readableBytes
        self.beWatched()
        let output = self.output
        if output.capacity > Self.keptBufferByteCount { self.output = ByteBuffer() }
        context.writeAndFlush(self.wrapOutboundOut(output), promise: promise)
        self.output.clear()
    }

    /// Tells the lane what becomes of jobs that are being written.
    private func follow(_ jobs: [WrittenJob], written: EventLoopFuture<Void>?) {
        let mustConfirm = self.inputHasEnded
        if mustConfirm { self.unconfirmedCount += jobs.count }
        written?.assumeIsolated().whenComplete { [lane = self.lane] result in
            switch result {
            case .success where mustConfirm:
                self.confirm(jobs, until: lane.now + self.limits.writeTimeout)
            case .success:
                for job in jobs { lane.wrote(offer: job.offer) }
            case .failure:
                self.end(jobs, wereTaken: false, unconfirmed: mustConfirm)
            }
        }
    }

    /// Waits until the host of a client that sends nothing more has taken jobs that were written to it.
    ///
    /// Such a client may only read, or may be gone altogether. The host of one that is gone answers with a reset, and
    /// the job goes to another.
    private func confirm(_ jobs: [WrittenJob], until end: Uptime) {
        guard let context = self.context else { return self.end(jobs, wereTaken: false, unconfirmed: true) }
        guard let socket = context.channel as? any SocketOptionProvider else {
            self.end(jobs, wereTaken: true, unconfirmed: true)
            return self.lane.later { self.goOn() }
        }
        socket.getTCPInfo().assumeIsolated().whenComplete { result in
            guard case .success(let information) = result, information.tcpi_state != Self.closedState,
                self.lane.now < end
            else {
                self.end(jobs, wereTaken: false, unconfirmed: true)
                return self.lane.later { self.close() }
            }
            guard information.tcpi_unacked > 0 else {
                self.end(jobs, wereTaken: true, unconfirmed: true)
                return self.lane.later { self.goOn() }
            }
            self.lane.later(in: Self.confirmationInterval) { self.confirm(jobs, until: end) }
        }
    }

    private func end(_ jobs: [WrittenJob], wereTaken: Bool, unconfirmed: Bool) {
        if unconfirmed { self.unconfirmedCount -= jobs.count }
        for job in jobs {
            if wereTaken {
                self.lane.wrote(offer: job.offer)
            } else {
                self.lane.takeBack(offer: job.offer, of: job.request)
            }
        }
    }

    private func close(saying text: String) {
        self.output.writeErrorReply(text)
        self.closeAfterReplies()
    }

    /// Writes what there is, lets the client read it, and closes.
    ///
    /// A socket that is closed while bytes of the client lie unread in it would be reset, and with it the last words
    /// could be lost. So only the sending half is closed, until the client closes its own.
    private func closeAfterReplies() {
        guard let context = self.context else { return }
        self.flush()
        self.letGo()
        self.phase = .lingering
        guard !self.inputHasEnded else {
            context.writeAndFlush(self.wrapOutboundOut(ByteBuffer())).assumeIsolated().whenComplete { _ in self.close()
            }
            return
        }
        context.writeAndFlush(self.wrapOutboundOut(ByteBuffer())).assumeIsolated().whenComplete { result in
            guard case .lingering = self.phase, case .success = result, let context = self.context else {
                self.close()
                return
            }
            context.close(mode: .output, promise: nil)
            self.deadline = context.eventLoop.assumeIsolated().scheduleTask(in: Self.lingerTimeout) { self.close() }
        }
    }
}

extension ByteBuffer {
    /// Appends `-` and the text, which begins with a code.
    fileprivate mutating func writeCodedError(_ text: String) {
        let parts = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        self.writeErrorReply(code: String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
    }
}
