import ClusterLink
import JobCore
import JobStorage

extension JobManager {
    /// What a command is told for which there is no room.
    static let tooManyLongCommands = LinkReply.error("ERR too many long commands are under way")

    /// Takes up a command that takes many turns, whether it comes for the first time or again.
    ///
    /// - Parameter makeWork: makes the task from what is known of an earlier beginning, which is nothing for most.
    func takeUp(
        _ request: UInt64,
        on lane: Lane,
        byteCount: Int = 0,
        _ makeWork: (LongCommand, TaskBoard.Asker) -> TaskBoard.Work
    ) -> LinkReply {
        var command = lane.longCommands[request] ?? LongCommand()
        if let outcome = command.outcome {
            self.outbox.reply(outcome, to: request, on: lane.key)
            return .deferred
        }
        guard !command.isOnBoard else { return .deferred }
        if lane.longCommands[request] == nil {
            guard self.tasks.hasRoom else { return Self.tooManyLongCommands }
            command.boundary = self.lastToken
        }
        command.isOnBoard = true
        lane.longCommands[request] = command
        self.tasks.add(makeWork(command, TaskBoard.Asker(lane: lane.key, request: request, byteCount: byteCount)))
        return .deferred
    }

    /// Notes how far a command has come, if this turn has an effect that must not happen twice.
    func note(_ asker: TaskBoard.Asker, _ change: (inout LongCommand) -> Void) {
        guard let lane = self.lane(asker.lane), var command = lane.longCommands[asker.request] else { return }
        change(&command)
        lane.longCommands[asker.request] = command
        guard !self.transaction.isEmpty else { return }
        self.store(command, of: asker)
    }

    /// Notes how far a PUSHB has come, with the members of its answer that this turn adds.
    func note(_ asker: TaskBoard.Asker, refusing members: [UInt8], _ change: (inout LongCommand) -> Void) {
        guard let lane = self.lane(asker.lane), !members.isEmpty else { return self.note(asker, change) }
        guard let part = lane.longCommands[asker.request]?.refuse(members) else { return }
        let key = ProgressKey(lane: asker.lane, request: asker.request, part: part)
        self.transaction.progress[key] = members
        self.note(asker, change)
    }

    /// The members of the answer to a PUSHB so far.
    func refused(by asker: TaskBoard.Asker) -> [UInt8] {
        self.lane(asker.lane)?.longCommands[asker.request]?.refused ?? []
    }

    /// A command is done: its answer leaves with the turn, and is kept until the front has it.
    func finish(_ asker: TaskBoard.Asker, with reply: LinkReply) {
        self.latecomers[asker.progressKey] = nil
        self.outbox.reply(reply, to: asker.request, on: asker.lane)
        guard let lane = self.lane(asker.lane), var command = lane.longCommands[asker.request] else { return }
        for part in 0..<command.partCount { self.forgetProgress(of: asker, part: part + 1) }
        guard !command.isAbandoned else {
            lane.longCommands[asker.request] = nil
            return self.forgetProgress(of: asker, part: 0)
        }
        command.finish(with: reply)
        lane.longCommands[asker.request] = command
        self.store(command, of: asker)
        self.forgetOldest(of: lane)
    }

    /// Nobody waits for the answer to a command any more, mostly because it has arrived.
    func settle(longCommand request: UInt64, on lane: Lane) {
        guard let command = lane.longCommands[request] else { return }
        guard !command.isOnBoard else {
            lane.longCommands[request]?.isAbandoned = true
            return
        }
        lane.longCommands[request] = nil
        let asker = TaskBoard.Asker(lane: lane.key, request: request, byteCount: 0)
        self.latecomers[asker.progressKey] = nil
        for part in 0...command.partCount { self.forgetProgress(of: asker, part: part) }
    }

    /// Sends the answers again of those commands of a batch that are done; the others will be answered.
    func repeatOutcomes(of commands: [LinkCommand], on lane: Lane) {
        guard !lane.longCommands.isEmpty else { return }
        for command in commands {
            guard let outcome = lane.longCommands[command.request]?.outcome else { continue }
            self.outbox.reply(outcome, to: command.request, on: lane.key)
        }
    }

    /// Takes up what an earlier leader left; the fronts send again what was not finished.
    func restoreLongCommands(_ progress: [ProgressKey: [UInt8]]) {
        // The records of a command come in the order of their numbers, the first one in front.
        for (key, record) in progress.sorted(by: { $0.key.part < $1.key.part }) {
            guard let lane = self.lane(key.lane, creates: true) else { continue }
            let first = ProgressKey(lane: key.lane, request: key.request, part: 0)
            if key.part == 0 {
                let command = LongCommand(reading: record)
                lane.longCommands[key.request] = command
                if let set = command?.set, command?.outcome == nil { self.latecomers[first] = Latecomers(set: set) }
            } else if lane.longCommands[key.request]?.set != nil {
                self.latecomers[first]?.restore(part: record)
            } else {
                lane.longCommands[key.request]?.restore(part: record)
            }
        }
    }

