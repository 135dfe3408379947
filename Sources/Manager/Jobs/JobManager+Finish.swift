public import JobCore
import Logging
import JobStorage

extension JobManager {
    /// A job was done; its reservation ends and nothing is left of it.
    ///
    /// - Returns: the job, or nil when no reservation was held for it, which is no error: an
    ///   acknowledgement may come twice.
    @discardableResult
    public func acknowledge(_ jobID: JobID) -> Job? {
        self.settle(jobID).flatMap { self.job(of: $0) }
    }

    /// A job was done; its reservation, if one was held for it.
    ///
    /// The job itself is only read if there is a chain to show it to.
    @discardableResult
    func settle(_ jobID: JobID) -> Reservation? {
        guard let (reservation, origin) = self.endExecution(of: jobID) else { return nil }
        self.settleLock(of: reservation)
        self.move(jobID, from: origin, to: .ended(.succeeded), because: .acknowledged)
        self.run(.acknowledge, for: reservation, because: nil)
        return reservation
    }

    /// A job failed: it is tried again later, or buried, or discarded, as its retry policy says.
    ///
    /// A worker that was told to stop, and reports that it had to stop the job, gives it back to the head of its queue; that
    /// uses up no try.
    ///
    /// - Throws: `ManagerError.jobNotFound` when no reservation is held for it.
    public func fail(_ report: FailPayload) throws {
        if report.isShutdown, self.settings.vanished == .release, let held = self.reservations[report.jobID],
            !self.workers.isRunning(held.worker)
        {
            return self.takeBack(held)
        }
        guard let (reservation, origin) = self.endExecution(of: report.jobID) else {
            throw ManagerError.jobNotFound(report.jobID)
        }
        guard self.settleFailure(of: reservation, from: origin, reporting: report) else {
            throw ManagerError.jobNotFound(report.jobID)
        }
    }

    /// Lets the job's reservation last until then.
    ///
    /// Does nothing when that is before its end as it is, or when no reservation is held for the job. The new end is stored:
    /// it outlives the leader.
    public func extendReservation(of jobID: JobID, until time: WallTime) {
        guard let reservation = self.reservations[jobID], time > reservation.expiresAt else { return }
        reservation.expiresAt = time
        reservation.endsAt = self.now.uptime + self.now.wall.duration(to: time)
        self.transaction.hold(jobID, reservation.stored)
    }

    /// Fails the jobs whose reservation has ended by then; how many there were.
    ///
    /// Handles at the most `bound` jobs in this turn, and fewer when they are large; call again until it returns 0.
    ///
    /// A wall clock that was set, or is another leader's, ends no reservation and keeps none: each lasts for its time by the
    /// clock that nobody sets, and is given a new end on the wall where the two do not agree.
    public func reapExpiredJobs(at time: WallTime, bound: Int = JobManager.sliceBound) throws -> Int {
        if self.reservationClock.isSetBack(at: self.now) {
            self.reservationClock.note(Array(self.reservations.keys))
        }
        let correctedCount = self.correctEnds(bound: bound)
        guard correctedCount < bound else { return correctedCount }
        let moment = self.now.uptime + self.now.wall.duration(to: time)
        let expired = try self.store.expiredReservations(until: time, count: bound)
        try self.readJobs(of: expired.compactMap { self.reservations[$0] }, byteBudget: Self.readByteBudget)
        var count = 0
        for jobID in expired {
            guard !self.isTurnFull else {
                self.isSliceCut = true
                break
            }
            count += 1
            // An end that was moved in this very turn counts.
            guard let reservation = self.reservations[jobID] else {
                self.transaction.release(jobID)
                continue
            }
            guard reservation.expiresAt <= time else { continue }
            guard reservation.endsAt <= moment else {
                reservation.expiresAt = time + moment.duration(to: reservation.endsAt)
                self.transaction.hold(jobID, reservation.stored)
                continue
            }
            self.expire(reservation)
        }
        return count
    }

    /// Tells ends anew that a clock told which has been set back since; how many were looked at.
    private func correctEnds(bound: Int) -> Int {
        let jobIDs = self.reservationClock.next(bound)
        for jobID in jobIDs {
            guard let reservation = self.reservations[jobID] else { continue }
            let end = self.now.wall + self.now.uptime.duration(to: reservation.endsAt)
            guard end < reservation.expiresAt else { continue }
            reservation.expiresAt = end
            self.transaction.hold(jobID, reservation.stored)
        }
        return jobIDs.count
    }

    /// The time of a reservation is over.
    func expire(_ reservation: Reservation) {
        self.logger.debug("a reservation has expired", metadata: ["jid": "\(reservation.jobID)"])
        guard let ended = self.endReservation(of: reservation.jobID) else { return }
        self.settleFailure(of: ended, from: .reserved, reporting: .reservationExpired(for: ended.jobID))
    }

