package import JobCore

/// Everything that a front or a scheduler sends to the leader.
package enum MessageToLeader: Sendable {
    /// A front begins or takes up its session; sent first, and whenever the leader does not know the session.
    case attach(FrontIntroduction)
    /// One lane's commands, in the order in which they are to be carried out.
    case batch(CommandBatch)
    /// The session lives; sent every `FrontIntroduction.heartbeatInterval`.
    case heartbeat(SessionID, FrontStatistics)
    /// The front has stopped in good order: nothing that was offered to it is still on its way to a client.
    case detach(SessionID)
    /// A scheduler's tick.
    case tick(SchedulerTask, number: UInt64)
}

/// A front, as it introduces itself.
package struct FrontIntroduction: Hashable, Sendable {
    /// How often a front says that it lives.
    package static let heartbeatInterval: Duration = .milliseconds(500)

    package var session: SessionID
    /// A new session of the same name ends the older one at once; empty names nothing.
    package var name: String
    /// The program's version, for people to read.
    package var software: String
    /// False when the front has been attached before and expects its session to be known.
    package var isNew: Bool

    package init(session: SessionID, name: String, software: String, isNew: Bool) {
        self.session = session
        self.name = name
        self.software = software
        self.isNew = isNew
    }
}

/// What INFO tells of a front; the leader adds up all of them.
package struct FrontStatistics: Hashable, Sendable {
    /// Clients that have said HELLO.
    package var connectionCount: UInt64
    /// Commands carried out since the front started.
    package var commandCount: UInt64
    /// Memory of the front's process.
    package var residentKilobytes: UInt64
    /// For how long the front has run; nil in version 1 of the envelope.
    package var uptimeSeconds: UInt64?

    package init(
        connectionCount: UInt64 = 0,
        commandCount: UInt64 = 0,
        residentKilobytes: UInt64 = 0,
        uptimeSeconds: UInt64? = nil
    ) {
        self.connectionCount = connectionCount
        self.commandCount = commandCount
        self.residentKilobytes = residentKilobytes
        self.uptimeSeconds = uptimeSeconds
    }
}

/// One lane's commands.
///
/// A lane has one batch under way at a time. It sends the same batch under the same number
/// until that is answered; the leader applies a number once.
package struct CommandBatch: Sendable {
    package var lane: LaneKey
    /// Counts from 1 in each lane.
    package var number: UInt64
    /// Every job offered up to this number has been written to its client or is taken back by this batch.
    package var settled: UInt64
    package var commands: [LinkCommand]
    /// What becomes of offers beyond `settled`; nil in version 1 of the envelope.
    package var deliveries: Deliveries?

    /// What has become of jobs that were offered after one that has not ended yet.
    package struct Deliveries: Hashable, Sendable {
        /// Every job offered up to this number has been with the front for a while, or has ended: it is not on the link
        /// any more.
        package var arrived: UInt64
        /// Some of the jobs beyond `settled` that were written to their clients.
        ///
        /// Each is named once to a leader.
        package var written: [UInt64]

        package init(arrived: UInt64, written: [UInt64]) {
            self.arrived = arrived
            self.written = written
        }
    }

    package init(
        lane: LaneKey,
        number: UInt64,
        settled: UInt64,
        commands: [LinkCommand],
        deliveries: Deliveries? = nil
    ) {
        self.lane = lane
        self.number = number
        self.settled = settled
        self.commands = commands
        self.deliveries = deliveries
    }
}

/// What a scheduler can ask the leader to do.
package enum SchedulerTask: UInt8, Sendable, CaseIterable {
    /// Enqueue the scheduled jobs that are due.
    case enqueueScheduled = 1
    /// Enqueue the retries that are due.
    case retry = 2
    /// Fail the jobs whose reservation has expired.
    case reap = 3
    /// Delete dead jobs that have been kept long enough.
    case purge = 4
    /// Drop the workers and sessions that have gone silent.
    case reapWorkers = 5
}