    // MARK: Who comes too late

    /// From now on a MUTATE takes from a set whatever matches, but for the jobs that join it meanwhile.
    ///
    /// - Returns: whether it may begin; not while too many others are under way.
    func beginTaking(from set: JobSet, for asker: TaskBoard.Asker) -> Bool {
        guard self.latecomers[asker.progressKey] == nil else { return true }
        // Those that an earlier leader has begun may never be sent again, and nobody is to wait for them.
        let underWay = self.latecomers.keys.count { key in
            self.lane(key.lane)?.longCommands[key.request]?.isOnBoard ?? true
        }
        guard underWay < Latecomers.commandBound else { return false }
        self.latecomers[asker.progressKey] = Latecomers(set: set)
        self.lane(asker.lane)?.longCommands[asker.request]?.set = set
        return true
    }

    /// A job joins a set: what takes from it passes over this one.
    func noteLatecomer(_ jobID: JobID, to set: JobSet) {
        let own = self.sliceUnderWay?.asker.progressKey
        for (key, var latecomers) in self.latecomers where latecomers.set == set && key != own {
            let note = latecomers.note(jobID)
            self.latecomers[key] = latecomers
            // Of one whose front is gone nothing is stored: nobody will send it again.
            guard let note, let lane = self.lane(key.lane), var command = lane.longCommands[key.request] else {
                continue
            }
            let asker = TaskBoard.Asker(lane: key.lane, request: key.request)
            if note.isAnother {
                _ = command.addPart()
                lane.longCommands[key.request] = command
                self.store(command, of: asker)
            }
            let part = ProgressKey(lane: key.lane, request: key.request, part: command.partCount)
            self.transaction.progress[part] = note.part
        }
    }

    /// The jobs that have joined its set since a MUTATE began.
    func latecomers(for asker: TaskBoard.Asker) -> Set<JobID> {
        self.latecomers[asker.progressKey]?.jobIDs ?? []
    }

    /// Nobody will ask again for the commands of a lane; those that are under way are carried out all the same.
    func forgetLatecomers(of lane: Lane) {
        for (request, command) in lane.longCommands where !command.isOnBoard {
            self.latecomers[ProgressKey(lane: lane.key, request: request, part: 0)] = nil
        }
    }

    /// What to tell the front whose command the store has refused a part of; nil when the turn carried out none.
    ///
    /// Nothing of the turn was done. What was done before stays; for a PUSHB the rest is refused by name.
    func answerToRefusedSlice(because reason: String) -> (lane: LaneKey, answer: LateReply)? {
        guard let slice = self.sliceUnderWay else { return nil }
        let text = "ERR the store refused: \(reason)"
        let reply: LinkReply =
            if case .pushBulk(let push, _) = slice.work, slice.before.doneCount > 0 {
                push.answer(refusing: slice.before.refused, andTheRestBecause: text)
            } else {
                .error(text)
            }
        return (slice.asker.lane, LateReply(request: slice.asker.request, reply: reply))
    }

    /// What is known of the command that began a task.
    func longCommand(of asker: TaskBoard.Asker?) -> LongCommand? {
        asker.flatMap { self.lane($0.lane)?.longCommands[$0.request] }
    }

    private func store(_ command: LongCommand, of asker: TaskBoard.Asker) {
        self.transaction.progress[asker.progressKey] = command.record
    }

    private func forgetProgress(of asker: TaskBoard.Asker, part: UInt32) {
        let key = ProgressKey(lane: asker.lane, request: asker.request, part: part)
        self.transaction.progress.updateValue(nil, forKey: key)
    }

    /// A front that never says what it has must not fill the store.
    private func forgetOldest(of lane: Lane) {
        let finished = lane.longCommands.filter { $0.value.outcome != nil }
        var count = finished.count
        var byteCount = finished.values.reduce(0) { $0 + $1.outcomeByteCount }
        guard count > LongCommand.finishedBound || byteCount > LongCommand.finishedByteBound else { return }
        for (request, command) in finished.sorted(by: { $0.key < $1.key })
        where count > LongCommand.finishedBound || byteCount > LongCommand.finishedByteBound {
            // The one that was finished last is kept, however long its answer.
            guard count > 1 else { return }
            count -= 1
            byteCount -= command.outcomeByteCount
            self.settle(longCommand: request, on: lane)
        }
    }

    private func lane(_ key: LaneKey, creates: Bool = false) -> Lane? {
        guard let session = self.sessions[key.session] else { return nil }
        return creates ? session.lane(key.lane) : session.lanes[key.lane]
    }
}

/// A task of which a slice is being carried out, and what was known of its command before.
struct SliceUnderWay {
    let work: TaskBoard.Work
    let asker: TaskBoard.Asker
    let before: LongCommand

    /// Nil for a task that no command began, and for one whose front is gone.
    init?(_ work: TaskBoard.Work, before: LongCommand?) {
        guard let asker = work.asker, let before else { return nil }
        self.work = work
        self.asker = asker
        self.before = before
    }
}
