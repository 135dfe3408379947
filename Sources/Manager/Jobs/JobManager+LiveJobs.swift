package import ClusterLink
import Glibc
import JobCore
package import JobStorage

/// What a jid stands for already.
enum JobStanding {
    case unknown
    /// Enqueued, scheduled, being worked on or waiting for its next try.
    case alive
    case dead
}

extension JobManager {
    // MARK: Standing

    /// What this jid stands for at this point of the turn.
    ///
    /// What the turn itself has done to the job comes first, then what is in memory, then what the store has, which is
    /// as it was when the turn began.
    func standing(of jobID: JobID) throws(StorageError) -> JobStanding {
        guard self.liveJobs.mayContain(jobID) else { return .unknown }
        if let standing = self.transaction.standing(of: jobID) { return standing }
        // Of a reservation whose job was not read it is not known whether there is anything left of it.
        if let reservation = self.reservations[jobID], reservation.isRead { return .alive }
        if let standing = self.askedStandings[jobID] { return standing }
        try self.askStandings(of: [jobID])
        return self.askedStandings[jobID] ?? .unknown
    }

    /// Asks the store what these jids stand for, all of them at once, unless memory knows that nobody has them.
    ///
    /// The answers hold until the turn is committed. A command with many jids asks for all before it looks at the first.
    func askStandings(of jobIDs: [JobID]) throws(StorageError) {
        let unclear = jobIDs.filter { self.liveJobs.mayContain($0) && self.askedStandings[$0] == nil }
        guard !unclear.isEmpty else { return }
        var found: [JobID] = []
        for (jobID, byteCount) in zip(unclear, try self.store.recordByteCounts(of: unclear)) {
            self.askedStandings[jobID] = byteCount > 0 ? .alive : .unknown
            if byteCount > 0 { found.append(jobID) }
        }
        guard !found.isEmpty else { return }
        for (jobID, score) in zip(found, try self.store.scores(of: found, in: .dead)) where score != nil {
            self.askedStandings[jobID] = .dead
        }
    }

    // MARK: Facts for a turn

    /// Asks the store, once for the whole turn, for what these messages will need of it and memory does not have.
    ///
    /// Right only at the beginning of the turn that handles the messages. Without it each command asks for itself, and
    /// decides the same. A leader that knows everything asks nothing.
    package func prepare(for messages: some Sequence<MessageToLeader>) throws(StorageError) {
        guard self.isLearningJobs || self.unreadReservationCount > 0 || self.usesTables else { return }
        var pushed: [JobID] = []
        var optional: [Job] = []
        var optionalByteCount = 0
        var locks: [[UInt8]] = []
        var failed: [Reservation] = []
        for case .batch(let batch) in messages {
            for command in batch.commands {
                switch command.body {
                case .push(let bytes) where self.isLearningJobs || (self.usesTables && bytes.mayCarryOptions):
                    // What is no job is told so when it is carried out.
                    guard let job = try? Job(parsing: bytes) else { continue }
                    if self.isLearningJobs { pushed.append(job.id) }
                    // Beyond so many bytes, jobs ask for themselves: their turns end sooner.
                    guard job.hasCustom, optionalByteCount < UniqueOptions.argumentByteBound else { continue }
                    optionalByteCount += job.payload.count
                    optional.append(job)
                case .acknowledge(let jobID) where self.usesTables:
                    if let lock = self.reservations[JobID(jobID)]?.lock, lock.until == nil { locks.append(lock.name) }
                case .fail(let jobID, _, _, _):
                    if let reservation = self.reservations[JobID(jobID)], !reservation.isRead {
                        failed.append(reservation)
                    }
                default:
                    break
                }
            }
        }
        self.askRecords(for: optional)
        self.askRecords(locks, in: .locks)
        try self.askStandings(of: pushed)
        try self.readJobs(of: failed, byteBudget: Self.readByteBudget)
    }

    /// Asks the store once for what the features will want to know of dead jobs that are to be requeued.
    func prepareRequeue(of records: [JobRecord]) {
        self.askRecords(
            for: records.lazy.compactMap { record in
                guard case .job(let stored) = record, stored.payload.mayCarryOptions else { return nil }
                return try? Job(parsing: stored.payload)
            }
        )
    }

    /// Asks the store once for what all jobs of a PUSHB, or of a slice of one, stand for.
    func prepare(for elements: [JobArray.Element]) {
        let jobs = elements.compactMap { try? $0.job.get() }
        if jobs.contains(where: { $0.hasCustom }) { self.askRecords(for: jobs) }
        do throws(StorageError) {
            try self.askStandings(of: jobs.map(\.id))
        } catch {
            self.readFailure = self.readFailure ?? error
        }
    }

    // MARK: Learning

    /// Whether jobs may be alive of which this leader has not heard yet.
    package var isLearningJobs: Bool { self.walk != nil }

    /// Reads the names of some more of the jobs that an earlier leader left.
    ///
    /// Right only between two turns: the store must have what is here.
    package func learnJobs() throws(StorageError) {
        guard var walk = self.walk else { return }
        for jobID in try walk.step(over: self.store) { self.liveJobs.insert(jobID) }
        self.walk = walk.isDone ? nil : walk
        if walk.isDone { self.liveJobs.complete() }
    }

    /// Notes a job that has arrived at a place, which the walk may have left behind already.
    func noteArrival(of jobID: JobID) {
        if self.walk != nil { self.liveJobs.insert(jobID) }
    }
}

extension [UInt8] {
    /// Whether a payload may have the options that ask for records; a look that costs little beside that of a parser.
    fileprivate var mayCarryOptions: Bool {
        self.withUnsafeBytes { bytes in
            var rest = bytes[...]
            // The rarest letter of `unique_for` is looked for, and then the others beside it.
            while let base = UnsafeRawBufferPointer(rebasing: rest).baseAddress,
                let found = memchr(base, 0x71, rest.count)
            {
                let index = rest.startIndex + base.distance(to: UnsafeRawPointer(found))
                if bytes.dropFirst(index + 1).starts(with: "ue_".utf8) { return true }
                rest = bytes[(index + 1)...]
            }
            return false
        }
    }
}

extension StorageTransaction {
    /// What the turn that is under way has made of a jid; nil when it has changed neither the job nor whether it is dead.
    fileprivate func standing(of jobID: JobID) -> JobStanding? {
        let change = self.jobs[jobID]
        if change == .remove { return .unknown }
        // A job that is buried is stored, too: with its failure, and only then is it known to be no longer alive.
        switch self.sets[.dead]?[jobID] {
        case .some(.some): return .dead
        case .some(.none): return .alive
        case nil: return change == nil ? nil : .alive
        }
    }
}
