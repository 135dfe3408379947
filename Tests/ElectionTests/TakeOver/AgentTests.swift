import Election
import JobCore
import Testing

@Suite("The agent of a member")
struct AgentTests {
    private static let candidate = MemberID(1)

    /// Member 0 after it was cut for epoch 10 by member 1.
    private static func cut(
        record: MemberRecord = MachineDriver.clean,
        isIntact: Bool = true,
        run: RedisRun? = nil
    ) -> MachineDriver {
        var driver = MachineDriver(memberCount: 3, record: record, isIntact: isIntact, run: run)
        driver.isCut(by: 1)
        driver.store()
        driver.detached()
        return driver
    }

    /// The answer of a member that follows, and was asked how its Redis is.
    private static func attached(isRewriting: Bool, hasTransferFile: Bool) -> RedisReport {
        var report = MachineDriver.report(at: MachineDriver.marker)
        report.isLinkUp = true
        report.isRewriting = isRewriting
        report.hasTransferFile = hasTransferFile
        return report
    }

    @Test("answers a cut only when its promise is on disk and its Redis is detached")
    func cut() {
        var driver = MachineDriver(memberCount: 3)
        driver.isCut(by: 1)
        #expect(driver.lastActions == [.store(MemberRecord(promise: MachineDriver.epoch, isClean: true))])
        driver.store()
        #expect(driver.lastActions == [.redis(.detach(operation: 2))])
        driver.detached()
        let answer = PeerMessage.cutAnswer(MachineDriver.epoch, position: MachineDriver.old, isVoter: true)
        #expect(driver.lastActions.contains(.send(answer, to: Self.candidate)))
    }

    @Test("refuses an epoch below its promise, and repeats its answer to the promised one")
    func promise() {
        var driver = Self.cut()
        driver.receive(.message(.cut(Epoch(9)), from: MemberID(2)))
        #expect(driver.lastActions == [.send(.cutRefused(Epoch(9), promised: MachineDriver.epoch), to: MemberID(2))])
        driver.receive(.message(.cut(MachineDriver.epoch), from: Self.candidate))
        let answer = PeerMessage.cutAnswer(MachineDriver.epoch, position: MachineDriver.old, isVoter: true)
        #expect(driver.lastActions == [.send(answer, to: Self.candidate)])
    }

    @Test("does not vote when its record says that it is not clean, or its files do")
    func voters() {
        let dirty = MemberRecord(promise: Epoch(1), isClean: false)
        for driver in [Self.cut(record: dirty), Self.cut(isIntact: false), Self.cut(record: .missing)] {
            let answer = PeerMessage.cutAnswer(MachineDriver.epoch, position: MachineDriver.old, isVoter: false)
            #expect(driver.lastActions.contains(.send(answer, to: Self.candidate)))
        }
    }

    /// What Redis confirms is in the memory of one run, if that is named; the disk vouches for any run that is not.
    @Test(
        "votes with data that was confirmed in memory only in the run that has it",
        arguments: [
            (recorded: "a", found: "a", votes: true), ("a", "b", false), ("a", nil, false), (nil, "b", true),
        ] as [(recorded: String?, found: String?, votes: Bool)]
    )
    func runs(recorded: String?, found: String?, votes: Bool) {
        let record = MemberRecord(promise: Epoch(1), isClean: true, run: recorded.map(RedisRun.init))
        let driver = Self.cut(record: record, run: found.map(RedisRun.init))
        let answer = PeerMessage.cutAnswer(MachineDriver.epoch, position: MachineDriver.old, isVoter: votes)
        #expect(driver.lastActions.contains(.send(answer, to: Self.candidate)))
        let run = votes ? found.map(RedisRun.init) : nil
        #expect(driver.machine.record == MemberRecord(promise: MachineDriver.epoch, isClean: votes, run: run))
    }

    @Test("votes no more when Redis was started anew while the record of the run before was on its way to disk")
    func runOfRecordUnderWay() {
        let first = RedisRun("a")
        let record = MemberRecord(promise: Epoch(1), isClean: true, run: first)
        var driver = MachineDriver(memberCount: 3, record: record, run: first)
        driver.isCut(by: 1)
        let underWay = MemberRecord(promise: MachineDriver.epoch, isClean: true, run: first)
        #expect(driver.lastActions == [.store(underWay)])
        driver.receive(.redis(.stopped))
        driver.receive(.redis(.started(isIntact: true, run: RedisRun("b"))))
        driver.receive(.stored(underWay))
        #expect(driver.lastActions == [.store(MemberRecord(promise: MachineDriver.epoch, isClean: false))])
        driver.store()
        driver.detached()
        let answer = PeerMessage.cutAnswer(MachineDriver.epoch, position: MachineDriver.old, isVoter: false)
        #expect(driver.lastActions.contains(.send(answer, to: Self.candidate)))
    }

