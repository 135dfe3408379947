package import ClusterLink
import DequeModule
package import JobCore

/// The rules of one lane: which commands leave when, and what becomes of every reply.
///
/// One batch is under way at a time; what clients send meanwhile forms the next one. A batch that is not answered is
/// sent again under its number, to whoever leads, until it is: the leader applies a number once. A FETCH that the
/// leader parks stays in a table until its late answer comes, its deadline is well over, or its client goes.
///
/// A job counts as settled from the batch on that is formed after it was written to its client, or in the batch that
/// takes it back; never earlier, so that the leader never believes that a job was delivered that was not.
///
/// The machine does no I/O and asks no clock. Methods that return actions expect them to be carried out in order.
package struct LaneMachine {
    /// How long an idle lane waits for a command that can carry the news of a written job.
    package static let settleDelay: Duration = .milliseconds(5)

    private struct Batch {
        let number: UInt64
        var message: [UInt8]
        let settled: UInt64
        /// Which offers the leader knew to have ended when this batch was sent.
        let settledBefore: UInt64
        var sentAt: Uptime
        /// How long to wait from then on before it is sent again.
        var patience: Duration
        var chunk: CommandChunk
    }

    private struct Fetch {
        enum State {
            /// In a batch that has not been answered, or not been sent.
            case underWay
            /// The leader has it.
            case parked
        }

        let connection: ConnectionID
        let worker: String
        let queues: [String]
        let deadline: Uptime
        var state = State.underWay
        var wasAskedAgain = false
        /// Whether its client waits for a job that is not there yet.
        var mayWait = true
    }

    /// A command that the leader has taken up and answers late.
    private struct Deferred {
        let connection: ConnectionID
        let encoded: [UInt8]
        /// When the leader took it up, or was asked for it again.
        let takenUpAt: Uptime
    }

    private struct Member {
        let introduction: WorkerIntroduction
        /// Whether the leader may have heard of it.
        var isSent = false
        /// What the worker said of its memory when it last beat through this connection; nil when it has not.
        var beatKilobytes: UInt64?
        /// Whether it has asked for a job through this connection as well.
        var hasFetched = false
    }

    /// Offers that are missing, and what must have ended before they can be given up.
    private struct Gap {
        /// Later requests cannot have been meant by the missing offers.
        let lastRequest: UInt64
        let highestOffer: UInt64
    }

    private let limits: LaneLimits
    private var lane: LaneKey
    private var isAttached = false

    private var lastRequest: UInt64 = 0
    private var lastBatch: UInt64 = 0
    private var inFlight: Batch?
    private var pending: Deque<CommandChunk> = []

    /// Every FETCH that was not answered yet, wherever it is.
    private var fetches: [UInt64: Fetch] = [:]
    /// No FETCH is overdue before then.
    private var nextLookAtFetches = Uptime(nanoseconds: 0)
    private var deferred: [UInt64: Deferred] = [:]
    /// Late replies that came before the reply of their batch.
    private var early: [UInt64: LinkReply] = [:]
    /// Withdrawals that have not left yet, with the offers that they will take back.
    private var withdrawals: [UInt64: [UInt64]] = [:]
    private var members: [UInt64: Member] = [:]

    private var window: OfferWindow
    private var sentSettled: UInt64 = 0
    /// Withdrawals that the store refused, and that have not left again.
    private var refusedWithdrawals: Set<UInt64> = []
    /// No later offer is settled before all of those have left: some of them may be what is to be taken back.
    private var refusedSettled: UInt64 = 0
    /// Offers that were written while an earlier one had not ended, and that the leader was not told of.
    private var written: Deque<UInt64> = []
    /// Those that it was told of, as long as the earlier one has not ended.
    private var told: [UInt64] = []
    /// Whether nothing was settled for a while because one offer has not ended.
    private var isHeldUp = false
    private var settledAtLastTick = UInt64.max
    /// All offers up to this number have been here for a while, and those up to the next one will have been soon.
    private var arrived: UInt64 = 0
    private var arriving: (through: UInt64, since: Uptime) = (0, Uptime(nanoseconds: 0))
    private var sentArrived: UInt64 = 0
    /// Whether the leader reads more than settled offers.
    package private(set) var isFluent = false
    private var gap: Gap?
    private var settleIsArmed = false
    /// When the leader was last heard of.
    private var lastHeard = Uptime(nanoseconds: 0)

    private var heldCommandCount = 0
    private var heldByteCount = 0
    /// Whether the clients were told to wait, because too much is held.
    package private(set) var isPaused = false

    package init(lane: LaneKey, limits: LaneLimits = LaneLimits()) {
        self.lane = lane
        self.limits = limits
        self.window = OfferWindow(maximumCount: limits.offerWindow)
    }
}

