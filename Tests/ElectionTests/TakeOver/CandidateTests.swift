import Election
import JobCore
import Testing

@Suite("A candidate")
struct CandidateTests {
    private static let promotion = TakeOverAction.redis(.promote(operation: 3, MachineDriver.epoch))
    private static let newer = Position(epoch: Epoch(2), sequence: 1)
    private static let nothing = Position(epoch: Epoch(0), sequence: 0)

    @Test("promises before it is cut, is cut before it cuts, and leads when a majority is not ahead")
    func order() {
        var driver = MachineDriver(memberCount: 3)
        driver.win()
        let promise = MemberRecord(promise: MachineDriver.epoch, isClean: true)
        #expect(driver.lastActions.contains(.store(promise)))
        #expect(!driver.lastActions.contains(.send(.cut(MachineDriver.epoch), to: MemberID(1))))
        driver.store()
        #expect(driver.lastActions == [.redis(.detach(operation: 2))])
        driver.detached()
        #expect(driver.lastActions.contains(.send(.cut(MachineDriver.epoch), to: MemberID(1))))
        #expect(driver.lastActions.contains(.send(.cut(MachineDriver.epoch), to: MemberID(2))))
        driver.answer(from: 1)
        #expect(!driver.lastActions.contains(Self.promotion))
        driver.answer(from: 2)
        #expect(driver.lastActions.contains(Self.promotion))
    }

    @Test("waits a little for the rest, then leads with a majority")
    func laggard() {
        var driver = MachineDriver(memberCount: 3)
        driver.winAndCut()
        driver.answer(from: 1)
        #expect(!driver.wait(149).contains(Self.promotion))
        #expect(driver.wait(1).contains(Self.promotion))
    }

    @Test("waits for nobody beyond a majority when it was asked to lead")
    func asked() {
        var driver = MachineDriver(memberCount: 3)
        driver.winAndCut(preferred: 0)
        #expect(!driver.lastActions.contains(Self.promotion))
        driver.answer(from: 1)
        #expect(driver.lastActions.contains(Self.promotion))
    }

    @Test("yields to a member that is ahead, and names it", arguments: [1, 2] as [UInt8])
    func behind(better: UInt8) {
        var driver = MachineDriver(memberCount: 3)
        driver.winAndCut()
        driver.answer(from: better, at: Self.newer)
        #expect(driver.wait(150).resignation == .etcd(.resign(MachineDriver.epoch, preferring: MemberID(better))))
    }

    @Test("leads although a member is ahead when a majority is not")
    func minorityAhead() {
        var driver = MachineDriver(memberCount: 3)
        driver.winAndCut()
        driver.answer(from: 1, at: Self.newer)
        driver.answer(from: 2)
        #expect(driver.lastActions.contains(Self.promotion))
    }

    @Test("does not count members that do not vote, unless all members answered")
    func voters() {
        var driver = MachineDriver(memberCount: 5)
        driver.winAndCut()
        driver.answer(from: 1)
        driver.answer(from: 2, isVoter: false)
        driver.answer(from: 3, isVoter: false)
        #expect(!driver.wait(1_000).contains(Self.promotion))
        driver.answer(from: 4, isVoter: false)
        #expect(driver.lastActions.contains(Self.promotion))
    }

    @Test("resigns when no majority is cut in time", arguments: [2_499, 2_500])
    func bound(milliseconds: Int64) {
        var driver = MachineDriver(memberCount: 3)
        driver.winAndCut()
        let actions = driver.wait(milliseconds)
        #expect((actions.resignation != nil) == (milliseconds == 2_500))
    }

    @Test("asks etcd when a member says that it promised a higher epoch, and believes nobody else")
    func refused() {
        var driver = MachineDriver(memberCount: 3)
        driver.winAndCut()
        driver.wait(300)
        driver.receive(.message(.cutRefused(MachineDriver.epoch, promised: Epoch(.max)), from: MemberID(2)))
        #expect(driver.lastActions == [.etcd(.readState(askedAt: driver.now))])
        driver.receive(.message(.cutRefused(MachineDriver.epoch, promised: Epoch(.max)), from: MemberID(2)))
        #expect(driver.lastActions.isEmpty, "it was asked just now")
        driver.receive(.etcd(.state(MachineDriver.state(revision: 11, leader: (11, 2)))))
        #expect(driver.lastActions.resignation != nil)
    }

