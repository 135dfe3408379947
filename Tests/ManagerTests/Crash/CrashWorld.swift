import ClusterLink
import JobCore
import JobStorage
import Logging

@testable import Manager

/// Two fronts, one leader at a time and a store, with messages that get lost or come twice, and either end that dies.
///
/// Everything follows from the seed.
struct CrashWorld {
    struct Faults {
        /// In percent.
        var loss = 10
        var repetition = 10
        /// In percent of the commits.
        var crash = 6
        /// In percent of the steps.
        var frontDeath = 0
    }

    /// How a commit ends.
    enum CommitEnd {
        case written
        /// The leader dies before the transaction is written.
        case lost
        /// The leader dies after the transaction is written, before anything is sent.
        case unanswered
    }

    static let queues = ["alpha", "beta"]

    let data = InMemoryJobData()
    private var store: InMemoryJobStore
    private var manager: JobManager
    private var generator: SeededGenerator
    private var now = Moment(wall: ManagerWorld.start, uptime: Uptime(nanoseconds: 1_000_000_000))
    private var faults: Faults
    private var fronts = [ModelFront(1, name: "front-0"), ModelFront(2, name: "front-1")]
    private var lastFront: UInt64 = 2
    private var lastJob = 0
    private(set) var history = ClientHistory()
    private(set) var commitCount = 0
    private(set) var crashCount = 0
    private(set) var frontDeathCount = 0
    private(set) var lossCount = 0
    private(set) var repetitionCount = 0
    /// The one commit that ends otherwise than `faults` says.
    private var planned: (commit: Int, end: CommitEnd)?

    init(seed: UInt64, faults: Faults = Faults(), planned: (commit: Int, end: CommitEnd)? = nil) throws {
        self.generator = SeededGenerator(seed: seed)
        self.faults = faults
        self.planned = planned
        self.store = InMemoryJobStore(over: self.data)
        self.manager = try Self.lead(over: self.store, at: self.now)
    }

    private var withdrawalsOfTheDead = 0
    var withdrawalCount: Int { self.fronts.reduce(self.withdrawalsOfTheDead) { $0 + $1.withdrawalCount } }

    private static func lead(over store: InMemoryJobStore, at now: Moment) throws -> JobManager {
        let state = try store.load()
        let manager = JobManager(
            state: state,
            epoch: Epoch(state.position.epoch.number + 1),
            store: store,
            settings: ManagerSettings(),
            seed: 17,
            at: now,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        )
        try manager.commit(always: true)
        return manager
    }

    private mutating func happens(_ percentage: Int) -> Bool {
        Int.random(in: 0..<100, using: &self.generator) < percentage
    }

    // MARK: Steps

    /// Clients act, messages go to and fro, the leader takes its turns.
    mutating func step() throws {
        self.wait(.milliseconds(Int.random(in: 0...400, using: &self.generator)))
        for front in self.fronts { self.act(front) }
        if self.happens(self.faults.frontDeath) { self.replaceFront() }
        try self.round()
    }

    /// A front dies; another one begins under its name, and half of the time its worker comes back through that.
    private mutating func replaceFront() {
        let index = Int.random(in: 0..<self.fronts.count, using: &self.generator)
        let held = self.fronts[index].held
        self.history.noteOrphans(held)
        self.frontDeathCount += 1
        self.withdrawalsOfTheDead += self.fronts[index].withdrawalCount
        self.lastFront += 1
        self.fronts[index] = ModelFront(
            self.lastFront,
            name: "front-\(index)",
            held: self.happens(50) ? held : []
        )
    }

    /// No more faults and no new jobs; everything is worked off.
    mutating func drain() throws {
        self.faults = Faults(loss: 0, repetition: 0, crash: 0, frontDeath: 0)
        for round in 0..<400 {
            for front in self.fronts {
                while !front.held.isEmpty { self.report(front, 0, as: .acknowledged) }
                // Now and then only: a FETCH that comes again when it has just been answered takes a job for nothing.
                if round % 7 == 0 { front.askAgain() }
                if front.openFetches.count < 2 { front.fetch(from: Self.queues) }
            }
            try self.round()
            // Long enough for any retry, and too short for a reservation to end or a session to be given up.
            self.wait(.seconds(20))
            if self.data.jobIDs.isEmpty, self.fronts.allSatisfy(\.isQuiet) { return }
        }
    }

