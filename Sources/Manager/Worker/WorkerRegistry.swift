import ClusterLink
import JobCore

/// The worker processes that are connected to some front, by the name that they gave themselves.
///
/// A worker's connections may be spread over several fronts, and it may close and open them at will. Its record lives
/// from its first connection to its last; when that closes while the worker has jobs, the worker has `releaseAfter` to come
/// back before its jobs count as failed.
struct WorkerRegistry {
    struct Record {
        var introduction: WorkerIntroduction
        /// When its first connection said HELLO.
        let startedAt: WallTime
        var lastBeat: Uptime
        var residentKilobytes: UInt64
        /// Connections by front, each by the announcement that began it.
        var connections: [SessionID: Set<Announcement>]

        var connectionCount: Int { self.connections.values.reduce(0) { $0 + $1.count } }
    }

    /// The command by which a front announced a connection.
    ///
    /// It comes again under the same number after a fail-over, and the connection leaves under that number.
    struct Announcement: Hashable {
        let lane: UInt16
        let request: UInt64
    }

    /// How long a worker may be silent before its connections are closed.
    let silence: Duration
    /// How long the jobs of a worker without connections are kept for it.
    let releaseAfter: Duration
    private(set) var records: [WorkerID: Record] = [:]
    private(set) var states: [WorkerID: WorkerState]
    /// Workers that have jobs and no connection, and until when they may come back.
    private(set) var missing: [WorkerID: Uptime] = [:]

    init(silence: Duration, releaseAfter: Duration, states: [WorkerID: WorkerState]) {
        self.silence = silence
        self.releaseAfter = releaseAfter
        self.states = states
    }

    /// Whether this worker may have jobs.
    func isRunning(_ worker: WorkerID) -> Bool {
        self.states[worker] == nil
    }

    func state(of worker: WorkerID) -> WorkerState {
        self.states[worker] ?? .running
    }

    /// A connection said HELLO for this worker; one that is announced again is the same one.
    mutating func join(
        _ introduction: WorkerIntroduction,
        by announcement: Announcement,
        through session: SessionID,
        at now: Uptime,
        _ wall: WallTime
    ) {
        let worker = WorkerID(introduction.worker)
        self.missing[worker] = nil
        if self.records[worker] == nil {
            self.records[worker] = Record(
                introduction: introduction,
                startedAt: wall,
                lastBeat: now,
                residentKilobytes: introduction.residentKilobytes,
                connections: [:]
            )
        }
        self.records[worker]?.lastBeat = now
        self.records[worker]?.connections[session, default: []].insert(announcement)
    }

    /// A connection of this worker closed; true when it was the last: the record and the state are gone.
    ///
    /// Only the connection that is named leaves. After a fail-over the end of one that this leader never heard of may come
    /// before the announcements of those that live.
    ///
    /// - Parameter isNumberedAnew: whether the command has a number that its lane had not had so far. A front of an earlier
    ///   release gives each leaving one of its own; it is about any connection that was announced on the same lane.
    mutating func leave(
        _ worker: WorkerID,
        by announcement: Announcement,
        isNumberedAnew: Bool,
        through session: SessionID
    ) -> Bool {
        guard var connections = self.records[worker]?.connections[session] else { return false }
        if connections.remove(announcement) == nil {
            let other = connections.first { $0.lane == announcement.lane }
            guard isNumberedAnew, let other else { return false }
            connections.remove(other)
        }
        self.records[worker]?.connections[session] = connections.isEmpty ? nil : connections
        guard self.removeIfUnconnected(worker) else { return false }
        self.states[worker] = nil
        return true
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
    /// - Returns: the state that the worker is to be in from now on, and whether this beat changed it.
    mutating func beat(
        _ worker: WorkerID,
        signal: String,
        residentKilobytes: UInt64,
        at now: Uptime
    ) -> (state: WorkerState, didChange: Bool)? {
        guard self.records[worker] != nil else { return nil }
        self.records[worker]?.lastBeat = now
        self.records[worker]?.residentKilobytes = residentKilobytes
        let didChange = WorkerState(signal: signal).map { self.move(worker, to: $0) } ?? false
        return (self.state(of: worker), didChange)
    }

    /// Workers that have not beaten for too long, with the fronts that hold connections of theirs; their records are gone.
    mutating func dropSilent(at now: Uptime) -> [(worker: WorkerID, sessions: [SessionID])] {
        let silent = self.records.filter { $0.value.lastBeat + self.silence < now }
        for worker in silent.keys { self.remove(worker) }
        return silent.map { (worker: $0.key, sessions: Array($0.value.connections.keys)) }
    }

    /// This worker has jobs and no connection: from now on its time runs.
    mutating func expectBack(_ worker: WorkerID, at now: Uptime) {
        guard self.records[worker] == nil, self.missing[worker] == nil, !worker.text.isEmpty else { return }
        self.missing[worker] = now + self.releaseAfter
    }

    /// Workers whose time to come back is over.
    func lost(at now: Uptime) -> Set<WorkerID> {
        Set(self.missing.lazy.filter { $0.value <= now }.map(\.key))
    }

    /// Nothing is left of a lost worker; it is expected no longer, and its state is gone.
    mutating func giveUp(_ worker: WorkerID) {
        self.missing[worker] = nil
        self.states[worker] = nil
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
    }
}