    @Test("serves only when it is published and a majority holds its marker")
    func service() {
        var driver = MachineDriver(memberCount: 5)
        driver.winAndCut()
        for member in 1...4 as ClosedRange<UInt8> { driver.answer(from: member) }
        driver.receive(.redis(.promoted(operation: driver.operation ?? 0, MachineDriver.marker)))
        #expect(driver.lastActions.contains(.etcd(.publish(MachineDriver.epoch))))
        driver.receive(.etcd(.published(MachineDriver.epoch)))
        #expect(driver.lastActions.contains(.send(.follow(MachineDriver.epoch), to: MemberID(3))))
        driver.receive(
            .redis(.markerHeld(MachineDriver.epoch, by: MemberSet([MemberID(1), MemberID(0), MemberID(9)])))
        )
        #expect(driver.machine.leadership == nil)
        driver.receive(.redis(.markerHeld(MachineDriver.epoch, by: MemberSet([MemberID(1), MemberID(2)]))))
        #expect(driver.machine.leadership?.epoch == MachineDriver.epoch)
    }

    @Test("leads alone in a cluster of one")
    func alone() {
        var driver = MachineDriver(memberCount: 1)
        driver.winAndCut()
        #expect(driver.lastActions.contains(Self.promotion))
        driver.establish(heldBy: [])
        #expect(driver.machine.leadership?.epoch == MachineDriver.epoch)
    }

    @Test("gives back a key that it won after it had given up the bid")
    func lateWin() {
        var driver = MachineDriver(memberCount: 3)
        driver.receive(.etcd(.state(MachineDriver.state(revision: 9, leader: nil))))
        let askedAt = driver.now
        driver.wait(2_000)
        driver.receive(.etcd(.won(MachineDriver.epoch, askedAt: askedAt)))
        #expect(driver.lastActions.resignation == .etcd(.resign(MachineDriver.epoch, preferring: nil)))
    }

    @Test("tells an operator what there is, and leads without a majority only when the loss is accepted")
    func recovery() {
        for acceptLoss in [false, true] {
            var driver = MachineDriver(memberCount: 3)
            driver.receive(.command(.recover(acceptLoss: acceptLoss)))
            driver.winAndCut()
            let actions = driver.wait(2_500)
            #expect(actions.contains(.reportPosition(MemberID(0), MachineDriver.old, isVoter: true)))
            #expect(actions.contains(Self.promotion) == acceptLoss)
            #expect((actions.resignation == nil) == acceptLoss)
        }
    }

    @Test("does not lead over a member that refuses, whatever an operator accepts")
    func refusedRecovery() {
        var driver = MachineDriver(memberCount: 3)
        driver.receive(.command(.recover(acceptLoss: true)))
        driver.winAndCut()
        driver.receive(.message(.cutRefused(MachineDriver.epoch, promised: Epoch(11)), from: MemberID(2)))
        let actions = driver.wait(2_500)
        #expect(!actions.contains(Self.promotion))
        #expect(actions.resignation != nil)
    }

    @Test("leaves the lead to an operator when all answer and one of them came back empty")
    func emptyMember() {
        var driver = MachineDriver(memberCount: 3)
        driver.winAndCut()
        driver.receive(.etcd(.state(MachineDriver.state(revision: 10, leader: (10, 0), primary: (1, 1)))))
        driver.answer(from: 1, at: Self.nothing, isVoter: false)
        driver.answer(from: 2, isVoter: false)
        let actions = driver.wait(2_500)
        #expect(!actions.contains(Self.promotion))
        #expect(actions.resignation != nil)
    }

    @Test("leads when all answer and one is empty, if nobody ever served or the last primary votes")
    func harmlesslyEmptyMember() {
        for primary in [nil, (1, 2)] as [(UInt64, UInt8)?] {
            var driver = MachineDriver(memberCount: 5)
            driver.winAndCut()
            driver.answer(from: 1, at: Self.nothing, isVoter: false)
            driver.answer(from: 2)
            driver.answer(from: 3, isVoter: false)
            driver.answer(from: 4, isVoter: false)
            #expect(!driver.lastActions.contains(Self.promotion), "etcd was not read since the key was won")
            driver.receive(.etcd(.state(MachineDriver.state(revision: 10, leader: (10, 0), primary: primary))))
            #expect(driver.lastActions.contains(Self.promotion))
        }
    }

    @Test("leads a majority without votes while a member is missing, if it served last and has its vote")
    func lastPrimary() {
        for isVoter in [true, false] {
            var driver = MachineDriver(memberCount: 3, record: isVoter ? MachineDriver.clean : .missing)
            driver.winAndCut()
            driver.receive(.etcd(.state(MachineDriver.state(revision: 10, leader: (10, 0), primary: (1, 0)))))
            driver.answer(from: 1, isVoter: false)
            #expect(!driver.wait(149).contains(Self.promotion), "the third may be about to answer")
            #expect(driver.wait(1).contains(Self.promotion) == isVoter)
        }
    }