// MARK: - What clients do

extension LaneMachine {
    /// Whether nothing more may be read from clients.
    package var isFull: Bool { self.isPaused || self.isBeyondLimits }

    /// Whether `flush(at:)` has anything to do at the end of this tick.
    package var wantsFlush: Bool { (self.isAttached && self.inFlight == nil) || self.isBeyondLimits != self.isPaused }

    /// Nothing is under way and the leader knows the end of every offer.
    package var isQuiet: Bool {
        self.inFlight == nil && self.pending.isEmpty && self.fetches.isEmpty && self.deferred.isEmpty
            && self.window.isSettled && self.window.settled == self.sentSettled
    }

    /// Takes a client's command; its answer names the number that is returned.
    package mutating func append(_ body: LinkCommand.Body, for connection: ConnectionID, at now: Uptime) -> UInt64 {
        let request = self.nextRequest()
        let command = LinkCommand(request: request, body)
        guard case .fetch(let worker, let queues, let wait) = body else {
            self.enqueue(command, owner: .client(connection), at: now)
            return request
        }
        let deadline = now + .milliseconds(Int64(wait))
        self.nextLookAtFetches = min(self.nextLookAtFetches, deadline + self.limits.fetchGrace)
        self.fetches[request] = Fetch(connection: connection, worker: worker, queues: queues, deadline: deadline)
        self.enqueue(command, owner: .fetch, at: now)
        return request
    }

    /// Announces a worker's connection; the number that is returned names it when it leaves.
    package mutating func join(_ introduction: WorkerIntroduction, at now: Uptime) -> UInt64 {
        let request = self.nextRequest()
        self.members[request] = Member(introduction: introduction)
        self.enqueue(LinkCommand(request: request, .workerJoined(introduction)), owner: .join, at: now)
        return request
    }

    /// A worker has beaten through the connection of this announcement.
    ///
    /// The next leader is told, too: that a worker had been beating is part of the evidence that it is gone.
    package mutating func noteBeat(_ join: UInt64, residentKilobytes: UInt64) {
        self.members[join]?.beatKilobytes = residentKilobytes
    }

    /// A worker has asked for a job through the connection of this announcement.
    package mutating func noteFetch(_ join: UInt64) {
        self.members[join]?.hasFetched = true
    }

    /// A worker's connection has closed.
    package mutating func leave(_ join: UInt64, at now: Uptime) {
        guard let member = self.members[join] else { return }
        let body = LinkCommand.Body.workerLeft(worker: member.introduction.worker)
        self.enqueue(LinkCommand(request: join, body), owner: .leave, at: now)
    }

    /// The client of a FETCH does not wait for it any more.
    package mutating func abandon(_ request: UInt64, at now: Uptime) {
        guard self.fetches.removeValue(forKey: request) != nil else { return }
        self.withdraw(request, at: now)
    }

    /// The client of a FETCH takes what is there and waits for nothing.
    ///
    /// - Returns: whether the FETCH is over, because the leader has nothing for it. Otherwise its answer comes, which
    ///   may be a job.
    package mutating func stopWaiting(_ request: UInt64, at now: Uptime) -> Bool {
        guard self.fetches[request]?.state == .parked else {
            self.fetches[request]?.mayWait = false
            return false
        }
        self.abandon(request, at: now)
        return true
    }

