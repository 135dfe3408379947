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
        case .pushBulk(let bytes): return self.pushBulk(bytes)
        case .fetch(let worker, let queues, let wait):
            if mayHaveCome, let reply = self.earlierAnswer(to: command.request, wait: wait, on: lane) { return reply }
            return self.fetch(command.request, for: WorkerID(worker), queues, wait: wait, on: lane)
        case .withdraw:
            self.withdraw(command.request, on: lane)
            return .nothing
        case .acknowledge(let jobID):
            self.acknowledge(JobID(jobID))
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
            return self.deferred(.flush(TaskBoard.Asker(lane: lane.key, request: command.request)))
        case .queue(let action, let names):
            return self.change(names, by: action, TaskBoard.Asker(lane: lane.key, request: command.request))
        case .latency(let queues):
            return self.deferred(.latency(queues, TaskBoard.Asker(lane: lane.key, request: command.request)))
        case .mutate(let request):
            return self.mutate(request, TaskBoard.Asker(lane: lane.key, request: command.request))
        case .workerJoined(let introduction):
            self.workers.join(
                introduction,
                by: WorkerRegistry.Announcement(lane: lane.key.lane, request: command.request),
                through: lane.key.session,
                at: self.now.uptime,
                self.now.wall
            )
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
            try self.push(try Job(parsing: bytes))
            return .ok
        } catch {
            return .error(self.replyText(of: error))
        }
    }

    private func pushBulk(_ bytes: [UInt8]) -> LinkReply {
        do {
            var refused: [String: String] = [:]
            for element in try JobArray(parsing: bytes).elements {
                do {
                    try self.push(try element.job.get())
                } catch {
                    let text = self.replyText(of: error)
                    // A code is told, unless it is the one that says nothing.
                    refused[element.id] = text.hasPrefix("ERR ") ? String(text.dropFirst(4)) : text
                }
            }
            let members = refused.sorted { $0.key < $1.key }.map {
                JSONValue.Member(key: $0.key, value: .string($0.value))
            }
            return .bulk(JSONValue.object(members).encoded)
        } catch {
            return .error(self.replyText(of: error))
        }
    }

    /// The reply behind the dash; a job that is not acceptable says why.
    private func replyText(of error: any Error) -> String {
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
        if self.workers.isRunning(worker) {
            do {
                let reservation = try self.reserveNext(for: worker, from: names) { jobID in
                    self.offer(jobID, on: lane, for: request)
                }
                if let reservation, let offer = reservation.offer {
                    return .job(offer: offer.number, payload: reservation.job.payload)
                }
            } catch {
                return .error(error.replyText)
            }
        }
        self.park(request, for: worker, names, wait: milliseconds, on: lane)
        return .parked
    }

    /// The answer to a FETCH that has come again.
    private func earlierAnswer(to request: UInt64, wait milliseconds: UInt32, on lane: Lane) -> LinkReply? {
        if let waiting = lane.waiting[request] {
            waiting.deadline = self.deadline(after: milliseconds)
            self.deadlines.insert(FetchDeadline(deadline: waiting.deadline, fetch: waiting))
            return .parked
        }
        guard let offer = lane.unsettledOffer(for: request),
            let reservation = self.reservation(for: offer, on: lane)
        else { return nil }
        return .job(offer: offer.number, payload: reservation.job.payload)
    }

    private func park(
        _ request: UInt64,
        for worker: WorkerID,
        _ names: [QueueName],
        wait milliseconds: UInt32,
        on lane: Lane
    ) {
        // A worker that is not running waits for its time and for nothing else.
        let lines = self.workers.isRunning(worker) ? names.uniqued() : []
        let fetch = WaitingFetch(
            lane: lane,
            request: request,
            worker: worker,
            queues: lines,
            deadline: self.deadline(after: milliseconds)
        )
        lane.waiting[request] = fetch
        for name in lines { self.queue(name).wait(fetch) }
        self.deadlines.insert(FetchDeadline(deadline: fetch.deadline, fetch: fetch))
    }

    /// When a fetch that waits for so long from now is answered with nothing.
    ///
    /// One that may wait for a second or more waits up to 50 milliseconds less: many idle workers whose fetches end at one
    /// moment ask again in one batch.
    private func deadline(after milliseconds: UInt32) -> Uptime {
        let moment = self.now.uptime + .milliseconds(Int64(milliseconds))
        return milliseconds < 1_000 ? moment : moment.rounded(downTo: .milliseconds(50))
    }

    /// Answers the fetches that have waited long enough with nothing.
    package func answerOverdueFetches() {
        while let first = self.deadlines.min, first.deadline <= self.now.uptime {
            self.deadlines.removeMin()
            guard !first.fetch.isAnswered, first.fetch.deadline == first.deadline else { continue }
            self.finish(first.fetch, with: .null)
        }
    }

    /// When the next waiting fetch is to be answered; nil when none waits.
    package var nextDeadline: Uptime? { self.deadlines.min?.deadline }

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
            at: self.now.uptime
        )
        guard let outcome else {
            // A fail-over is no reason to tell a worker that nobody knows it.
            if lane.awaitsAnnouncements { return .ok }
            return .error("ERR unknown worker \(EchoedText(worker.text))")
        }
        if outcome.didChange { self.transaction.workerStates[worker] = .some(outcome.state) }
        guard outcome.state != .running else { return .ok }
        return .bulk(Array("{\"state\":\"\(outcome.state.text)\"}".utf8))
    }

    private func workerLeft(
        _ worker: WorkerID,
        by announcement: WorkerRegistry.Announcement,
        isNumberedAnew: Bool,
        through session: SessionID
    ) {
        let hadState = !self.workers.isRunning(worker)
        let isLast = self.workers.leave(
            worker,
            by: announcement,
            isNumberedAnew: isNumberedAnew,
            through: session
        )
        guard isLast else { return }
        if hadState { self.transaction.workerStates.updateValue(nil, forKey: worker) }
        if self.busyCounts[worker] != nil { self.workers.expectBack(worker, at: self.now.uptime) }
    }

    // MARK: What takes longer

    private func deferred(_ work: TaskBoard.Work) -> LinkReply {
        guard !self.tasks.isFull else { return .error("ERR too many long commands are under way") }
        self.tasks.add(work)
        return .deferred
    }

    private func change(_ selection: QueueSelection, by action: QueueAction, _ asker: TaskBoard.Asker) -> LinkReply {
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
        case .remove: return self.deferred(.removeQueues(names, left: nil, asker))
        }
        return .ok
    }

    private func mutate(_ request: MutationRequest, _ asker: TaskBoard.Asker) -> LinkReply {
        guard let operation = Mutation.Operation(rawValue: request.operation) else {
            return .error("ERR unknown mutate operation")
        }
        guard let target = Mutation.Target(rawValue: request.target) else {
            return .error("ERR invalid target for mutation command")
        }
        let jobIDs = (request.filter?.jobIDs ?? []).map { JobID($0) }
        var pattern: Glob?
        if let text = request.filter?.pattern {
            guard let parsed = Glob(text) else { return .error("ERR the pattern is too long") }
            pattern = parsed
        }
        let filter = request.filter.map { _ in
            MutationFilter(ids: Set(jobIDs), pattern: pattern, type: request.filter?.jobType)
        }
        let mutation = Mutation(operation: operation, target: target, filter: filter)
        guard operation != .clear, !jobIDs.isEmpty else {
            return self.deferred(.mutateMatching(mutation, cursor: 0, asker))
        }
        return self.deferred(.mutateNamed(mutation, jobIDs.uniqued(), next: 0, asker))
    }
}

extension Array where Element: Hashable {
    /// The elements without those that stand in front already.
    fileprivate func uniqued() -> [Element] {
        guard self.count > 1 else { return self }
        var seen: Set<Element> = []
        return self.filter { seen.insert($0).inserted }
    }
}
