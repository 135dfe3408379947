import JobCore
import JobStorage

extension JobManager {
    /// Moves a job from one place to another: the one function that does.
    ///
    /// What stands behind a job's place changes here alone: its record, its set or queue, the counters, the ledger of outcomes,
    /// and what is remembered of it. Two places are left before the move, by those who look for the job there: a queue by
    /// `JobQueue.take`, and a reservation by `endReservation`, since a chain runs between its end and the move.
    func move(_ jobID: JobID, from origin: Place, to destination: Destination, because cause: MoveCause) {
        if let set = origin.set { self.leave(set, jobID) }
        switch destination {
        case .scheduled(let job, let due): self.arrive(jobID, job, in: .scheduled, at: due)
        case .tail(let job, let queue): self.arrive(job, atTailOf: queue)
        case .head(let entry, let job, let queue): self.arrive(entry, job, atHeadOf: queue)
        case .reserved(let reservation): self.arrive(reservation)
        case .retrying(let job, let due): self.arrive(jobID, job, in: .retries, at: due)
        case .dead(let job, let end):
            self.arrive(jobID, job, in: .dead, at: end)
            self.forgetCrashes(of: jobID)
        case .ended(let outcome): self.end(jobID, outcome)
        }
        if cause.endsExecution { self.count(failed: cause.isFailure) }
        if self.observer != nil { self.tell(jobID, from: origin, to: destination.place, because: cause) }
    }

    private func tell(_ jobID: JobID, from origin: Place, to place: Place, because cause: MoveCause) {
        self.observer?(Transition(jobID: jobID, from: origin, to: place, cause: cause))
    }

    // MARK: Places

    private func leave(_ set: JobSet, _ jobID: JobID) {
        self.transaction.remove(jobID, from: set)
        self.setCounts[set, default: 0] -= 1
    }

    private func arrive(_ jobID: JobID, _ job: Job?, in set: JobSet, at score: WallTime) {
        if let job { self.transaction.store(jobID, StoredJob(token: 0, payload: job.payload)) }
        self.transaction.add(jobID, to: set, at: score)
        if !self.latecomers.isEmpty { self.noteLatecomer(jobID, to: set) }
        self.noteArrival(of: jobID)
        self.setCounts[set, default: 0] += 1
    }

    private func arrive(_ job: Job, atTailOf queue: JobQueue) {
        var job = job
        job.markEnqueued(at: self.now.wall)
        self.lastToken += 1
        self.transaction.store(job.id, StoredJob(token: self.lastToken, payload: job.payload))
        self.noteArrival(of: job.id)
        self.touch(queue)
        self.list(queue)
        let entry = QueueEntry(token: self.lastToken, jobID: job.id)
        queue.append(entry, job, in: &self.transaction.queues[queue.name, default: QueueChanges()])
    }

    private func arrive(_ entry: QueueEntry, _ job: Job?, atHeadOf queue: JobQueue) {
        self.touch(queue)
        self.list(queue)
        self.noteArrival(of: entry.jobID)
        queue.giveBack(entry, job, in: &self.transaction.queues[queue.name, default: QueueChanges()])
    }

    private func list(_ queue: JobQueue) {
        guard !queue.isKnown else { return }
        queue.isKnown = true
        self.transaction.knownQueues[queue.name] = true
    }

    private func arrive(_ reservation: Reservation) {
        let jobID = reservation.jobID
        self.forgetReturn(of: jobID)
        self.reservations[jobID] = reservation
        let busy = self.busyCounts[reservation.worker, default: 0] + 1
        self.busyCounts[reservation.worker] = busy
        if self.workers.take(reservation.worker, busy: busy, at: self.now.uptime) {
            self.transaction.beatingWorkers[reservation.worker] = true
        }
        self.transaction.hold(jobID, reservation.stored)
        self.noteArrival(of: jobID)
    }

    private func end(_ jobID: JobID, _ outcome: Outcome) {
        self.transaction.remove(jobID)
        self.liveJobs.remove(jobID)
        self.forgetReturn(of: jobID)
        self.forgetCrashes(of: jobID)
        if outcome.isRemembered { self.outcomes.note(jobID, at: self.now.wall) }
    }

    private func count(failed: Bool) {
        self.transaction.processed += 1
        self.counters.processed += 1
        guard failed else { return }
        self.transaction.failures += 1
        self.counters.failures += 1
    }

    /// Notes that the queue takes part in this turn.
    func touch(_ queue: JobQueue) {
        self.touchedQueues.append(queue)
    }

    /// Takes a reservation out of the working set, and lets its lease go; its job is in no place until it is moved.
    func endReservation(of jobID: JobID) -> Reservation? {
        guard let reservation = self.reservations.removeValue(forKey: jobID) else { return nil }
        self.transaction.release(jobID)
        if !reservation.isRead { self.unreadReservationCount -= 1 }
        if let count = self.busyCounts[reservation.worker] {
            self.busyCounts[reservation.worker] = count > 1 ? count - 1 : nil
        }
        if let lease = reservation.lease {
            reservation.lease = nil
            lease.release()
            // A large job may be in the store alone by now.
            if let queue = reservation.origin?.queue { self.releasedQueues.insert(queue) }
        }
        return reservation
    }
}