    @Test("names the present run when Redis was started anew while the first record with a run was on its way")
    func runAfterRecord() {
        var driver = MachineDriver(memberCount: 3, run: RedisRun("a"))
        driver.isCut(by: 1)
        let underWay = MemberRecord(promise: MachineDriver.epoch, isClean: true, run: RedisRun("a"))
        driver.receive(.redis(.stopped))
        driver.receive(.redis(.started(isIntact: true, run: RedisRun("b"))))
        driver.receive(.stored(underWay))
        let present = MemberRecord(promise: MachineDriver.epoch, isClean: true, run: RedisRun("b"))
        #expect(driver.lastActions == [.store(present)])
        driver.store()
        driver.detached()
        let answer = PeerMessage.cutAnswer(MachineDriver.epoch, position: MachineDriver.old, isVoter: true)
        #expect(driver.lastActions.contains(.send(answer, to: Self.candidate)))
    }

    @Test("follows the primary that etcd names, and is marked before as not clean")
    func follow() {
        var driver = Self.cut()
        driver.receive(.etcd(.state(MachineDriver.state(revision: 11, leader: (10, 1), primary: (10, 1)))))
        #expect(driver.lastActions.contains(.store(MemberRecord(promise: MachineDriver.epoch, isClean: false))))
        driver.store()
        #expect(driver.lastActions.contains(.redis(.replicate(operation: 3, from: Self.candidate))))
        driver.receive(.message(.cut(MachineDriver.epoch), from: Self.candidate))
        #expect(driver.lastActions.isEmpty, "a late cut of the epoch that it follows")
    }

    @Test("tells the primary under which name it follows, and again whenever that says that it lives")
    func name() {
        let name = ReplicaName(high: 1, low: 2)
        let announcement = TakeOverAction.send(.announce(MachineDriver.epoch, as: name), to: Self.candidate)
        var driver = Self.cut()
        driver.receive(.etcd(.state(MachineDriver.state(revision: 11, leader: (10, 1), primary: (10, 1)))))
        driver.store()
        driver.receive(.redis(.replicating(operation: driver.operation ?? 0, as: name)))
        #expect(driver.lastActions.contains(announcement))
        driver.receive(.message(.heartbeat(MachineDriver.epoch), from: Self.candidate))
        #expect(driver.lastActions.contains(announcement))
        driver.receive(.message(.heartbeat(MachineDriver.epoch), from: MemberID(2)))
        #expect(!driver.lastActions.contains(announcement))
    }

    @Test("follows neither a primary that lost the leader key nor one of an epoch below its promise")
    func deposed() {
        for leader in [nil, (12, 2), (9, 2)] as [(UInt64, UInt8)?] {
            var driver = Self.cut()
            driver.receive(.etcd(.state(MachineDriver.state(revision: 13, leader: leader, primary: (9, 2)))))
            driver.wait(1_000)
            #expect(driver.machine.record == MemberRecord(promise: MachineDriver.epoch, isClean: true))
        }
    }

    @Test("is clean again when the link is up, the AOF rewritten, and no new data set came meanwhile")
    func clean() {
        var driver = Self.cut()
        driver.receive(.etcd(.state(MachineDriver.state(revision: 11, leader: (10, 1), primary: (10, 1)))))
        driver.store()
        driver.receive(.redis(.replicating(operation: driver.operation ?? 0, as: nil)))
        driver.receive(
            .redis(.inspected(operation: driver.operation ?? 0, MachineDriver.report(at: MachineDriver.old)))
        )
        #expect(driver.lastActions.isEmpty)
        driver.receive(.tick, after: 500)
        driver.inspected(Self.attached(isRewriting: true, hasTransferFile: true))
        #expect(!driver.lastActions.contains(.redis(.removeTransferFile)))
        driver.receive(.tick, after: 500)
        driver.inspected(Self.attached(isRewriting: false, hasTransferFile: true))
        #expect(driver.lastActions.contains(.redis(.removeTransferFile)))
        driver.receive(.tick, after: 500)
        driver.inspected(Self.attached(isRewriting: false, hasTransferFile: false))
        #expect(driver.lastActions.contains(.store(MemberRecord(promise: MachineDriver.epoch, isClean: true))))
    }

    @Test("tries again when Redis refuses or does not answer")
    func retries() {
        var driver = MachineDriver(memberCount: 3)
        driver.isCut(by: 1)
        driver.store()
        driver.receive(.redis(.failed(operation: 2)))
        #expect(!driver.wait(249).contains(.redis(.detach(operation: 3))))
        #expect(driver.wait(1).contains(.redis(.detach(operation: 3))))
        driver.detached()
        #expect(driver.lastActions.count == 1)

        var silent = MachineDriver(memberCount: 3)
        silent.isCut(by: 1)
        silent.store()
        #expect(silent.wait(2_250).contains(.redis(.detach(operation: 3))))
        silent.receive(.redis(.detached(operation: 2, MachineDriver.report(at: MachineDriver.old))))
        #expect(silent.lastActions.isEmpty, "an answer to what was given up")
    }

    @Test("ignores whoever is no member")
    func stranger() {
        var driver = MachineDriver(memberCount: 3)
        #expect(driver.receive(.message(.cut(Epoch(99)), from: MemberID(7))).isEmpty)
        #expect(driver.receive(.message(.cut(Epoch(99)), from: MemberID(0))).isEmpty)
    }
}
