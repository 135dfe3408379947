import ClusterLink
import JobCore
import Logging
import JobStorage

extension JobManager {
    /// How long a reservation that an earlier leader gave lasts at least: that leader's clock may have been another one.
    private static let restoredReservation = Duration.seconds(60)

    /// Takes up what an earlier leader left.
    func restore(_ state: StoredState) {
        self.restoreQueues(state)
        self.restoreSessions(state)
        self.liveJobs.reserveCapacity(state.jobCount)
        self.restoreReservations(state)
        for (jobID, stored) in state.returned { self.returned[jobID] = ReturnedJob(restoring: stored) }
        let walk = LiveJobWalk(
            queues: state.queues.filter { $0.entryCount > 0 }.map(\.name),
            sets: JobSet.allCases.filter { state.setCounts[$0, default: 0] > 0 }
        )
        self.walk = walk.isDone ? nil : walk
        if walk.isDone { self.liveJobs.complete() }
    }

    private func restoreQueues(_ state: StoredState) {
        for stored in state.queues {
            let queue = JobQueue(name: stored.name, entryCount: stored.entryCount, memory: self.mirrorMemory)
            queue.isKnown = true
            self.queues[stored.name] = queue
        }
        for name in state.pausedQueues { self.queue(name).isPaused = true }
    }

    private func restoreSessions(_ state: StoredState) {
        for (id, text) in state.sessions {
            let label = SessionLabel(parsing: text)
            self.sessions[id] = FrontSession(id: id, name: label.name, key: label.key, heardAt: self.now.uptime)
        }
        for (key, record) in state.lanes {
            self.sessions[key.session]?.lanes[key.lane] = Lane(key: key, record: record)
        }
        self.restoreLongCommands(state.progress)
    }

    private func restoreReservations(_ state: StoredState) {
        self.reservations.reserveCapacity(state.reservations.count)
        for (jobID, stored) in state.reservations { self.restore(stored, of: jobID) }
        self.unreadReservationCount = state.reservations.count
        for session in self.sessions.values {
            for lane in session.lanes.values { lane.sortRestored() }
        }
        // Whoever counts as beating or has a state may come back through any front; if not, both are let go in time.
        for worker in self.workers.beating.union(self.workers.states.keys) {
            self.workers.expectBack(worker, since: .unknown, at: self.now.uptime)
        }
    }

    private func restore(_ stored: StoredReservation, of jobID: JobID) {
        let reservation = Reservation(unread: jobID, stored, endsAt: self.now.uptime + self.rest(of: stored))
        self.reservations[jobID] = reservation
        self.liveJobs.insert(jobID)
        self.busyCounts[reservation.worker, default: 0] += 1
        if self.now.wall + self.now.uptime.duration(to: reservation.endsAt) < reservation.expiresAt {
            self.reservationClock.note(jobID)
        }
        guard let offer = reservation.offer, let session = self.sessions[offer.lane.session] else { return }
        let lane = session.lane(offer.lane.lane)
        if offer.number > lane.record.settled {
            // How large the job is that is on its way is not known before it is read.
            lane.restore(
                Lane.Offer(number: offer.number, request: offer.request, jobID: jobID, byteCount: 0)
            )
        }
    }

    /// How long a reservation that an earlier leader gave has still to last.
    ///
    /// That leader's clock may have been another one: if it was behind, no more is over than a minute less than all; if it was
    /// ahead, no more is left than there was to begin with.
    private func rest(of stored: StoredReservation) -> Duration {
        let left = self.now.wall.duration(to: stored.expiresAt)
        let length = stored.reservedAt.duration(to: stored.expiresAt)
        return max(length > .zero ? min(left, length) : left, Self.restoredReservation)
    }

    /// The job in a record that was read; nil when there is none that could be served.
    ///
    /// A record that fails its checksum, or is no job, is put aside where an operator finds it.
    func readJob(_ jobID: JobID, _ record: JobRecord) -> (job: Job, token: UInt64)? {
        switch record {
        case .missing:
            return nil
        case .job(let stored):
            do {
                return (job: try Job(parsing: stored.payload), token: stored.token)
            } catch {
                self.quarantine(jobID, stored.payload, reason: error.message)
                return nil
            }
        case .corrupt(let bytes):
            self.quarantine(jobID, bytes, reason: "the checksum does not match")
            return nil
        }
    }

    private func quarantine(_ jobID: JobID, _ bytes: [UInt8], reason: String) {
        self.logger.error(
            "a stored job is damaged and was put aside",
            metadata: ["jid": "\(jobID)", "reason": "\(reason)"]
        )
        self.transaction.quarantined[jobID] = bytes
        self.transaction.remove(jobID)
        self.liveJobs.remove(jobID)
    }

    /// The queue of this name, made when nothing is known of it.
    func queue(_ name: QueueName) -> JobQueue {
        if let queue = self.queues[name] { return queue }
        let queue = JobQueue(name: name, memory: self.mirrorMemory)
        self.queues[name] = queue
        return queue
    }

    /// Lets go of a queue of which there is nothing to know.
    func forgetIfUnused(_ queue: JobQueue) {
        if queue.isForgettable { self.queues[queue.name] = nil }
    }
}
