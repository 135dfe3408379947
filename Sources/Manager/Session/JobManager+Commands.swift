import ClusterLink
import HeapModule
package import JobCore
import JobStorage

extension JobManager {
    /// Carries out one command of a lane; what it answers may only leave once the turn is committed.
    func execute(_ command: LinkCommand, on lane: Lane) -> LinkReply {
        let mayHaveCome = lane.noteRequest(command.request)
        switch command.body {
        case .push(let bytes): return self.push(bytes)
        case .pushBulk(let bytes): return self.pushBulk(bytes, command.request, on: lane)
        case .fetch(let worker, let queues, let wait):
            if mayHaveCome, let reply = self.earlierAnswer(to: command.request, wait: wait, on: lane) { return reply }
            return self.fetch(command.request, for: WorkerID(worker), queues, wait: wait, on: lane)
        case .withdraw:
            self.withdraw(command.request, on: lane)
            return .nothing
        case .acknowledge(let jobID):
            self.settle(JobID(jobID))
            return .ok
        case .fail(let jobID, let errorType, let message, let backtrace):
            return self.settle(
                FailPayload(jobID: JobID(jobID), errorType: errorType, message: message, backtrace: backtrace)
            )
        case .beat(let worker, let state, let residentKilobytes):
            return self.beat(WorkerID(worker), state, residentKilobytes, on: lane)
        case .info:
            // Not kept with the lane's record: after a fail-over it is asked for again.
            self.outbox.reply(.bulk(self.information()), to: command.request, on: lane.key)
            return .deferred
        case .flush:
            return self.takeUp(command.request, on: lane) { _, asker in .flush(asker) }
        case .queue(let action, let names):
            return self.change(names, by: action, command.request, on: lane)
        case .latency(let queues):
            return self.readLatencies(of: queues, TaskBoard.Asker(lane: lane.key, request: command.request))
        case .mutate(let request):
            return self.mutate(request, command.request, on: lane)
        case .workerJoined(let introduction):
            let announcement = WorkerRegistry.Announcement(lane: lane.key.lane, request: command.request)
            self.workerJoined(introduction, by: announcement, through: lane.key.session)
            return .nothing
        case .workerLeft(let worker):
            let announcement = WorkerRegistry.Announcement(lane: lane.key.lane, request: command.request)
            self.workerLeft(
                WorkerID(worker),
                by: announcement,
                isNumberedAnew: !mayHaveCome,
                through: lane.key.session
            )
            return .nothing
        }
    }

    private func push(_ bytes: [UInt8]) -> LinkReply {
        do {
            try self.takeIn(try Job(parsing: bytes))
            return .ok
        } catch {
            return .error(self.replyText(of: error))
        }
    }

    /// Pushes what a client sent, unless it is known to have sent it before: then the job was done meanwhile.
    func takeIn(_ job: Job) throws {
        guard !self.outcomes.contains(job.id, at: self.now.wall) else { return }
        try self.push(job)
    }

    /// The reply behind the dash; a job that is not acceptable says why.
    func replyText(of error: any Error) -> String {
        if let rejection = error as? JobRejection { return "ERR \(rejection.message)" }
        return error.replyText
    }

    private func settle(_ report: FailPayload) -> LinkReply {
        do {
            try self.fail(report)
            return .ok
        } catch {
            return .error(error.replyText)
        }
    }

    private func fetch(
        _ request: UInt64,
        for worker: WorkerID,
        _ texts: [String],
        wait milliseconds: UInt32,
        on lane: Lane
    ) -> LinkReply {
        // A name that no queue can have matches nothing.
        let names = texts.compactMap { try? QueueName(parsing: $0) }
        if self.workers.isRunning(worker), self.hasRoom(on: lane) {
            do {
                let reservation = try self.reserveNext(for: worker, from: names) { job in
                    self.offer(job, on: lane, for: request)
                }
                if let reservation, let offer = reservation.offer {
                    return .job(offer: offer.number, payload: reservation.job.payload)
                }
            } catch {
                return .error(error.replyText)
            }
        }
        let deadline = self.deadline(after: milliseconds)
        return self.park(request, for: worker, names, until: deadline, on: lane) == nil ? .null : .parked
    }

