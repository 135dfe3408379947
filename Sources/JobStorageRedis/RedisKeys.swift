import JobCore
import JobStorage

/// The name of every key that this program has in Redis.
///
/// All begin with a prefix, so that a Redis can be shared. A name that comes from outside (a queue, a key of
/// middleware) stands behind a word and a colon of its own, so that none can address another kind of key.
/// To change a name is to change the data's version.
struct RedisKeys: Sendable {
    /// The form of the data that this program writes; kept in the field ``versionField`` of ``cluster``.
    static let dataVersion = 1
    /// How long the counters of a day are kept.
    static let dailyCounterDays = 400

    static let versionField = "version"
    static let epochField = "epoch"
    static let sequenceField = "sequence"
    static let tokenField = "token"

    /// The prefix of all others.
    let prefix: String

    /// Hash: a live job's jid → its record.
    let jobs: String
    /// Set: the known queues.
    let queues: String
    /// Set: the paused queues, known or not.
    let paused: String
    /// Sorted set: the jid of a reservation by its expiry.
    let working: String
    /// Hash: a reserved job's jid → its reservation.
    let reservations: String
    /// Integer: executions that ended, well or not.
    let processed: String
    /// Integer: executions that failed.
    let failures: String
    /// Hash: the version, the position and the last token of the data.
    let cluster: String
    /// Hash: a session's identity → its name.
    let sessions: String
    /// Hash: a worker's name → what it was told to do.
    let workerStates: String
    /// Set: the workers that are known to beat for as long as they live.
    let beatingWorkers: String
    /// Hash: a job's jid → when its workers vanished, in microseconds with a blank between them.
    let crashes: String
    /// Hash: jid of a job that was taken back although its worker may have it → its reservation.
    let returned: String
    /// Hash: jid → the record that failed its checksum.
    let quarantine: String
    private let scheduled: String
    private let retries: String
    private let dead: String

    init(prefix: String) {
        self.prefix = prefix
        self.jobs = prefix + "jobs"
        self.queues = prefix + "queues"
        self.paused = prefix + "paused"
        self.working = prefix + "working"
        self.reservations = prefix + "reservation"
        self.processed = prefix + "processed"
        self.failures = prefix + "failures"
        self.cluster = prefix + "cluster"
        self.sessions = prefix + "sessions"
        self.workerStates = prefix + "workers"
        self.beatingWorkers = prefix + "beating"
        self.crashes = prefix + "crashes"
        self.returned = prefix + "returned"
        self.quarantine = prefix + "quarantine"
        self.scheduled = prefix + "scheduled"
        self.retries = prefix + "retries"
        self.dead = prefix + "dead"
    }

    /// Sorted set: the jid of a job by its time.
    func set(_ set: JobSet) -> String {
        switch set {
        case .scheduled: self.scheduled
        case .retries: self.retries
        case .dead: self.dead
        }
    }

    /// List: the entries of a queue, the newest first.
    func queue(_ name: QueueName) -> String {
        self.prefix + "queue:" + name.text
    }

    /// Integer: what ``processed`` counts, of one day.
    func processed(on day: String) -> String {
        self.prefix + "processed:" + day
    }

    /// Integer: what ``failures`` counts, of one day.
    func failures(on day: String) -> String {
        self.prefix + "failures:" + day
    }

    /// Hash: the number of a lane → its record.
    func session(_ session: SessionID) -> String {
        self.prefix + "session:" + session.description
    }

    /// Hash: lane, request and part → how far a command has come that takes many turns.
    func progress(_ session: SessionID) -> String {
        self.prefix + "progress:" + session.description
    }

    /// Hash: a name of a feature's table → its record.
    func table(_ table: Table) -> String {
        self.prefix + "table:" + table.rawValue
    }

    /// Sorted set: a name of a feature's table by the end of its record.
    func ends(of table: Table) -> String {
        self.prefix + "ends:" + table.rawValue
    }

    /// String: a segment of the log of outcomes.
    func outcomes(_ segment: Int) -> String {
        self.prefix + "outcomes:" + String(segment)
    }

    /// String: a value of the middleware's scratch store.
    func keyValue(_ key: String) -> String {
        self.prefix + "kv:" + key
    }

    /// The keys that a flush removes, but for the lists of the queues and the counters of the days.
    var flushed: [String] {
        [
            self.jobs, self.queues, self.paused, self.working, self.reservations, self.processed, self.failures,
            self.workerStates, self.beatingWorkers, self.crashes, self.returned, self.scheduled, self.retries,
            self.dead,
        ] + (0..<OutcomeLog.segmentCount).map { self.outcomes($0) }
            + Table.allCases.filter(\.isFlushed).flatMap { [self.table($0), self.ends(of: $0)] }
    }

    /// The counters of the days that can still be there on a day given as YYYY-MM-DD, and of the next, in case the
    /// clock was ahead.
    func dailyCounters(around day: String) -> [String] {
        guard let midnight = WallTime(rfc3339: day + "T00:00:00Z") else {
            return [self.processed(on: day), self.failures(on: day)]
        }
        return (-1...Self.dailyCounterDays).flatMap { age in
            let text = (midnight + .seconds(-86_400 * age)).dayText
            return [self.processed(on: text), self.failures(on: text)]
        }
    }
}