    /// A job was written to its client.
    package mutating func wrote(offer: UInt64) {
        self.window.close(offer)
        if offer > self.window.settled {
            self.written.append(offer)
        } else if self.window.isSettled {
            self.written.removeAll(keepingCapacity: true)
            self.told.removeAll(keepingCapacity: true)
        }
    }

    /// A job could not be written to its client.
    package mutating func takeBack(offer: UInt64, of request: UInt64, at now: Uptime) {
        self.withdraw(request, at: now)
        self.withdrawals[request]?.append(offer)
    }

    /// Ends the tick in which commands were taken.
    package mutating func flush(at now: Uptime) -> [LaneAction] {
        var actions: [LaneAction] = []
        self.sendNext(at: now, into: &actions)
        self.updateReading(into: &actions)
        return actions
    }

    /// The time that `settleLater` asked for is over.
    package mutating func settleDue(at now: Uptime) -> [LaneAction] {
        self.settleIsArmed = false
        var actions: [LaneAction] = []
        if self.pending.isEmpty, self.hasNewsOfOffers, self.isAttached, self.inFlight == nil {
            self.send(CommandChunk(), at: now, into: &actions)
        } else {
            self.sendNext(at: now, into: &actions)
        }
        return actions
    }
}

// MARK: - What the leader does

extension LaneMachine {
    /// Takes the answers to a batch; those to any other than the one under way are old and count for nothing.
    package mutating func receive(_ replies: [LinkReply], toBatch number: UInt64, at now: Uptime) -> [LaneAction] {
        self.lastHeard = now
        guard let batch = self.inFlight, batch.number == number else { return [] }
        let entries = batch.chunk.entries
        guard replies.count == entries.count else {
            return [.complain(batch: number, replyCount: replies.count, commandCount: entries.count)]
        }
        self.inFlight = nil
        self.heldCommandCount -= entries.count
        self.heldByteCount -= batch.chunk.byteCount
        var answers: [LaneAction] = []
        answers.reserveCapacity(entries.count)
        for index in entries.indices {
            self.take(replies[index], of: index, in: batch.chunk, at: now, into: &answers)
        }
        if batch.chunk.hasControl { self.withdrawAgain(replies, to: batch, at: now) }
        self.early.removeAll()
        // The next batch leaves before the answers are written, so that the leader works meanwhile.
        var actions: [LaneAction] = []
        self.sendNext(at: now, into: &actions)
        actions.append(contentsOf: answers)
        self.updateReading(into: &actions)
        return actions
    }

    /// Takes answers to commands that were parked or deferred.
    package mutating func receive(late replies: [LateReply], at now: Uptime) -> [LaneAction] {
        self.lastHeard = now
        var answers: [LaneAction] = []
        for late in replies {
            if self.fetches[late.request] != nil {
                self.takeFetchReply(late.reply, of: late.request, at: now, into: &answers)
            } else if let command = self.deferred.removeValue(forKey: late.request) {
                self.release(command)
                self.confirm(late.request, command.encoded.first, at: now)
                answers.append(.answer(command.connection, request: late.request, late.reply))
            } else if case .job(let offer, _) = late.reply {
                self.refuse(offer: offer, of: late.request, at: now)
            } else if self.isUnderWay(late.request) {
                self.early[late.request] = late.reply
            }
        }
        var actions: [LaneAction] = []
        self.sendNext(at: now, into: &actions)
        actions.append(contentsOf: answers)
        self.updateReading(into: &actions)
        return actions
    }

    /// The leader reads this version of the envelope.
    package mutating func leaderSpeaks(_ version: UInt8) {
        self.isFluent = version >= 2
    }

    /// The leader has said that it is there; what it has taken up it carries out.
    ///
    /// A batch that it has had for long, or that was sent while nothing was heard of it, was lost: what one manager sends
    /// arrives in order, so that its answer would be here.
    package mutating func leaderIsAlive(at now: Uptime) -> [LaneAction] {
        let wasSilent = self.lastHeard + self.limits.resendInterval <= now
        self.lastHeard = now
        guard self.isAttached, let batch = self.inFlight,
            wasSilent || batch.sentAt + self.limits.resendInterval <= now
        else { return [] }
        return [self.sendAgain(batch, at: now)]
    }

