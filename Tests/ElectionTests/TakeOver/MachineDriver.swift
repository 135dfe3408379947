import Election
import JobCore

/// A member whose surroundings answer what a test says.
struct MachineDriver {
    var machine: MemberMachine
    var milliseconds: Int64 = 0
    private(set) var lastActions: [TakeOverAction] = []
    /// The number of the inspection that is not answered yet.
    private var inspection: UInt64?

    static let clean = MemberRecord(promise: Epoch(1), isClean: true)
    static let old = Position(epoch: Epoch(1), sequence: 5)
    static let epoch = Epoch(10)

    /// Member 0, whose Redis runs, in a cluster that has no leader.
    init(
        memberCount: Int,
        sharesStore: Bool = false,
        record: MemberRecord = Self.clean,
        isIntact: Bool = true,
        run: RedisRun? = nil,
        position: Position = Self.old
    ) {
        self.machine = MemberMachine(
            id: MemberID(0),
            membership: Membership(
                (0..<memberCount).map { MemberID(UInt8($0)) },
                sharesStore: sharesStore
            ),
            record: record,
            at: Uptime(nanoseconds: 0)
        )
        self.receive(.redis(.started(isIntact: isIntact, run: run)))
        self.store()
        self.inspected(Self.report(at: position))
    }

    var now: Uptime { Uptime(nanoseconds: self.milliseconds * 1_000_000) }

    @discardableResult
    mutating func receive(_ event: TakeOverEvent, after milliseconds: Int64 = 0) -> [TakeOverAction] {
        self.milliseconds += milliseconds
        self.lastActions = self.machine.receive(event, at: self.now)
        for case .redis(.inspect(let number)) in self.lastActions { self.inspection = number }
        return self.lastActions
    }

    /// Ticks when the machine wants it, until so much time has gone by; answers everything that was asked meanwhile.
    @discardableResult
    mutating func wait(_ milliseconds: Int64) -> [TakeOverAction] {
        let end = self.milliseconds + milliseconds
        var actions: [TakeOverAction] = []
        while self.milliseconds < end {
            let next = self.machine.nextDeadline.nanoseconds / 1_000_000
            self.milliseconds = min(max(next, self.milliseconds + 1), end)
            actions += self.receive(.tick)
        }
        return actions
    }

    /// Lets a member that has won epoch 10 have this one cut.
    mutating func isCut(by member: UInt8) {
        self.receive(.etcd(.state(Self.state(revision: 10, leader: (10, member)))))
        self.receive(.message(.cut(Self.epoch), from: MemberID(member)))
    }

    /// The number of the operation that was asked of Redis last.
    var operation: UInt64? {
        for action in self.lastActions.reversed() {
            switch action {
            case .redis(.detach(let number)), .redis(.promote(let number, _)), .redis(.replicate(let number, _)):
                return number
            default: continue
            }
        }
        return nil
    }

    /// Answers the last operation, which has to be a detachment.
    mutating func detached(at position: Position = Self.old) {
        self.receive(.redis(.detached(operation: self.operation ?? 0, Self.report(at: position))))
    }

    /// Answers the inspection that is under way, if there is one.
    mutating func inspected(_ report: RedisReport) {
        guard let inspection else { return }
        self.inspection = nil
        self.receive(.redis(.inspected(operation: inspection, report)))
    }

    /// Answers the renewal that was asked for last, if there was one; other questions stay open.
    mutating func keepAlive() {
        let asked = self.lastActions
        for case .etcd(.keepAlive(let epoch, let askedAt)) in asked {
            self.receive(.etcd(.kept(epoch, askedAt: askedAt)))
        }
        self.lastActions = asked
    }

    /// Stores what was asked to be stored.
    mutating func store() {
        for case .store(let record) in self.lastActions { self.receive(.stored(record)) }
    }

    /// Lets member 0 win the leader key.
    mutating func win(primary: (UInt64, UInt8)? = nil, preferred: UInt8? = nil) {
        var state = Self.state(revision: 9, leader: nil, primary: primary)
        state.preferred = preferred.map { MemberID($0) }
        let actions = self.receive(.etcd(.state(state)))
        for case .etcd(.campaign(let askedAt)) in actions { self.receive(.etcd(.won(Self.epoch, askedAt: askedAt))) }
    }

    /// Wins, and cuts itself.
    mutating func winAndCut(
        at position: Position = Self.old,
        primary: (UInt64, UInt8)? = nil,
        preferred: UInt8? = nil
    ) {
        self.win(primary: primary, preferred: preferred)
        self.store()
        self.detached(at: position)
    }

    mutating func answer(from member: UInt8, at position: Position = Self.old, isVoter: Bool = true) {
        self.receive(
            .message(.cutAnswer(Self.epoch, position: position, isVoter: isVoter), from: MemberID(member))
        )
    }

    /// From a won canvass to the service.
    mutating func establish(heldBy replicas: [UInt8]) {
        self.receive(.redis(.promoted(operation: self.operation ?? 0, Self.marker)))
        self.receive(.etcd(.published(Self.epoch)))
        self.receive(.redis(.markerHeld(Self.epoch, by: MemberSet(replicas.map { MemberID($0) }))))
    }

    /// Leads three members, and serves.
    static func serving() -> MachineDriver {
        var driver = MachineDriver(memberCount: 3)
        driver.winAndCut()
        driver.answer(from: 1)
        driver.answer(from: 2)
        driver.establish(heldBy: [1])
        return driver
    }

    /// Asks the leader to hand over, and lets etcd answer.
    mutating func handOver(to member: UInt8) {
        self.receive(.command(.handOver(to: MemberID(member))))
        self.etcdAnswers()
    }

    /// Lets etcd say what it has said before: that member 0 leads.
    mutating func etcdAnswers() {
        self.receive(.etcd(.state(Self.state(revision: 11, leader: (10, 0), primary: (10, 0)))))
    }

    static let marker = Position(epoch: Self.epoch, sequence: 6)

    static func report(at position: Position, replicas: [UInt8] = []) -> RedisReport {
        RedisReport(
            position: position,
            isLinkUp: false,
            isSynchronizing: false,
            isRewriting: false,
            hasTransferFile: false,
            replicas: MemberSet(replicas.map { MemberID($0) })
        )
    }

    static func state(revision: UInt64, leader: (UInt64, UInt8)?, primary: (UInt64, UInt8)? = nil) -> ClusterState {
        ClusterState(
            revision: revision,
            leader: leader.map { ClusterState.Holder(epoch: Epoch($0.0), member: MemberID($0.1)) },
            primary: primary.map { ClusterState.Holder(epoch: Epoch($0.0), member: MemberID($0.1)) },
            preferred: nil
        )
    }
}

extension [TakeOverAction] {
    var resignation: TakeOverAction? {
        self.first { if case .etcd(.resign) = $0 { true } else { false } }
    }
}

extension TakeOverAction {
    var isPromotion: Bool {
        if case .redis(.promote) = self { true } else { false }
    }
}
