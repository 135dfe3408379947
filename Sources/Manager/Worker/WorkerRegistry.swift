import ClusterLink
import JobCore

/// The worker processes that are connected to some front, by the name that they gave themselves.
///
/// A worker's connections may be spread over several fronts, and it may close and open them at will. Its record lives
/// from its first connection to its last.
///
/// What a worker has is taken from it before its time only when there is evidence that it is gone: it *counts as beating*,
/// none of its connections is left, and neither a BEAT nor a new connection came for `releaseAfter`. A client that works
/// without a connection, as those do that connect anew for each command, never counts as beating: see
/// ``Record/keepsConnection(busy:at:)``.
struct WorkerRegistry {
    struct Record {
        var introduction: WorkerIntroduction
        /// When its first connection said HELLO.
        let startedAt: WallTime
        /// How many jobs it had then.
        let busyAtStart: Int
        var lastBeat: Uptime
        var beatCount = 0
        /// How many jobs it was given while it was not known whether it keeps a connection.
        var takenCount = 0
        var residentKilobytes: UInt64
        /// Connections by front, each by the announcement that began it, and when that came.
        var connections: [SessionID: [Announcement: Uptime]] = [:]
        /// How many connections there have been since the first.
        var joinCount = 0

        var connectionCount: Int { self.connections.values.reduce(0) { $0 + $1.count } }

        /// Whether it beats, and is sure to keep a connection while it works.
        ///
        /// A client that connects anew for each command cannot have sent more BEATs and FETCHes than it has had connections,
        /// and none of those lasts for longer than its command. Several such clients may share one name.
        ///
        /// - Parameter busy: how many jobs it has.
        func keepsConnection(busy: Int, at now: Uptime) -> Bool {
            guard self.beatCount > 0 else { return false }
            if self.beatCount + max(self.takenCount, busy - self.busyAtStart) > self.joinCount { return true }
            return self.connections.values.contains { $0.values.contains { $0 + WorkerRegistry.lasting <= now } }
        }
    }

    /// What the end of a connection has led to.
    struct Leaving {
        /// Whether it was the last one of the worker.
        var isLast = false
        /// Whether the worker counts as beating from now on.
        var beginsToCount = false
    }

    /// Why a worker has no connection.
    enum Departure {
        /// The last one was closed or broke, or its front is gone, or the leader that knew of it.
        case unknown
        /// It was told to be quiet or to terminate, and closed its connections.
        case inOrder
    }

    /// A worker that is not there, and may come back.
    struct Absence {
        let reason: Departure
        /// From then on it is not expected any more.
        var end: Uptime
    }

    /// What a beat has led to.
    struct Beat {
        /// The state that the worker is to be in from now on.
        let state: WorkerState
        let didChange: Bool
        /// Whether the worker counts as beating from this beat on.
        let beginsToCount: Bool
    }

    /// The command by which a front announced a connection.
    ///
    /// It comes again under the same number after a fail-over, and the connection leaves under that number.
    struct Announcement: Hashable {
        let lane: UInt16
        let request: UInt64
    }

    /// How long the jobs of a worker that left in good order are kept for it.
    static let releaseInOrder = Duration.seconds(1)
    /// No command takes so long, not even one that is held while there is no leader.
    static let lasting = Duration.seconds(15)

    /// How long a worker without jobs may be silent before its connections are closed.
    let silence: Duration
    /// How long the jobs of a worker without connections are kept for it.
    let releaseAfter: Duration
    private(set) var records: [WorkerID: Record] = [:]
    private(set) var states: [WorkerID: WorkerState]
    /// Workers that are known to keep a connection and to beat for as long as they live.
    private(set) var beating: Set<WorkerID>
    /// Workers that beat, but may be clients that connect anew for each command; few, and only for a while.
    private var unproven: Set<WorkerID> = []
    /// Workers without a connection of which something is kept.
    private(set) var missing: [WorkerID: Absence] = [:]
    /// No absence ends before then; nil when none does.
    private(set) var nextEnd: Uptime?