    /// False when nothing was left of the job that could be tried again.
    @discardableResult
    private func settleFailure(
        of reservation: Reservation,
        from origin: Place,
        reporting report: FailPayload
    ) -> Bool {
        guard let job = self.job(of: reservation) else {
            self.move(reservation.jobID, from: origin, to: .ended(.lost), because: .damaged)
            return false
        }
        self.turnByteCount += job.payload.count
        let mayContinue = self.run(.fail, for: reservation, because: report)
        let outcome = RetryPolicy.outcome(of: job, failing: report, at: self.now.wall, using: &self.generator)
        let destination: Destination
        if mayContinue {
            var failed = job
            failed.record(outcome.failure)
            destination =
                switch outcome.fate {
                case .discard: .ended(.failed)
                case .retry(let due): .retrying(failed, due: due)
                case .bury(let expiry): .dead(failed, until: expiry)
                }
        } else {
            destination = .ended(.discarded)
        }
        self.move(job.id, from: origin, to: destination, because: .failed)
        return true
    }

    /// A job is buried with which too many workers have vanished.
    func buryPoison(_ reservation: Reservation) {
        let jobID = reservation.jobID
        self.logger.warning(
            "a job is buried with which too many workers have vanished",
            metadata: ["jid": "\(jobID)", "wid": "\(reservation.worker)"]
        )
        guard let ended = self.endReservation(of: jobID) else { return }
        guard let job = self.job(of: ended) else {
            return self.move(jobID, from: .reserved, to: .ended(.lost), because: .damaged)
        }
        self.turnByteCount += job.payload.count
        let report = FailPayload.poisonJob(jobID, crashes: CrashLog.limit, within: CrashLog.memory)
        guard self.run(.fail, for: ended, because: report) else {
            return self.move(jobID, from: .reserved, to: .ended(.discarded), because: .poisonous)
        }
        self.bury(job, from: .reserved, reporting: report, because: .poisonous)
    }

    /// Puts a job among the dead.
    func bury(_ job: Job, from origin: Place, reporting report: FailPayload, because cause: MoveCause) {
        let outcome = RetryPolicy.outcome(of: job, failing: report, at: self.now.wall, using: &self.generator)
        var failed = job
        failed.record(outcome.failure)
        let end = self.now.wall + RetryPolicy.deadTTL
        self.move(job.id, from: origin, to: .dead(failed, until: end), because: cause)
    }

    /// Ends the reservation of a job that is reported; one that lies in its queue again although its worker has it counts,
    /// too.
    private func endExecution(of jobID: JobID) -> (reservation: Reservation, origin: Place)? {
        if let held = self.endReservation(of: jobID) { return (held, .reserved) }
        return self.endReturn(of: jobID).map { ($0, .enqueued) }
    }

    /// Takes a job out of its queue whose worker had it after all, as if it had been reserved all the time.
    ///
    /// A front that dies takes with it what it knew of the bytes that it wrote. The jobs that were on their way are
    /// given back at once; the worker that got one and reports it through another front is believed.
    private func endReturn(of jobID: JobID) -> Reservation? {
        guard !self.returned.isEmpty, let past = self.returned[jobID] else { return nil }
        self.forgetReturn(of: jobID)
        guard let queue = self.queues[past.queue], !past.isRestored || self.isEnqueued(jobID, under: past.token)
        else { return nil }
        self.touch(queue)
        // An entry that is not mirrored counts no longer once the job's record is gone or has another token.
        let job = queue.withdraw(past.token, in: &self.transaction.queues[past.queue, default: QueueChanges()])
        let reservation = Reservation(
            unread: jobID,
            StoredReservation(
                worker: past.worker.text,
                reservedAt: past.reservedAt,
                expiresAt: self.now.wall,
                lane: nil,
                offer: 0,
                request: 0,
                origin: StoredReservation.Origin(queue: past.queue, token: past.token),
                lock: past.lock
            ),
            endsAt: self.now.uptime
        )
        if let job { reservation.read(job, token: past.token) }
        return reservation
    }

    /// Whether the store has the job as the entry of this token.
    ///
    /// When it cannot be asked, the turn comes to nothing: its commit throws what the store said.
    private func isEnqueued(_ jobID: JobID, under token: UInt64) -> Bool {
        do throws(StorageError) {
            let record = try self.store.records(of: [jobID], byteBudget: 0).records.first
            if case .job(let stored) = record { return stored.token == token }
        } catch {
            self.readFailure = self.readFailure ?? error
        }
        return false
    }

    /// Runs the links for a job that is done or has failed; false when they discarded it.
    ///
    /// What has happened has happened: an error of a link is logged, and changes nothing.
    @discardableResult
    private func run(_ kind: MiddlewareKind, for reservation: Reservation, because report: FailPayload?) -> Bool {
        guard let chain = self.chains[kind], !chain.isEmpty, let job = self.job(of: reservation) else { return true }
        let context = JobContext(
            kind: kind,
            job: job,
            reservation: reservation,
            failure: report,
            manager: self
        )
        do {
            try chain.run(context) {}
        } catch let error as KnownError where error.isDiscard {
            return false
        } catch {
            self.logger.warning(
                "middleware failed behind a job that has ended",
                metadata: ["jid": "\(reservation.jobID)", "kind": "\(kind)", "error": "\(error.replyText)"]
            )
        }
        return true
    }
}