    /// The leader answers again after its connection was lost, and with it whatever was on its way.
    ///
    /// Everything that waits for an answer is asked for again: what has been answered meanwhile is answered as before.
    package mutating func leaderReturned(at now: Uptime) -> [LaneAction] {
        guard self.isAttached else { return [] }
        self.lastHeard = now
        var actions = self.inFlight.map { [self.sendAgain($0, at: now)] } ?? []
        let behind = self.pending
        self.pending = []
        self.repeatWhatWaits(at: now)
        self.append(behind)
        self.sendNext(at: now, into: &actions)
        self.updateReading(into: &actions)
        return actions
    }

    /// Sends the batch under way once more, as if it were the first time.
    private mutating func sendAgain(_ batch: Batch, at now: Uptime) -> LaneAction {
        self.inFlight?.sentAt = now
        self.inFlight?.patience = self.limits.resendInterval
        return .send(batch.message)
    }

    /// The leader does not know the session: nothing is sent until it does.
    package mutating func detached() {
        self.isAttached = false
    }

    /// A leader, perhaps a new one, has taken up the session.
    ///
    /// First leaves the batch that was under way. What the leader before held in memory only heads the next one: each
    /// worker under the number of its first announcement, each parked FETCH under its own with the time that is left,
    /// each deferred command as it was.
    package mutating func attached(at now: Uptime) -> [LaneAction] {
        var actions: [LaneAction] = []
        self.isAttached = true
        self.isFluent = false
        self.forgetWhatWasTold()
        self.lastHeard = now
        if let batch = self.inFlight {
            // Whether this leader reads more is not known yet.
            let plain = self.encode(batch.chunk, batch.number, settled: batch.settled, deliveries: nil)
            self.inFlight?.message = plain
            self.inFlight?.sentAt = now
            self.inFlight?.patience = self.limits.resendInterval
            actions.append(.send(plain))
        } else {
            // What the last batch settled may have been refused with it.
            self.sentSettled = 0
        }
        self.repeatWhatOnlyALeaderKnew(at: now)
        self.sendNext(at: now, into: &actions)
        self.updateReading(into: &actions)
        return actions
    }

    /// The session has ended; all clients must go, and nothing of it is sent any more.
    package mutating func reset(to session: SessionID) {
        let wasPaused = self.isPaused
        self = LaneMachine(lane: LaneKey(session: session, lane: self.lane.lane), limits: self.limits)
        self.isPaused = wasPaused
    }
}

// MARK: - What time does

extension LaneMachine {
    /// Looks at every deadline; called about ten times a second.
    package mutating func tick(at now: Uptime) -> [LaneAction] {
        var actions: [LaneAction] = []
        if self.isAttached, var batch = self.inFlight, batch.sentAt + batch.patience <= now {
            batch.sentAt = now
            batch.patience = min(batch.patience * 2, self.limits.longestResendInterval)
            self.inFlight = batch
            actions.append(.send(batch.message))
        }
        self.lookAtFetches(at: now, into: &actions)
        self.lookAtHeldCommands(at: now, into: &actions)
        self.lookAtGap()
        self.lookAtOffers(at: now)
        self.sendNext(at: now, into: &actions)
        self.updateReading(into: &actions)
        return actions
    }

    private mutating func lookAtFetches(at now: Uptime, into actions: inout [LaneAction]) {
        // Thousands may wait, of which none is overdue unless a leader failed to answer.
        guard self.nextLookAtFetches <= now else { return }
        defer { self.setNextLookAtFetches(at: now) }
        let overdue = self.fetches.filter { $0.value.deadline + self.limits.fetchGrace <= now }
        for (request, fetch) in overdue.sorted(by: { $0.key < $1.key }) {
            if fetch.deadline + self.limits.fetchPatience <= now {
                self.abandon(request, at: now)
                actions.append(.answer(fetch.connection, request: request, .null))
            } else if fetch.state == .parked, !fetch.wasAskedAgain, self.isAttached {
                self.fetches[request]?.wasAskedAgain = true
                self.fetches[request]?.state = .underWay
                let body = LinkCommand.Body.fetch(worker: fetch.worker, queues: fetch.queues, waitMilliseconds: 0)
                self.enqueue(LinkCommand(request: request, body), owner: .fetch, at: now)
            }
        }
    }

