import JobCore
import JobStorage
import Logging

extension JobManager {
    /// Takes back what workers had whose time to come back is over, if any is; otherwise it costs a comparison.
    package func releaseVanished() {
        guard let end = self.workers.nextEnd, end <= self.now.uptime else { return }
        _ = self.releaseLost()
    }

    /// Takes back the jobs of workers that are known to be gone; how many that were, at the most one slice's worth.
    func releaseLost() -> Int {
        let lost = self.workers.lost(at: self.now.uptime)
        guard !lost.isEmpty else { return 0 }
        // Without a front no worker can come back, however much it is alive.
        guard self.sessions.values.contains(where: { $0.peer != nil }) else {
            self.workers.expectAnew(at: self.now.uptime)
            return 0
        }
        let gone = lost.filter { self.busyCounts[$0.key] != nil && self.workers.beating.contains($0.key) }
        let held = self.reservations.values.lazy.filter { gone[$0.worker] != nil }
        let slice = gone.isEmpty ? [] : Array(held.prefix(Self.sliceBound))
        // The last one to go back is the first to be handed out again.
        var count = 0
        for reservation in slice.sorted(by: { $0.token > $1.token }) {
            guard !self.isTurnFull else {
                self.isSliceCut = true
                break
            }
            self.release(reservation, isCrash: gone[reservation.worker]?.reason != .inOrder)
            count += 1
        }
        for worker in lost.keys where gone[worker] == nil || self.busyCounts[worker] == nil {
            // One that has more jobs stays lost until the next slice, unless it comes back before.
            self.forgetWorker(worker)
        }
        return count
    }

    private func forgetWorker(_ worker: WorkerID) {
        if self.workers.states[worker] != nil { self.transaction.workerStates.updateValue(nil, forKey: worker) }
        if self.workers.beating.contains(worker) { self.transaction.beatingWorkers[worker] = false }
        self.workers.giveUp(worker)
    }

    /// Takes a job back from a worker that is gone.
    private func release(_ reservation: Reservation, isCrash: Bool) {
        guard self.settings.vanished == .release else { return self.expire(reservation) }
        if isCrash, self.noteCrash(of: reservation.jobID) { return self.buryPoison(reservation) }
        self.logger.info(
            "a job is taken back from a worker that is gone",
            metadata: ["jid": "\(reservation.jobID)", "wid": "\(reservation.worker)"]
        )
        // Should it be alive after all, its report is believed as long as nobody else has the job.
        self.noteReturn(of: reservation)
        self.takeBack(reservation)
    }

    /// Counts that a worker vanished with the job; whether that has happened too often.
    private func noteCrash(of jobID: JobID) -> Bool {
        guard let times = self.crashes.note(jobID, at: self.now.wall) else { return false }
        self.transaction.crashes[jobID] = .some(times)
        return times.count >= CrashLog.limit
    }

    /// The job has ended or is dead: how often workers vanished with it counts no longer.
    func forgetCrashes(of jobID: JobID) {
        guard !self.crashes.isEmpty, self.crashes.forget(jobID) else { return }
        self.transaction.crashes.updateValue(nil, forKey: jobID)
    }
}
