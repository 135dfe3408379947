import JobCore
import JobStorage

extension JobManager {
    /// The job of a reservation; nil when the store has nothing that could be worked on.
    ///
    /// What an earlier leader handed out is read when it is needed, and not before. When it cannot be read, the turn
    /// comes to nothing: its commit throws what the store said.
    func job(of reservation: Reservation) -> Job? {
        if let job = reservation.readJob { return job }
        do throws(StorageError) {
            try self.readJobs(of: [reservation], byteBudget: 0)
        } catch {
            self.readFailure = self.readFailure ?? error
        }
        return reservation.readJob
    }

    /// Reads the jobs of the first of these reservations: as many as have room in so many bytes, and one at least.
    ///
    /// One whose job is gone or damaged stays unread.
    ///
    /// - Returns: how many it has looked at.
    @discardableResult
    func readJobs(of reservations: [Reservation], byteBudget: Int) throws(StorageError) -> Int {
        let unread = reservations.filter { !$0.isRead }
        guard !unread.isEmpty else { return reservations.count }
        let (records, byteCount) = try self.store.records(of: unread.map(\.jobID), byteBudget: byteBudget)
        self.turnByteCount += byteCount
        for (reservation, record) in zip(unread, records) {
            guard let (job, token) = self.readJob(reservation.jobID, record),
                reservation.origin == nil || reservation.token == token
            else { continue }
            reservation.read(job, token: token)
            if self.reservations[reservation.jobID] === reservation { self.unreadReservationCount -= 1 }
        }
        guard records.count < unread.count else { return reservations.count }
        return reservations.firstIndex { $0 === unread[records.count] } ?? reservations.count
    }

    /// Lets go of the large jobs that were handed out in a turn that is in the store.
    ///
    /// What all workers hold together has no bound; most of it is acknowledged and never looked at again.
    func letGoOfLargeJobs() {
        for reservation in self.largeReservations where self.reservations[reservation.jobID] === reservation {
            reservation.letGo()
            self.unreadReservationCount += 1
        }
        self.largeReservations.removeAll()
    }

    /// Puts the job of a reservation that has ended back to the head of its queue; no try is counted.
    ///
    /// A job that was not read goes back unread.
    ///
    /// - Returns: its queue; nil when there was no job left.
    @discardableResult
    func giveBack(_ reservation: Reservation) -> JobQueue? {
        self.restoreLock(of: reservation)
        let entry = QueueEntry(token: reservation.token, jobID: reservation.jobID)
        if !reservation.isRead, let origin = reservation.origin {
            return self.putBack(entry, nil, to: origin.queue, because: .returned)
        }
        guard let job = self.job(of: reservation) else {
            self.move(reservation.jobID, from: .reserved, to: .ended(.lost), because: .damaged)
            return nil
        }
        return self.putBack(QueueEntry(token: reservation.token, jobID: job.id), job, to: job.queue, because: .returned)
    }

    /// Puts an entry back to the head of a queue; no try is counted.
    @discardableResult
    func putBack(_ entry: QueueEntry, _ job: Job?, to name: QueueName, because cause: MoveCause) -> JobQueue {
        let queue = self.queue(name)
        self.move(entry.jobID, from: .reserved, to: .head(entry, job, of: queue), because: cause)
        return queue
    }
}