    private mutating func wait(_ duration: Duration) {
        self.now = Moment(wall: self.now.wall + duration, uptime: self.now.uptime + duration)
    }

    private mutating func act(_ front: ModelFront) {
        switch Int.random(in: 0..<100, using: &self.generator) {
        case 0..<25:
            self.lastJob += 1
            let isScheduled = self.happens(15)
            let at = (self.now.wall + .milliseconds(700)).rfc3339
            front.push(
                "order-\(1_000_000 + self.lastJob)",
                queue: self.happens(50) ? Self.queues[0] : Self.queues[1],
                isScheduled ? #""at":"\#(at)""# : ""
            )
        case 25..<50:
            if front.openFetches.count < 4 { front.fetch(from: self.happens(50) ? Self.queues : [Self.queues[1]]) }
        case 50..<70:
            guard !front.held.isEmpty else { return }
            let index = Int.random(in: 0..<front.held.count, using: &self.generator)
            self.report(front, index, as: self.happens(25) ? .failed : .acknowledged)
        case 70..<78:
            if let request = front.openFetches.randomElement(using: &self.generator) { front.abandon(request) }
        case 78..<82: front.inquire()
        case 82..<86: front.askAgain()
        default: return
        }
    }

    private mutating func report(_ front: ModelFront, _ index: Int, as ending: ClientHistory.Ending) {
        self.history.noteReported(front.held[index], as: ending)
        front.report(index, as: ending)
    }

    private mutating func round() throws {
        for front in self.fronts {
            var arriving: [MessageToLeader] = []
            for message in front.messages() {
                if self.loses() { continue }
                arriving.append(message)
                if self.repeats() { arriving.append(message) }
            }
            let prepares = self.happens(80)
            try self.turn { manager in
                if prepares { try manager.prepare(for: arriving) }
                for message in arriving { manager.handle(message, from: front.peer) }
                manager.answerOverdueFetches()
            }
        }
        if self.manager.hasColdQueues { try self.turn { try $0.warmQueues() } }
        if self.manager.isLearningJobs, self.happens(50) { try self.manager.learnJobs() }
        if self.happens(20) {
            let peer = LinkPeer(identity: [1])
            try self.turn { manager in
                for task in [SchedulerTask.enqueueScheduled, .retry, .reap, .purge] {
                    manager.handle(.tick(task, number: 1), from: peer)
                }
            }
        }
        for _ in 0..<4 where self.manager.hasTasks {
            let uptime = self.now.uptime
            try self.turn { try $0.runSlice(uptime: { uptime }) }
        }
    }

    private mutating func loses() -> Bool {
        guard self.happens(self.faults.loss) else { return false }
        self.lossCount += 1
        return true
    }

    private mutating func repeats() -> Bool {
        guard self.happens(self.faults.repetition) else { return false }
        self.repetitionCount += 1
        return true
    }

    private mutating func turn(_ body: (JobManager) throws -> Void) throws {
        self.manager.beginTurn(at: self.now)
        try body(self.manager)
        switch self.endOfNextCommit() {
        case .written:
            try self.manager.commit()
            self.deliver()
            try self.check()
        case .lost:
            try self.failOver(with: .losingTheTransaction)
        case .unanswered:
            try self.failOver(with: .losingTheAnswer)
        }
    }

    private mutating func endOfNextCommit() -> CommitEnd {
        self.commitCount += 1
        if let planned, planned.commit == self.commitCount { return planned.end }
        guard self.happens(self.faults.crash) else { return .written }
        return self.happens(50) ? .lost : .unanswered
    }

    private mutating func failOver(with fault: InMemoryJobStore.Fault) throws {
        self.crashCount += 1
        self.store.fault = fault
        do {
            try self.manager.commit()
        } catch StorageError.disconnected {
            // Expected: this is how the leader learns of it.
        }
        self.store = InMemoryJobStore(over: self.data)
        self.manager = try Self.lead(over: self.store, at: self.now)
        try self.check()
    }

