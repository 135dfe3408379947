import ClusterLink
import JobCore
import JobStorage
import Logging

@testable import Manager

/// A leader over a store in memory, driven in turns as the leader's loop drives it.
///
/// Time stands still unless a test moves it. What a committed turn wants to send goes to the fronts that were made
/// with this world, at once; a test that wants a message lost takes it out of `delivers`.
final class ManagerWorld {
    static let start = WallTime(nanosecondsSinceEpoch: 1_772_352_930_000_000_000)

    let data = InMemoryJobData()
    private(set) var store: InMemoryJobStore
    private(set) var manager: JobManager
    private(set) var now: Moment
    private var settings: ManagerSettings
    private let extend: (JobManager) -> Void
    private(set) var fronts: [LinkPeer: TestFront] = [:]
    /// What was sent to peers that are no front.
    private(set) var messages: [(message: MessageFromLeader, peer: LinkPeer)] = []
    /// Whether a message to a front arrives.
    var delivers: (MessageFromLeader) -> Bool = { _ in true }
    private(set) var turnCount = 0

    init(settings: ManagerSettings = ManagerSettings(), extend: @escaping (JobManager) -> Void = { _ in }) throws {
        self.settings = settings
        self.extend = extend
        self.now = Moment(wall: Self.start, uptime: Uptime(nanoseconds: 1_000_000_000))
        self.store = InMemoryJobStore(over: self.data)
        self.manager = try Self.lead(over: self.store, settings, extend, at: self.now)
    }

    private static func lead(
        over store: InMemoryJobStore,
        _ settings: ManagerSettings,
        _ extend: (JobManager) -> Void,
        at now: Moment
    ) throws -> JobManager {
        let state = try store.load()
        let manager = JobManager(
            state: state,
            epoch: Epoch(state.position.epoch.number + 1),
            store: store,
            settings: settings,
            seed: 17,
            at: now,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        )
        try manager.loadOutcomes(of: state)
        extend(manager)
        try manager.commit(always: true)
        return manager
    }

    /// The leader is gone with everything in its memory; another one begins with what the store has.
    func failOver() throws {
        self.store = InMemoryJobStore(over: self.data)
        self.manager = try Self.lead(over: self.store, self.settings, self.extend, at: self.now)
    }

    /// Both clocks go on.
    func wait(_ duration: Duration) {
        self.now = Moment(wall: self.now.wall + duration, uptime: self.now.uptime + duration)
    }

    /// Somebody sets the clock of the host, or the next leader's host has another one.
    func setClock(_ change: Duration) {
        self.now = Moment(wall: self.now.wall + change, uptime: self.now.uptime)
    }

    func makeFront(
        _ number: UInt64 = 1,
        name: String? = nil,
        attaches: Bool = true
    ) throws -> TestFront {
        let front = TestFront(number, name: name ?? "front-\(number)", in: self)
        self.fronts[front.peer] = front
        if attaches { try front.attach() }
        return front
    }

    // MARK: Turns

    /// One turn: what `body` does is written as one unit, and its answers leave.
    @discardableResult
    func turn<Value>(_ body: (JobManager) throws -> Value) throws -> Value {
        self.turnCount += 1
        self.manager.beginTurn(at: self.now)
        let value = try body(self.manager)
        try self.manager.commit()
        self.deliver()
        return value
    }

    /// A turn with messages, as the loop makes it.
    func take(_ messages: [MessageToLeader], from peer: LinkPeer) throws {
        try self.turn { manager in
            try manager.prepare(for: messages)
            for message in messages { manager.handle(message, from: peer) }
            manager.answerOverdueFetches()
            manager.releaseVanished()
        }
    }

    /// One round of what the loop does between two turns of commands.
    func work() throws {
        if self.manager.hasColdQueues { try self.turn { try $0.warmQueues() } }
        if self.manager.wantsOutcomes { try self.manager.readOutcomes() }
        if self.manager.hasTasks { try self.slice() }
    }

    /// Reads the names of all jobs that an earlier leader left.
    func learn() throws {
        while self.manager.isLearningJobs { try self.manager.learnJobs() }
    }

    /// One slice of the task that has waited longest.
    func slice() throws {
        try self.turn { try $0.runSlice(uptime: { self.now.uptime }) }
    }

    /// Rounds until nothing is left to do.
    ///
    /// - Returns: how many slices that took.
    @discardableResult
    func finish() throws -> Int {
        var sliceCount = 0
        while self.manager.hasColdQueues || self.manager.hasTasks {
            if self.manager.hasTasks { sliceCount += 1 }
            try self.work()
            guard sliceCount < 100_000 else { throw WorldError.doesNotEnd }
        }
        return sliceCount
    }

    /// A scheduler's tick, carried out to its end.
    @discardableResult
    func tick(_ task: SchedulerTask) throws -> UInt64? {
        let peer = LinkPeer(identity: Array("scheduler".utf8))
        let number = UInt64(self.turnCount)
        try self.take([.tick(task, number: number)], from: peer)
        try self.finish()
        let counts = self.messages.compactMap { message -> UInt64? in
            guard case .tickDone(task, number, let count) = message.message else { return nil }
            return count
        }
        self.messages.removeAll()
        return counts.last
    }

    func forgetMessages() {
        self.messages.removeAll()
    }

    private func deliver() {
        let outbox = self.manager.outbox
        for batch in outbox.batches {
            self.deliver(.replies(batch.lane, batch: batch.batch, batch.replies), to: batch.peer)
        }
        for (lane, late) in outbox.late {
            guard let peer = self.manager.sessions[lane.session]?.peer else { continue }
            self.deliver(.late(lane, late), to: peer)
        }
        for (message, peer) in outbox.messages { self.deliver(message, to: peer) }
        self.manager.outbox.removeAll()
    }

    private func deliver(_ message: MessageFromLeader, to peer: LinkPeer) {
        guard let front = self.fronts[peer] else { return self.messages.append((message: message, peer: peer)) }
        guard self.delivers(message) else { return }
        front.receive(message)
    }

    // MARK: What there is

    var state: StoredState {
        get throws { try self.store.load() }
    }

    /// The job that the store has under this jid.
    func stored(_ jobID: String) throws -> Job? {
        guard case .job(let stored)? = try self.store.records(of: [JobID(jobID)]).first else { return nil }
        return try Job(parsing: stored.payload)
    }

    /// The jids of a queue's entries that count, oldest first.
    func queued(_ name: String = "default") throws -> [String] {
        let entries = try self.store.entries(of: QueueName(parsing: name), from: 0, count: .max)
        return zip(entries, try self.store.records(of: entries.map(\.jobID))).compactMap { entry, record in
            guard case .job(let stored) = record, stored.token == entry.token else { return nil }
            return entry.jobID.text
        }
    }

    func members(of set: JobSet) throws -> [String] {
        try self.store.members(of: set, from: 0, count: .max).map(\.jobID.text)
    }

    func count(of set: JobSet) throws -> Int {
        try self.members(of: set).count
    }
}

enum WorldError: Error {
    case doesNotEnd
    case noReply
}
