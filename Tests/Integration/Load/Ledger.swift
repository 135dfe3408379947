/// What producers and workers saw of every job, to be held against what the server promises.
struct Ledger: Sendable {
    struct Entry: Sendable {
        /// When the first +OK for its PUSH was read.
        var acknowledgedAt: ContinuousClock.Instant?
        /// Whether its PUSH was sent again, so that it may rightly live twice.
        var wasResent = false
        /// Whether a FAIL was answered with +OK.
        ///
        /// The job may have been with two workers by then, and one's FAIL asks for one more execution whatever the
        /// other's ACK says.
        var hasFailed = false
        var executionCount = 0
        /// When the first +OK for its ACK was read.
        var doneAt: ContinuousClock.Instant?
        /// What happened to it, for people to read.
        var history: [String] = []
    }

    private let beganAt = ContinuousClock.now
    private(set) var jobs: [String: Entry] = [:]
    private(set) var acknowledgedCount = 0
    private(set) var doneCount = 0
    private(set) var failureCount = 0
    private(set) var resentCount = 0
    /// Jobs that were given out once more after they had been done.
    private(set) var repeats: [String] = []
    /// What no client may ever see.
    private(set) var violations: [String] = []

    /// Jobs that were taken and have not been done.
    var openCount: Int { self.acknowledgedCount - self.doneCount }

    /// Jobs that were taken and that no worker was ever given.
    var lost: [String] {
        self.jobs.filter { $0.value.acknowledgedAt != nil && $0.value.executionCount == 0 }.map(\.key)
    }

    /// Jobs that were taken and given to workers, but never done.
    var stuck: [String] {
        self.jobs.filter { $0.value.acknowledgedAt != nil && $0.value.executionCount > 0 && $0.value.doneAt == nil }
            .map(\.key)
    }

    /// Everything that is known of these jobs.
    func histories(of jids: [String]) -> String {
        jids.map { jid in "\(jid): \(self.jobs[jid, default: Entry()].history.joined(separator: ", "))" }
            .joined(separator: "\n")
    }

    private mutating func note(_ event: String, of jid: String) {
        let milliseconds = Int((ContinuousClock.now - self.beganAt) / .milliseconds(1))
        self.jobs[jid, default: Entry()].history.append("\(event) at \(milliseconds) ms")
    }

    mutating func resent(_ jid: String) {
        self.note("PUSH sent again", of: jid)
        self.jobs[jid, default: Entry()].wasResent = true
        self.resentCount += 1
    }

    mutating func acknowledged(_ jid: String) {
        self.note("PUSH acknowledged", of: jid)
        self.jobs[jid, default: Entry()].acknowledgedAt = .now
        self.acknowledgedCount += 1
        // It may have been done before its producer heard of it.
        if self.jobs[jid]?.doneAt != nil { self.doneCount += 1 }
    }

    /// A worker was given the job by a FETCH that it sent then.
    mutating func executed(_ jid: String, fetchSentAt sent: ContinuousClock.Instant) {
        self.note("executed", of: jid)
        var entry = self.jobs[jid, default: Entry()]
        entry.executionCount += 1
        if let done = entry.doneAt, done < sent, !entry.wasResent, !entry.hasFailed {
            self.repeats.append(jid)
        }
        self.jobs[jid] = entry
    }

    mutating func done(_ jid: String) {
        self.note("ACK acknowledged", of: jid)
        guard self.jobs[jid, default: Entry()].doneAt == nil else { return }
        self.jobs[jid, default: Entry()].doneAt = .now
        if self.jobs[jid]?.acknowledgedAt != nil { self.doneCount += 1 }
    }

    mutating func failed(_ jid: String) {
        self.note("FAIL acknowledged", of: jid)
        self.jobs[jid, default: Entry()].hasFailed = true
        self.failureCount += 1
    }

    mutating func violated(_ text: String) {
        self.violations.append(text)
    }

    /// Executions beyond the first of each job, apart from those that a failure asked for.
    var duplicateCount: Int {
        max(0, self.jobs.values.reduce(0) { $0 + max(0, $1.executionCount - 1) } - self.failureCount)
    }
}