    init(silence: Duration, releaseAfter: Duration, states: [WorkerID: WorkerState], beating: Set<WorkerID>) {
        self.silence = silence
        self.releaseAfter = releaseAfter
        self.states = states
        self.beating = beating
    }

    /// Whether this worker may have jobs.
    func isRunning(_ worker: WorkerID) -> Bool {
        self.states[worker] == nil
    }

    func state(of worker: WorkerID) -> WorkerState {
        self.states[worker] ?? .running
    }

    /// A connection said HELLO for this worker; one that is announced again is the same one.
    ///
    /// - Parameter busy: how many jobs it has.
    mutating func join(
        _ introduction: WorkerIntroduction,
        by announcement: Announcement,
        through session: SessionID,
        busy: Int,
        at now: Uptime,
        _ wall: WallTime
    ) {
        let worker = WorkerID(introduction.worker)
        self.missing[worker] = nil
        if self.records[worker] == nil {
            self.records[worker] = Record(
                introduction: introduction,
                startedAt: wall,
                busyAtStart: busy,
                lastBeat: now,
                residentKilobytes: introduction.residentKilobytes
            )
        }
        self.records[worker]?.lastBeat = now
        guard self.records[worker]?.connections[session]?[announcement] == nil else { return }
        self.records[worker]?.connections[session, default: [:]][announcement] = now
        self.records[worker]?.joinCount += 1
    }

    /// A connection of this worker closed; with its last one go the record and the state.
    ///
    /// Only the connection that is named leaves. After a fail-over the end of one that this leader never heard of may come
    /// before the announcements of those that live.
    ///
    /// - Parameters:
    ///   - isNumberedAnew: whether the command has a number that its lane had not had so far. A front of an earlier release
    ///     gives each leaving one of its own; it is about any connection that was announced on the same lane.
    ///   - busy: how many jobs the worker has.
    mutating func leave(
        _ worker: WorkerID,
        by announcement: Announcement,
        isNumberedAnew: Bool,
        through session: SessionID,
        busy: Int,
        at now: Uptime
    ) -> Leaving {
        guard let record = self.records[worker], var connections = record.connections[session] else { return Leaving() }
        if connections.removeValue(forKey: announcement) == nil {
            let other = connections.keys.first { $0.lane == announcement.lane }
            guard isNumberedAnew, let other else { return Leaving() }
            connections[other] = nil
        }
        self.records[worker]?.connections[session] = connections.isEmpty ? nil : connections
        guard self.removeIfUnconnected(worker) else { return Leaving() }
        self.states[worker] = nil
        let isNews = record.keepsConnection(busy: busy, at: now) && self.beating.insert(worker).inserted
        return Leaving(isLast: true, beginsToCount: isNews)
    }

    /// A front has ended; the workers that are gone with it.
    ///
    /// They keep their states for the time in which they may come back.
    mutating func end(_ session: SessionID) -> [WorkerID] {
        let connected = self.records.filter { $0.value.connections[session] != nil }.map(\.key)
        return connected.filter { worker in
            self.records[worker]?.connections[session] = nil
            return self.removeIfUnconnected(worker)
        }
    }

    /// A worker beats; nil when nobody knows it.
    ///
    /// - Parameter busy: how many jobs it has.
    mutating func beat(
        _ worker: WorkerID,
        signal: String,
        residentKilobytes: UInt64,
        busy: Int,
        at now: Uptime
    ) -> Beat? {
        guard self.records[worker] != nil else { return nil }
        self.records[worker]?.lastBeat = now
        self.records[worker]?.beatCount += 1
        self.records[worker]?.residentKilobytes = residentKilobytes
        let didChange = WorkerState(signal: signal).map { self.move(worker, to: $0) } ?? false
        let isNews = !self.beating.contains(worker) && self.prove(worker, busy: busy, at: now)
        return Beat(state: self.state(of: worker), didChange: didChange, beginsToCount: isNews)
    }