    private mutating func setNextLookAtFetches(at now: Uptime) {
        guard let earliest = self.fetches.values.lazy.map(\.deadline).min() else {
            self.nextLookAtFetches = now
            return
        }
        self.nextLookAtFetches = earliest + self.limits.fetchGrace
    }

    private mutating func lookAtHeldCommands(at now: Uptime, into actions: inout [LaneAction]) {
        self.inFlight?.chunk.expire(before: now, timeout: self.limits.holdTimeout, into: &actions)
        for index in self.pending.indices {
            self.pending[index].expire(before: now, timeout: self.limits.holdTimeout, into: &actions)
        }
        self.lookAtDeferredCommands(at: now, into: &actions)
    }

    /// A deferred command may take as long as it takes while its leader is there; it is asked for again in case that the
    /// answer was lost on its way.
    private mutating func lookAtDeferredCommands(at now: Uptime, into actions: inout [LaneAction]) {
        let isLost = self.lastHeard + self.limits.holdTimeout <= now
        let patience = isLost ? self.limits.holdTimeout : self.limits.deferredPatience
        let overdue = self.deferred.filter { $0.value.takenUpAt + patience <= now }
        for (request, command) in overdue.sorted(by: { $0.key < $1.key }) {
            if isLost {
                self.deferred[request] = nil
                self.release(command)
                // Whatever becomes of it, nobody waits for the answer.
                self.confirm(request, command.encoded.first, at: now)
                actions.append(.close(command.connection))
            } else if self.isAttached {
                self.deferred[request] = nil
                self.release(command)
                self.enqueue(command.encoded, request: request, for: command.connection, at: now)
            }
        }
    }

    /// Gives up missing offers when every FETCH is over that they can have been for.
    private mutating func lookAtGap() {
        guard self.window.missingCount > 0 else {
            self.gap = nil
            return
        }
        guard let gap = self.gap else {
            self.gap = Gap(lastRequest: self.lastRequest, highestOffer: self.window.highest)
            return
        }
        let isAwaited =
            self.fetches.keys.contains { $0 <= gap.lastRequest }
            || self.withdrawals.keys.contains { $0 <= gap.lastRequest }
        guard !isAwaited else { return }
        self.window.closeMissing(through: gap.highestOffer)
        self.gap = nil
    }
}

// MARK: - Replies

extension LaneMachine {
    private mutating func take(
        _ reply: LinkReply,
        of index: Int,
        in chunk: CommandChunk,
        at now: Uptime,
        into answers: inout [LaneAction]
    ) {
        let entry = chunk.entries[index]
        switch entry.owner {
        case .withdrawal, .join, .leave:
            // A withdrawal that was refused is looked at when the whole batch is.
            return
        case .fetch:
            self.takeFetchReply(reply, of: entry.request, at: now, into: &answers)
        case .client(let connection):
            switch reply {
            case .deferred:
                if let late = self.early[entry.request] {
                    self.confirm(entry.request, chunk.operation(index), at: now)
                    answers.append(.answer(connection, request: entry.request, late))
                    return
                }
                let command = Deferred(
                    connection: connection,
                    encoded: chunk.encoded(index),
                    takenUpAt: now
                )
                self.deferred[entry.request] = command
                self.heldCommandCount += 1
                self.heldByteCount += command.encoded.count
                answers.append(.answer(connection, request: entry.request, .deferred))
            case .job(let offer, _):
                self.refuse(offer: offer, of: entry.request, at: now)
            case .parked, .nothing, .ok, .error, .bulk, .null:
                answers.append(.answer(connection, request: entry.request, reply))
            }
        }
    }