    /// The answer to a FETCH that has come again.
    private func earlierAnswer(to request: UInt64, wait milliseconds: UInt32, on lane: Lane) -> LinkReply? {
        if let waiting = lane.waiting[request] {
            // It stands among the deadlines once, however often it comes, and is looked at when the first one is over.
            waiting.deadline = max(waiting.deadline, self.deadline(after: milliseconds))
            return .parked
        }
        guard let offer = lane.unsettledOffer(for: request),
            let reservation = self.reservation(for: offer, on: lane), let job = self.job(of: reservation)
        else { return nil }
        self.turnByteCount += job.payload.count
        return .job(offer: offer.number, payload: job.payload)
    }

    @discardableResult
    func park(
        _ request: UInt64,
        for worker: WorkerID,
        _ names: [QueueName],
        until deadline: Uptime,
        on lane: Lane
    ) -> WaitingFetch? {
        // A worker that is not running waits for its time and for nothing else.
        let names = self.workers.isRunning(worker) ? names : []
        guard self.hasRoomToWait(in: names.count) else { return nil }
        let fetch = WaitingFetch(
            lane: lane,
            request: request,
            worker: worker,
            queues: names,
            deadline: deadline
        )
        lane.waiting[request] = fetch
        self.deadlines.insert(FetchDeadline(deadline: deadline, fetch: fetch))
        guard names.isEmpty || self.hasRoom(on: lane) else {
            fetch.hasLeftLines = true
            lane.holdBack(fetch)
            return fetch
        }
        fetch.lines.reserveCapacity(names.count)
        for name in names {
            let queue = self.queue(name)
            if queue.wait(fetch) { fetch.lines.append(queue) }
        }
        self.waitingPlaceCount += fetch.lines.count
        return fetch
    }

    /// Whether one more fetch may wait in so many lines.
    ///
    /// A fetch that was answered stands among the deadlines until its own is over, and is dropped here before such ones
    /// outnumber the others.
    private func hasRoomToWait(in lineCount: Int) -> Bool {
        if self.deadlines.count >= self.deadlineSweep {
            self.deadlines = Heap(self.deadlines.unordered.filter { !$0.fetch.isAnswered })
            self.deadlineSweep = max(4_096, 2 * self.deadlines.count)
        }
        return self.deadlines.count < SessionBound.waitingFetchCount
            && self.waitingPlaceCount + lineCount <= SessionBound.waitingPlaceCount
    }

    /// When a fetch that waits for so long from now is answered with nothing.
    ///
    /// One that may wait for a second or more waits up to 50 milliseconds less: many idle workers whose fetches end at one
    /// moment ask again in one batch.
    private func deadline(after milliseconds: UInt32) -> Uptime {
        let moment = self.now.uptime + .milliseconds(Int64(min(milliseconds, SessionBound.fetchMilliseconds)))
        return milliseconds < 1_000 ? moment : moment.rounded(downTo: .milliseconds(50))
    }

    /// In how many lines the fetches may stand that are answered in one turn; one fetch beyond it excepted.
    ///
    /// A thousand workers that name a thousand queues each would otherwise leave a million lines at one moment, and ask
    /// for as many again in one batch.
    static let overdueLineBound = 20_000

    /// Answers the fetches that have waited long enough with nothing; what is too much for one turn is left to the next.
    package func answerOverdueFetches() {
        var lineCount = 0
        while let first = self.deadlines.min, first.deadline <= self.now.uptime, lineCount < Self.overdueLineBound {
            self.deadlines.removeMin()
            lineCount += first.fetch.lines.count
            guard !first.fetch.isAnswered else { continue }
            guard first.fetch.deadline <= first.deadline else {
                self.deadlines.insert(FetchDeadline(deadline: first.fetch.deadline, fetch: first.fetch))
                continue
            }
            self.finish(first.fetch, with: .null)
        }
    }

    /// When the next waiting fetch is to be answered, or a worker that is missing was missing for long enough; nil when
    /// nothing waits.
    package var nextDeadline: Uptime? {
        guard let fetch = self.deadlines.min?.deadline else { return self.workers.nextEnd }
        return self.workers.nextEnd.map { min($0, fetch) } ?? fetch
    }