    /// A worker is given a job; whether it counts as beating from now on.
    ///
    /// - Parameter busy: how many jobs it has with this one.
    mutating func take(_ worker: WorkerID, busy: Int, at now: Uptime) -> Bool {
        // Empty nearly always.
        guard !self.unproven.isEmpty, self.unproven.contains(worker) else { return false }
        self.records[worker]?.takenCount += 1
        return self.prove(worker, busy: busy, at: now)
    }

    /// Whether it is now known of a worker that it keeps a connection for as long as it works.
    private mutating func prove(_ worker: WorkerID, busy: Int, at now: Uptime) -> Bool {
        guard self.records[worker]?.keepsConnection(busy: busy, at: now) == true else {
            self.unproven.insert(worker)
            return false
        }
        self.unproven.remove(worker)
        self.beating.insert(worker)
        return true
    }

    /// Workers without jobs that have not beaten for too long, with the fronts that hold connections of theirs; their records
    /// are gone.
    ///
    /// One that has a job may be too busy to beat, and needs its connection to report the job's end. Whether its host is
    /// there is found out below.
    mutating func dropSilent(
        at now: Uptime,
        isBusy: (WorkerID) -> Bool
    ) -> [(worker: WorkerID, sessions: [SessionID])] {
        let silent = self.records.filter { $0.value.lastBeat + self.silence < now && !isBusy($0.key) }
        for worker in silent.keys { self.remove(worker) }
        return silent.map { (worker: $0.key, sessions: Array($0.value.connections.keys)) }
    }

    /// The worker does not count as beating any more; whether it did.
    mutating func stopCounting(_ worker: WorkerID) -> Bool {
        self.beating.remove(worker) != nil
    }

    /// This worker has no connection: from now on its time runs, if there is anything to be done when it is over.
    mutating func expectBack(_ worker: WorkerID, since reason: Departure, at now: Uptime) {
        guard self.records[worker] == nil, self.missing[worker] == nil, !worker.text.isEmpty,
            self.beating.contains(worker) || self.states[worker] != nil
        else { return }
        let end = now + (reason == .inOrder ? min(Self.releaseInOrder, self.releaseAfter) : self.releaseAfter)
        self.missing[worker] = Absence(reason: reason, end: end)
        self.nextEnd = min(self.nextEnd ?? end, end)
    }

    /// Workers whose time to come back is over.
    mutating func lost(at now: Uptime) -> [WorkerID: Absence] {
        guard let nextEnd, nextEnd <= now else { return [:] }
        let lost = self.missing.filter { $0.value.end <= now }
        if lost.isEmpty { self.nextEnd = self.missing.values.lazy.map(\.end).min() }
        return lost
    }

    /// Nobody could have come back: the time of all who are missing begins anew.
    mutating func expectAnew(at now: Uptime) {
        let end = now + self.releaseAfter
        for worker in self.missing.keys { self.missing[worker]?.end = end }
        self.nextEnd = self.missing.isEmpty ? nil : end
    }

    /// Nothing is left of a lost worker; it is expected no longer, and its state is gone.
    mutating func giveUp(_ worker: WorkerID) {
        self.missing[worker] = nil
        self.states[worker] = nil
        self.beating.remove(worker)
    }

    private mutating func move(_ worker: WorkerID, to state: WorkerState) -> Bool {
        guard state > self.state(of: worker) else { return false }
        self.states[worker] = state
        return true
    }

    private mutating func removeIfUnconnected(_ worker: WorkerID) -> Bool {
        guard let record = self.records[worker], record.connections.isEmpty else { return false }
        self.remove(worker)
        return true
    }

    private mutating func remove(_ worker: WorkerID) {
        self.records[worker] = nil
        self.unproven.remove(worker)
    }
}