    private mutating func takeFetchReply(
        _ reply: LinkReply,
        of request: UInt64,
        at now: Uptime,
        into answers: inout [LaneAction]
    ) {
        guard let fetch = self.fetches[request] else {
            if case .job(let offer, _) = reply { self.refuse(offer: offer, of: request, at: now) }
            return
        }
        switch reply {
        case .parked, .deferred:
            guard fetch.mayWait else {
                self.abandon(request, at: now)
                answers.append(.answer(fetch.connection, request: request, .null))
                return
            }
            self.fetches[request]?.state = .parked
            return
        case .job(let offer, _):
            let isKnown = !self.window.open(offer)
            // What lies beyond the window is left with the leader, which is asked for it again.
            guard !isKnown || offer <= self.window.highest else { return }
        case .nothing, .ok, .error, .bulk, .null:
            break
        }
        self.fetches[request] = nil
        answers.append(.answer(fetch.connection, request: request, reply))
    }

    /// A job came for a FETCH that nobody waits for.
    private mutating func refuse(offer: UInt64, of request: UInt64, at now: Uptime) {
        guard self.window.open(offer) else { return }
        self.takeBack(offer: offer, of: request, at: now)
    }

    /// Lets the leader forget what it remembers of a deferred command.
    private mutating func confirm(_ request: UInt64, _ operation: UInt8?, at now: Uptime) {
        guard let operation, LinkCommand.isRemembered(operation: operation) else { return }
        self.withdraw(request, at: now)
    }

    private mutating func withdraw(_ request: UInt64, at now: Uptime) {
        guard self.withdrawals[request] == nil else { return }
        self.withdrawals[request] = []
        self.enqueue(LinkCommand(request: request, .withdraw), owner: .withdrawal, at: now)
    }

    /// Sends those withdrawals again that the store refused, in front of everything else.
    ///
    /// The leader still believes that the jobs are on their way. Were they settled without having been taken back, nobody
    /// would have them until the ends of their reservations.
    private mutating func withdrawAgain(_ replies: [LinkReply], to batch: Batch, at now: Uptime) {
        let refused = zip(batch.chunk.entries, replies).filter { entry, reply in
            guard case .withdrawal = entry.owner, case .error = reply else { return false }
            return true
        }
        guard !refused.isEmpty else { return }
        self.refusedSettled = self.refusedWithdrawals.isEmpty ? batch.settledBefore : self.refusedSettled
        let behind = self.pending
        self.pending = []
        for (entry, _) in refused {
            self.refusedWithdrawals.insert(entry.request)
            if self.withdrawals[entry.request] == nil { self.withdrawals[entry.request] = [] }
            self.enqueue(LinkCommand(request: entry.request, .withdraw), owner: .withdrawal, at: now)
        }
        self.append(behind)
    }

    private func isUnderWay(_ request: UInt64) -> Bool {
        self.inFlight?.chunk.entries.contains { $0.request == request } ?? false
    }

    private mutating func release(_ command: Deferred) {
        self.heldCommandCount -= 1
        self.heldByteCount -= command.encoded.count
    }
}

// MARK: - Batches

extension LaneMachine {
    private mutating func nextRequest() -> UInt64 {
        self.lastRequest += 1
        return self.lastRequest
    }

    private mutating func enqueue(_ command: LinkCommand, owner: CommandChunk.Owner, at now: Uptime) {
        let last = self.openChunk()
        let before = self.pending[last].byteCount
        self.pending[last].append(command, owner: owner, at: now)
        self.heldCommandCount += 1
        self.heldByteCount += self.pending[last].byteCount - before
    }

    /// Where the chunk stands that takes the next command.
    private mutating func openChunk() -> Int {
        let last = self.pending.endIndex - 1
        if last >= 0, self.pending[last].entries.count < self.limits.batchCommandCount,
            self.pending[last].byteCount < self.limits.batchByteCount
        {
            return last
        }
        self.pending.append(CommandChunk())
        return last + 1
    }

    private mutating func sendNext(at now: Uptime, into actions: inout [LaneAction]) {
        guard self.isAttached, self.inFlight == nil else { return }
        if let chunk = self.pending.popFirst() {
            self.send(chunk, at: now, into: &actions)
        } else if self.hasNewsOfOffers, !self.settleIsArmed {
            self.settleIsArmed = true
            actions.append(.settleLater)
        }
    }