    private func beat(
        _ worker: WorkerID,
        _ signal: String,
        _ residentKilobytes: UInt64,
        on lane: Lane
    ) -> LinkReply {
        let outcome = self.workers.beat(
            worker,
            signal: signal,
            residentKilobytes: residentKilobytes,
            busy: self.busyCount(of: worker),
            at: self.now.uptime
        )
        guard let outcome else {
            // A fail-over is no reason to tell a worker that nobody knows it.
            if lane.awaitsAnnouncements { return .ok }
            return .error("ERR unknown worker \(EchoedText(worker.text))")
        }
        if outcome.beginsToCount { self.transaction.beatingWorkers[worker] = true }
        if outcome.didChange { self.transaction.workerStates[worker] = .some(outcome.state) }
        guard outcome.state != .running else { return .ok }
        return .bulk(Array("{\"state\":\"\(outcome.state.text)\"}".utf8))
    }

    private func workerJoined(
        _ introduction: WorkerIntroduction,
        by announcement: WorkerRegistry.Announcement,
        through session: SessionID
    ) {
        self.workers.join(
            introduction,
            by: announcement,
            through: session,
            busy: self.busyCount(of: WorkerID(introduction.worker)),
            at: self.now.uptime,
            self.now.wall
        )
    }

    private func workerLeft(
        _ worker: WorkerID,
        by announcement: WorkerRegistry.Announcement,
        isNumberedAnew: Bool,
        through session: SessionID
    ) {
        let hadState = !self.workers.isRunning(worker)
        let busy = self.busyCount(of: worker)
        let leaving = self.workers.leave(
            worker,
            by: announcement,
            isNumberedAnew: isNumberedAnew,
            through: session,
            busy: busy,
            at: self.now.uptime
        )
        guard leaving.isLast else { return }
        if hadState { self.transaction.workerStates.updateValue(nil, forKey: worker) }
        if leaving.beginsToCount { self.transaction.beatingWorkers[worker] = true }
        if busy > 0 {
            self.workers.expectBack(worker, since: hadState ? .inOrder : .unknown, at: self.now.uptime)
        } else if self.workers.stopCounting(worker) {
            self.transaction.beatingWorkers[worker] = false
        }
    }

    // MARK: What takes longer

    private func readLatencies(of queues: [String], _ asker: TaskBoard.Asker) -> LinkReply {
        guard self.tasks.hasRoom else { return Self.tooManyLongCommands }
        self.tasks.add(.latency(Set(queues).sorted(by: >), [], asker))
        return .deferred
    }

    private func change(
        _ selection: QueueSelection,
        by action: QueueAction,
        _ request: UInt64,
        on lane: Lane
    ) -> LinkReply {
        let names: [QueueName] =
            switch selection {
            // A pause holds for a queue without jobs, and so does its end.
            case .all where action == .resume: self.queues.values.filter(\.isPaused).map(\.name)
            case .all: self.knownQueues.map(\.name)
            case .named(let texts): texts.compactMap { try? QueueName(parsing: $0) }
            }
        switch action {
        case .pause: for name in names { self.pause(name) }
        case .resume: for name in names { self.resume(name) }
        case .remove: return self.remove(names, request, on: lane)
        }
        return .ok
    }

    private func remove(_ names: [QueueName], _ request: UInt64, on lane: Lane) -> LinkReply {
        self.takeUp(request, on: lane) { command, asker in
            // The last is taken first, so that they go in the order of their names, which tells what is left of them.
            let left = Set(names).filter { $0.text > command.lastQueue }.sorted { $0 > $1 }
            return .removeQueues(left, through: command.boundary, asker)
        }
    }

    private func mutate(_ request: MutationRequest, _ number: UInt64, on lane: Lane) -> LinkReply {
        guard let operation = Mutation.Operation(rawValue: request.operation) else {
            return .error("ERR unknown mutate operation")
        }
        guard let target = Mutation.Target(rawValue: request.target) else {
            return .error("ERR invalid target for mutation command")
        }
        var pattern: Glob?
        if let text = request.filter?.pattern {
            guard let parsed = Glob(text) else { return .error("ERR the pattern is too long") }
            pattern = parsed
        }
        let filter = request.filter.map { MutationFilter(ids: $0.jobIDs, pattern: pattern, type: $0.jobType) }
        let mutation = Mutation(operation: operation, target: target, filter: filter)
        let named = operation == .clear ? [] : request.filter?.jobIDs ?? []
        return self.takeUp(number, on: lane, byteCount: named.bytes.count) { command, asker in
            guard !named.isEmpty else { return .mutateMatching(mutation, cursor: 0, asker) }
            return .mutateNamed(mutation, NamedJobs(named, passing: command.doneCount), asker)
        }
    }
}