    @Test("is not taken for the one that served last on what etcd said before it won the key")
    func formerPrimary() {
        var driver = MachineDriver(memberCount: 3)
        driver.receive(.etcd(.state(MachineDriver.state(revision: 8, leader: (8, 1), primary: (1, 0)))))
        // Somebody else may have become the primary, and served, between this and the win.
        driver.winAndCut(primary: (1, 0))
        driver.answer(from: 1, isVoter: false)
        #expect(!driver.wait(2_000).contains { $0.isPromotion })
        driver.receive(.etcd(.state(MachineDriver.state(revision: 10, leader: (10, 0), primary: (1, 0)))))
        #expect(driver.lastActions.contains { $0.isPromotion })
    }

    @Test(
        "leaves the lead to others when its data is not what etcd lets expect of the one that served last",
        arguments: [
            // Of an earlier epoch, or of a later one; and another member has more, or something of a later epoch.
            (Position(epoch: Epoch(0), sequence: 9), MachineDriver.old),
            (Position(epoch: Epoch(2), sequence: 5), MachineDriver.old),
            (MachineDriver.old, Position(epoch: Epoch(1), sequence: 6)),
            (MachineDriver.old, Position(epoch: Epoch(2), sequence: 1)),
        ]
    )
    func implausiblePrimary(own: Position, other: Position) {
        var driver = MachineDriver(memberCount: 3)
        driver.winAndCut(at: own)
        driver.receive(.etcd(.state(MachineDriver.state(revision: 10, leader: (10, 0), primary: (1, 0)))))
        driver.answer(from: 1, at: other, isVoter: false)
        #expect(!driver.wait(2_400).contains { $0.isPromotion })
    }

    @Test("yields to the member that served last, which votes, while another one is missing")
    func otherLastPrimary() {
        var driver = MachineDriver(memberCount: 3, record: .missing)
        driver.winAndCut()
        driver.receive(.etcd(.state(MachineDriver.state(revision: 10, leader: (10, 0), primary: (1, 1)))))
        driver.answer(from: 1)
        let actions = driver.wait(150)
        #expect(actions.resignation == .etcd(.resign(MachineDriver.epoch, preferring: MemberID(1))))
    }

    @Test("waits for more answers when the member that served last was told already that it is its turn")
    func absentPrimary() {
        var driver = MachineDriver(memberCount: 5, record: .missing)
        driver.winAndCut()
        var state = MachineDriver.state(revision: 10, leader: (10, 0), primary: (1, 1))
        state.preferred = MemberID(1)
        driver.receive(.etcd(.state(state)))
        driver.answer(from: 1)
        driver.answer(from: 2)
        #expect(driver.wait(2_000).resignation == nil)
        // With the third vote they are a majority, of which this one has the most.
        driver.answer(from: 3, at: Position(epoch: Epoch(1), sequence: 6))
        #expect(driver.wait(150).resignation == .etcd(.resign(MachineDriver.epoch, preferring: MemberID(3))))
    }

    @Test("does not remember what an operator accepted once there is a primary, or for longer than half a minute")
    func staleRecovery() {
        var served = MachineDriver(memberCount: 3)
        served.receive(.command(.recover(acceptLoss: true)))
        served.receive(.etcd(.state(MachineDriver.state(revision: 8, leader: (8, 1), primary: (8, 1)))))
        served.winAndCut()
        #expect(!served.wait(2_500).contains { $0.isPromotion })

        for milliseconds in [29_999, 30_000] as [Int64] {
            var late = MachineDriver(memberCount: 3)
            late.receive(.command(.recover(acceptLoss: true)))
            late.wait(milliseconds)
            late.winAndCut()
            #expect(late.wait(2_500).contains { $0.isPromotion } == (milliseconds == 29_999))
        }
    }

    @Test("hears an operator while it is a candidate")
    func recoveryOfCandidate() {
        var driver = MachineDriver(memberCount: 3)
        driver.winAndCut()
        driver.receive(.command(.recover(acceptLoss: true)))
        #expect(driver.wait(2_500).contains(Self.promotion))
    }

    @Test("waits until its AOF is rewritten before it is promoted")
    func settling() {
        var driver = MachineDriver(memberCount: 1)
        driver.win()
        driver.store()
        var report = MachineDriver.report(at: MachineDriver.old)
        report.isRewriting = true
        report.hasTransferFile = true
        driver.receive(.redis(.detached(operation: driver.operation ?? 0, report)))
        driver.store()
        #expect(!driver.lastActions.contains(Self.promotion))
        report.isRewriting = false
        driver.inspected(report)
        #expect(driver.lastActions.contains(.redis(.removeTransferFile)))
        report.hasTransferFile = false
        driver.wait(500)
        driver.inspected(report)
        #expect(driver.lastActions.contains(.store(MemberRecord(promise: MachineDriver.epoch, isClean: true))))
        driver.store()
        #expect(driver.lastActions.contains { $0.isPromotion })
    }
}