    private mutating func send(_ chunk: CommandChunk, at now: Uptime, into actions: inout [LaneAction]) {
        if chunk.hasControl { self.leave(with: chunk) }
        if chunk.asksForFigures { actions.append(.tellFigures) }
        self.lastBatch += 1
        let settledBefore = self.sentSettled
        self.sentSettled = self.refusedWithdrawals.isEmpty ? self.window.settled : self.refusedSettled
        let message = self.encode(
            chunk,
            self.lastBatch,
            settled: self.sentSettled,
            deliveries: self.takeDeliveries()
        )
        self.inFlight = Batch(
            number: self.lastBatch,
            message: message,
            settled: self.sentSettled,
            settledBefore: settledBefore,
            sentAt: now,
            patience: self.limits.resendInterval,
            chunk: chunk
        )
        actions.append(.send(message))
    }

    private func encode(
        _ chunk: CommandChunk,
        _ number: UInt64,
        settled: UInt64,
        deliveries: CommandBatch.Deliveries?
    ) -> [UInt8] {
        CommandBatch.encode(
            lane: self.lane,
            number: number,
            settled: settled,
            commandCount: chunk.entries.count,
            commands: chunk.writer.bytes,
            deliveries: deliveries
        )
    }

    /// Whether the leader has to hear of the end of offers.
    private var hasNewsOfOffers: Bool {
        if self.window.settled > self.sentSettled { return true }
        guard self.isFluent, !self.window.isSettled else { return false }
        return (self.isHeldUp && !self.written.isEmpty) || self.hasNewsOfArrivals
    }

    private var hasNewsOfArrivals: Bool { self.arrived > max(self.sentArrived, self.window.settled) }

    /// What a batch tells of offers beyond those that are settled, if there is a reason to.
    ///
    /// Each of them costs the leader a write of its own. So they are named only when something holds the others up, and
    /// not when two jobs have just been written in another order than they were offered.
    private mutating func takeDeliveries() -> CommandBatch.Deliveries? {
        while let first = self.written.first, first <= self.window.settled { self.written.removeFirst() }
        guard self.isFluent, !self.window.isSettled else { return nil }
        var offers: [UInt64] = []
        while self.isHeldUp, offers.count < LinkBound.writtenOfferCount, let offer = self.written.popFirst() {
            if offer > self.window.settled { offers.append(offer) }
        }
        guard !offers.isEmpty || self.hasNewsOfArrivals else { return nil }
        self.told.removeAll { $0 <= self.window.settled }
        self.told.append(contentsOf: offers)
        self.sentArrived = self.arrived
        return CommandBatch.Deliveries(arrived: self.arrived, written: offers)
    }

    /// Another leader may not have what was told to the last, which may have been refused.
    private mutating func forgetWhatWasTold() {
        self.written.insert(contentsOf: self.told.filter { $0 > self.window.settled }, at: 0)
        self.told = []
        self.sentArrived = 0
    }

    /// Notes which offers have been here for a while.
    private mutating func lookAtOffers(at now: Uptime) {
        guard !self.window.isSettled else {
            self.isHeldUp = false
            self.settledAtLastTick = .max
            return
        }
        self.isHeldUp = self.window.settled == self.settledAtLastTick
        self.settledAtLastTick = self.window.settled
        guard self.arriving.since + self.limits.arrivalTime <= now else { return }
        self.arrived = self.arriving.through
        self.arriving = (self.window.highest, now)
    }

    /// Notes what changes when the chunk leaves.
    private mutating func leave(with chunk: CommandChunk) {
        for entry in chunk.entries {
            switch entry.owner {
            case .client, .fetch:
                break
            case .withdrawal:
                self.refusedWithdrawals.remove(entry.request)
                for offer in self.withdrawals.removeValue(forKey: entry.request) ?? [] { self.window.close(offer) }
            case .join:
                self.members[entry.request]?.isSent = true
            case .leave:
                self.members[entry.request] = nil
            }
        }
    }

