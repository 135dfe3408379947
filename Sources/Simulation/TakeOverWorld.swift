import Election
import JobCore

/// A cluster of members with their Redis, an etcd, a network between them, and everything that goes wrong.
///
/// The machines are the real ones. Whatever the seed, nothing in here depends on anything but the seed.
package struct TakeOverWorld {
    /// One host.
    struct Host {
        var machine: MemberMachine?
        /// Which process of the manager this is.
        var incarnation = 0
        var record: MemberRecord
        var redis: SimulatedRedis
        /// Until when the manager and the Redis are stopped.
        var managerPausedUntil: Int64 = 0
        var redisPausedUntil: Int64 = 0
        /// What the leader's loop works under.
        var serving: WriteTicket?
        var isDraining = false
        /// Since when it takes nothing more, to hand over or to stop.
        var drainsSince: Int64 = 0
        var writesUnderWay = 0
        /// How many actions the manager carries out before it crashes; nil for no crash.
        var crashesAfter: Int?
        /// Whether it crashes as soon as it has answered a cut.
        var crashesAtCut = false
        /// Whether its Redis loses power between a full synchronization and the end of the rewrite that follows.
        var crashesInRewrite = false
        /// Whether it is lost for good, with everything on it.
        var isGone = false
        /// Whether its data was lost for good, and it has not caught up since.
        var hasLostData = false
        /// Whether its Redis stopped, in a world in memory, and it has not caught up since.
        var hasLostMemory = false
    }

    let memberCount: Int
    /// Whether Redis confirms what is in its memory only, so that any restart of it may forget that.
    package let isInMemory: Bool
    let mutation: Mutation?
    var generator: SeededGenerator
    var now: Int64 = 0
    var queue = EventQueue<WorldEvent>()
    var hosts: [Host]
    var network: SimulatedNetwork
    var etcd: SimulatedEtcd
    var isEtcdDown = false
    var wasEtcdEmptied = false
    var checker: TakeOverChecker
    var linkCount = 0
    var waitCount = 0
    var isHealed = false
    var healedAt: Int64 = 0
    /// Whether a leader that began to serve after the healing has acknowledged something.
    var hasServedSinceHealing = false
    /// Whether an operator had to decide.
    var neededOperator = false
    let scenario: Scenario
    let terms = TakeOverTerms()
    let membership: Membership
    /// What happened, in words, when that was asked for.
    package private(set) var trace: [String]?

    /// How many transactions a leader writes before the first of them is confirmed.
    static let writeBound = 6
    /// The chances in a thousand that a replica needs the whole data set although its primary has the backlog.
    let wholeDataChance: Int

    /// How long a leader may take nothing more, for a hand-over or a stop: the bound of the machine, and what its alarm takes.
    private var handOverBound: Int64 { self.terms.handOverBound.wholeNanoseconds + 10 * Self.millisecond }

    static let millisecond: Int64 = 1_000_000
    /// How long after the healing of everything somebody has to serve.
    static let recoveryBound: Int64 = 20_000 * Self.millisecond
    /// How long after the healing an operator comes to look.
    static let operatorPatience: Int64 = 8_000 * Self.millisecond

    /// The world of a seed: mostly of three members, some of five and of one; one in four confirms what is in memory.
    package init(
        seed: UInt64,
        mutation: Mutation? = nil,
        scenario: Scenario = .anything,
        isTraced: Bool = false
    ) {
        let memberCount = scenario == .anything ? [3, 3, 3, 5, 1][Int(seed % 5)] : [3, 5][Int(seed % 2)]
        self.scenario = scenario
        self.memberCount = memberCount
        self.isInMemory = seed / 5 % 4 == 2
        self.mutation = mutation
        self.generator = SeededGenerator(seed: seed)
        self.membership = Membership((0..<memberCount).map { MemberID(UInt8($0)) })
        self.checker = TakeOverChecker(majority: self.membership.majority)
        self.trace = isTraced ? [] : nil
        let isNew = self.generator.happens(perMille: scenario == .lostFounder ? 1_000 : 200)
        let log = isNew ? [] : [LogEntry(epoch: 1, write: nil)]
        let record = isNew ? MemberRecord.missing : MemberRecord(promise: Epoch(1), isClean: true)
        self.hosts = (0..<memberCount).map { _ in
            Host(record: record, redis: SimulatedRedis(memberCount: memberCount, log: log))
        }
        self.wholeDataChance = [0, 50, 500][self.generator.number(below: 3)]
        self.network = SimulatedNetwork(memberCount: memberCount, using: &self.generator)
        self.etcd = SimulatedEtcd(
            revision: 10,
            primary: isNew ? nil : ClusterState.Holder(epoch: Epoch(1), member: MemberID(0)),
            leaseTimeToLive: self.terms.leaseTimeToLive.wholeNanoseconds
        )
        for index in 0..<memberCount {
            self.queue.add(.startRedis(index, losesData: false), at: self.generator.time(from: 0, to: 20_000_000))
            self.queue.add(.startManager(index), at: self.generator.time(from: 0, to: 20_000_000))
        }
        switch scenario {
        case .lostFounder: return
        case .stalledHandOver:
            self.queue.add(.stallHandOver, at: self.generator.time(from: 3_000_000_000, to: 4_000_000_000))
            self.queue.add(.heal, at: 15_000_000_000)
            return
        case .anything: break
        }
        let length = self.generator.time(from: 2_000 * Self.millisecond, to: 9_000 * Self.millisecond)
        let firstFault = self.generator.time(from: 0, to: 1_000 * Self.millisecond)
        self.queue.add(.fault, at: firstFault)
        self.queue.add(.heal, at: length)
    }

    /// How a schedule ended.
    package struct Outcome: Sendable {
        /// What did not hold; nil when everything did.
        package let violation: String?
        /// Whether that concerns an acknowledged write, and not only how long the cluster was without a leader.
        package let isUnsafe: Bool
        package let acknowledgedCount: Int
        package let leadershipCount: Int
        /// How long it took from the healing to the first acknowledgement of a leader, in nanoseconds.
        package let recoveryTime: Int64
        /// Whether that took an operator who accepted a loss.
        package let neededOperator: Bool
    }

    /// Runs until somebody serves after everything was healed, or something does not hold.
    package mutating func run() -> Outcome {
        var isLate = false
        while self.checker.violation == nil, !self.hasServedSinceHealing {
            self.step()
            self.checkHandOvers()
            if self.scenario == .lostFounder, !self.isHealed, self.now > Self.recoveryBound {
                self.checker.fail("a new cluster does not begin")
            }
            if self.isHealed, self.checker.violation == nil, self.now > self.healedAt + Self.recoveryBound {
                isLate = true
                self.checker.fail("nobody serves \(Self.recoveryBound / 1_000_000_000) s after everything was healed")
            }
        }
        return Outcome(
            violation: self.checker.violation,
            isUnsafe: self.checker.violation != nil && !isLate,
            acknowledgedCount: self.checker.acknowledgedCount,
            leadershipCount: self.checker.leadershipCount,
            recoveryTime: self.now - self.healedAt,
            neededOperator: self.neededOperator
        )
    }

    /// A hand-over ends, one way or the other; a manager that is stopped has no clients to hold up.
    private mutating func checkHandOvers() {
        for host in self.hosts where host.isDraining && host.serving != nil && host.machine != nil {
            let since = max(host.drainsSince, host.managerPausedUntil)
            if self.now > since + self.handOverBound { self.checker.fail("a hand-over does not end") }
        }
    }

    /// The next thing that happens.
    private mutating func step() {
        var due: Int?
        var dueAt = self.queue.nextTime ?? .max
        for index in self.hosts.indices {
            guard let machine = self.hosts[index].machine else { continue }
            // A deadline that has passed is served a millisecond later, as a real loop would.
            let wakes = max(machine.nextDeadline.nanoseconds, self.lastTicks[index] + Self.millisecond)
            let at = max(wakes, self.hosts[index].managerPausedUntil)
            if at < dueAt { (due, dueAt) = (index, at) }
        }
        if let expiry = self.etcd.nextExpiry, expiry < dueAt {
            self.now = max(self.now, expiry)
            self.etcd.expire(at: self.now)
            return self.notifyWatchers()
        }
        self.now = max(self.now, dueAt)
        if let due {
            self.lastTicks[due] = self.now
            return self.deliver(.tick, to: due)
        }
        if let event = self.queue.removeNext() { self.carryOut(event) }
    }

    /// When each machine was ticked last.
    private var lastTicks = Array(repeating: Int64(-1_000_000), count: 64)

    mutating func schedule(_ event: WorldEvent, after delay: Int64) {
        self.queue.add(event, at: self.now + delay)
    }

    mutating func note(_ text: @autoclosure () -> String) {
        guard self.trace != nil else { return }
        let milliseconds = Double(self.now / 1_000) / 1_000
        self.trace?.append("\(milliseconds) ms: \(text())")
    }
}

extension Duration {
    var wholeNanoseconds: Int64 {
        self.components.seconds * 1_000_000_000 + self.components.attoseconds / 1_000_000_000
    }
}