    private mutating func deliver() {
        let outbox = self.manager.outbox
        for batch in outbox.batches {
            self.deliver(.replies(batch.lane, batch: batch.batch, batch.replies), to: batch.peer)
        }
        for (lane, late) in outbox.late.sorted(by: { $0.key.session.low < $1.key.session.low }) {
            guard let peer = self.manager.sessions[lane.session]?.peer else { continue }
            self.deliver(.late(lane, late), to: peer)
        }
        for (message, peer) in outbox.messages { self.deliver(message, to: peer) }
        self.manager.outbox.removeAll()
    }

    private mutating func deliver(_ message: MessageFromLeader, to peer: LinkPeer) {
        guard let front = self.fronts.first(where: { $0.peer == peer }) else { return }
        if self.loses() { return }
        front.receive(message, &self.history)
        if self.repeats() { front.receive(message, &self.history) }
    }

    // MARK: Invariants

    /// Looks whether the store is whole and the leader knows what is in it.
    private mutating func check() throws {
        let state = try self.store.load()
        for text in try self.placeViolations(state) + self.mirrorViolations(state) {
            self.history.complain("commit \(self.commitCount): \(text)")
        }
    }

    /// Each live job is in exactly one place.
    private func placeViolations(_ state: StoredState) throws -> [String] {
        var places: [JobID: [String]] = [:]
        for name in Self.queues {
            let queue = try QueueName(parsing: name)
            let entries = try self.store.entries(of: queue, from: 0, count: .max)
            for (entry, record) in zip(entries, try self.store.records(of: entries.map(\.jobID))) {
                guard case .job(let stored) = record, stored.token == entry.token else { continue }
                places[entry.jobID, default: []].append("queue \(name)")
            }
        }
        for (jobID, reservation) in state.reservations {
            places[jobID, default: []].append("reserved for \(reservation.worker)")
        }
        for set in JobSet.allCases {
            for member in try self.store.members(of: set, from: 0, count: .max) {
                places[member.jobID, default: []].append(set.rawValue)
            }
        }
        let wrong = self.data.jobIDs.filter { places[$0]?.count != 1 }.map { "\($0) is in \(places[$0] ?? [])" }
        let ghosts = Set(places.keys).subtracting(self.data.jobIDs).map {
            "\($0) is in \(places[$0] ?? []) without a record"
        }
        return wrong + ghosts
    }

    /// The leader's memory says what the store says.
    private func mirrorViolations(_ state: StoredState) throws -> [String] {
        var violations: [String] = []
        let manager = self.manager
        for stored in state.queues where manager.queues[stored.name]?.entryCount != stored.entryCount {
            let known = manager.queues[stored.name]?.entryCount ?? -1
            violations.append("queue \(stored.name) has \(stored.entryCount) entries, not \(known)")
        }
        if Set(state.reservations.map(\.jobID)) != Set(manager.reservations.keys) {
            violations.append("the reservations differ")
        }
        if manager.busyCounts.values.reduce(0, +) != manager.reservations.count {
            violations.append("the busy counts are \(manager.busyCounts)")
        }
        for set in JobSet.allCases where manager.setCounts[set] ?? 0 != state.setCounts[set] ?? 0 {
            violations.append("\(set) has \(state.setCounts[set] ?? 0) jobs, not \(manager.setCounts[set] ?? 0)")
        }
        if manager.counters != state.counters {
            violations.append("the counters are \(state.counters), not \(manager.counters)")
        }
        return violations
    }

    /// What must hold when everything was worked off.
    func violationsAtTheEnd() throws -> [String] {
        var violations = self.history.violations
        let state = try self.store.load()
        let lost = self.history.accepted.subtracting(self.history.acknowledged)
        if !lost.isEmpty { violations.append("accepted and never done: \(lost.sorted())") }
        if !self.data.jobIDs.isEmpty { violations.append("left: \(self.data.jobIDs)") }
        let counted = JobCounters(
            processed: self.history.acknowledgedCount + self.history.failedCount,
            failures: self.history.failedCount
        )
        // A report that was under way when its front died may have been carried out or not.
        let isExact = self.frontDeathCount == 0
        if isExact ? state.counters != counted : state.counters.processed < UInt64(self.history.finished.count) {
            violations.append("counted \(state.counters), happened \(counted)")
        }
        return violations
    }
}