    private mutating func repeatWhatOnlyALeaderKnew(at now: Uptime) {
        let behind = self.pending
        self.pending = []
        for (request, member) in self.members.sorted(by: { $0.key < $1.key }) where member.isSent {
            self.enqueue(LinkCommand(request: request, .workerJoined(member.introduction)), owner: .join, at: now)
            guard let beatKilobytes = member.beatKilobytes else { continue }
            let worker = member.introduction.worker
            let beat = LinkCommand.Body.beat(worker: worker, state: "", residentKilobytes: beatKilobytes)
            // The leader may have had its FETCH before the announcement, and cannot count it: a client that connects anew
            // for each command beats once a connection at the most.
            for _ in 0..<(member.hasFetched ? 2 : 1) {
                self.enqueue(LinkCommand(request: self.nextRequest(), beat), owner: .join, at: now)
            }
        }
        self.repeatWhatWaits(at: now)
        self.append(behind)
    }

    /// Asks again for what was parked or deferred.
    private mutating func repeatWhatWaits(at now: Uptime) {
        for (request, fetch) in self.fetches.sorted(by: { $0.key < $1.key }) where fetch.state == .parked {
            self.fetches[request]?.state = .underWay
            let body = LinkCommand.Body.fetch(
                worker: fetch.worker,
                queues: fetch.queues,
                waitMilliseconds: now.duration(to: fetch.deadline).wholeMilliseconds
            )
            self.enqueue(LinkCommand(request: request, body), owner: .fetch, at: now)
        }
        for (request, command) in self.deferred.sorted(by: { $0.key < $1.key }) {
            // Its time begins again with a leader that is there.
            self.enqueue(command.encoded, request: request, for: command.connection, at: now)
            self.release(command)
        }
        self.deferred = [:]
    }

    /// Puts chunks behind those that are pending, in one batch with them if there is room.
    private mutating func append(_ chunks: Deque<CommandChunk>) {
        var chunks = chunks
        if let first = chunks.first, let last = self.pending.last,
            last.entries.count + first.entries.count <= self.limits.batchCommandCount,
            last.byteCount + first.byteCount <= self.limits.batchByteCount
        {
            self.pending[self.pending.endIndex - 1].append(contentsOf: first)
            chunks.removeFirst()
        }
        self.pending.append(contentsOf: chunks)
    }

    private mutating func enqueue(
        _ encoded: [UInt8],
        request: UInt64,
        for connection: ConnectionID,
        at moment: Uptime
    ) {
        let last = self.openChunk()
        self.pending[last].append(encoded: encoded, request: request, owner: .client(connection), at: moment)
        self.heldCommandCount += 1
        self.heldByteCount += encoded.count
    }

    private var isBeyondLimits: Bool {
        self.heldCommandCount >= self.limits.heldCommandCount || self.heldByteCount >= self.limits.heldByteCount
    }

    /// Reading stops at the limits and goes on below half of them.
    private mutating func updateReading(into actions: inout [LaneAction]) {
        if !self.isPaused, self.isBeyondLimits {
            self.isPaused = true
            actions.append(.pauseReading)
        } else if self.isPaused, self.heldCommandCount <= self.limits.heldCommandCount / 2,
            self.heldByteCount <= self.limits.heldByteCount / 2
        {
            self.isPaused = false
            actions.append(.resumeReading)
        }
    }
}

extension CommandChunk {
    /// Wants the connections closed whose commands have been held for too long.
    ///
    /// Entries may stand in another order than that of their age when they are sent again; a younger one then hides
    /// an older one for at most as long as it is itself allowed to wait.
    fileprivate mutating func expire(before now: Uptime, timeout: Duration, into actions: inout [LaneAction]) {
        while self.expiredCount < self.entries.count {
            let entry = self.entries[self.expiredCount]
            guard entry.appendedAt + timeout <= now else { return }
            self.expiredCount += 1
            if case .client(let connection) = entry.owner { actions.append(.close(connection)) }
        }
    }
}

extension Duration {
    /// Milliseconds, rounded up; 0 for what is over, and no more than 32 bits hold.
    fileprivate var wholeMilliseconds: UInt32 {
        let (seconds, attoseconds) = self.components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        guard seconds < 4_000_000 else { return .max }
        return UInt32(seconds * 1_000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
