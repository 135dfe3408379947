import Election
import JobCore
import Testing

@Suite("The beginning of a cluster")
struct FoundingTests {
    private static let nothing = Position(epoch: Epoch(0), sequence: 0)
    private static let epoch = MachineDriver.epoch
    private static let later = Epoch(20)

    /// Member 0 of three, on an empty disk.
    private static func empty() -> MachineDriver {
        MachineDriver(memberCount: 3, record: .missing, isIntact: false, position: Self.nothing)
    }

    private static func state(
        revision: UInt64,
        leader: (UInt64, UInt8)?,
        primary: (UInt64, UInt8)? = nil,
        founded: UInt64? = nil
    ) -> ClusterState {
        var state = MachineDriver.state(revision: revision, leader: leader, primary: primary)
        state.founded = founded.map { Epoch($0) }
        return state
    }

    /// Member 0, without data, after member 1 had it cut for epoch 10; before that the cluster began, or not.
    private static func cut(unfounded: Bool = true) -> MachineDriver {
        var driver = Self.empty()
        driver.receive(.etcd(.state(Self.state(revision: 10, leader: (10, 1), founded: unfounded ? nil : 9))))
        driver.receive(.message(.cut(Self.epoch), from: MemberID(1)))
        driver.store()
        driver.detached(at: Self.nothing)
        return driver
    }

    /// The answer of a member to member 2, which leads after member 1; nil if it gives none.
    private static func answer(of driver: inout MachineDriver, at position: Position) -> PeerMessage? {
        driver.receive(.etcd(.state(Self.state(revision: 20, leader: (20, 2), primary: (10, 1), founded: 10))))
        driver.receive(.message(.cut(Self.later), from: MemberID(2)))
        driver.store()
        driver.detached(at: position)
        driver.store()
        for case .send(let message, to: MemberID(2)) in driver.lastActions { return message }
        return nil
    }

    @Test("is kept in etcd, by the first candidate, before anything is promoted")
    func order() {
        var driver = Self.empty()
        driver.winAndCut(at: Self.nothing)
        driver.receive(.etcd(.state(Self.state(revision: 10, leader: (10, 0)))))
        driver.answer(from: 1, at: Self.nothing, isVoter: false)
        driver.answer(from: 2, at: Self.nothing, isVoter: false)
        #expect(driver.lastActions.contains(.etcd(.found(Self.epoch))))
        #expect(!driver.wait(300).contains { $0.isPromotion })
        driver.receive(.etcd(.founded(Self.epoch)))
        driver.inspected(MachineDriver.report(at: Self.nothing))
        driver.store()
        #expect(driver.lastActions.contains { $0.isPromotion })
    }

    @Test("is not declared where somebody has data, or served once")
    func notFounding() {
        for (position, primary) in [(MachineDriver.old, nil), (Self.nothing, (1, 2))] as [(Position, (UInt64, UInt8)?)]
        {
            var driver = Self.empty()
            driver.winAndCut(at: Self.nothing)
            driver.receive(.etcd(.state(Self.state(revision: 10, leader: (10, 0), primary: primary))))
            driver.answer(from: 1, at: Self.nothing, isVoter: false)
            driver.answer(from: 2, at: position, isVoter: false)
            #expect(!driver.wait(2_400).contains(.etcd(.found(Self.epoch))))
        }
    }

    @Test("is given up when etcd does not keep it in time")
    func bound() {
        var driver = Self.empty()
        driver.winAndCut(at: Self.nothing)
        driver.receive(.etcd(.state(Self.state(revision: 10, leader: (10, 0)))))
        driver.answer(from: 1, at: Self.nothing, isVoter: false)
        driver.answer(from: 2, at: Self.nothing, isVoter: false)
        #expect(driver.wait(2_499).resignation == nil)
        #expect(driver.wait(1).resignation != nil)
    }

    @Test("gives a vote to a member that was there and has followed nobody yet")
    func founder() {
        var driver = Self.cut()
        #expect(
            Self.answer(of: &driver, at: Self.nothing)
                == .cutAnswer(Self.later, position: Self.nothing, isVoter: true)
        )
    }

    @Test("gives a vote to a candidate that hears of it only after it was cut")
    func lateFounder() {
        var driver = Self.empty()
        driver.winAndCut(at: Self.nothing)
        driver.receive(.etcd(.state(Self.state(revision: 11, leader: (10, 0), founded: 10))))
        driver.answer(from: 1, at: Self.nothing)
        driver.wait(150)
        driver.inspected(MachineDriver.report(at: Self.nothing))
        driver.store()
        #expect(driver.lastActions.contains { $0.isPromotion })
    }

    @Test("gives no vote to a member whose Redis was started anew since")
    func restarted() {
        var driver = Self.cut()
        driver.receive(.redis(.stopped))
        driver.receive(.redis(.started(isIntact: false, run: nil)))
        #expect(
            Self.answer(of: &driver, at: Self.nothing)
                == .cutAnswer(Self.later, position: Self.nothing, isVoter: false)
        )
    }

    @Test("gives no vote to a member that started when it was over, and hears a cut of that time late")
    func lateCut() {
        var driver = Self.cut(unfounded: false)
        #expect(
            Self.answer(of: &driver, at: Self.nothing)
                == .cutAnswer(Self.later, position: Self.nothing, isVoter: false)
        )
    }

    @Test("gives no vote to a member that came later")
    func latecomer() {
        var driver = Self.empty()
        driver.receive(.etcd(.state(Self.state(revision: 9, leader: nil))))
        #expect(
            Self.answer(of: &driver, at: Self.nothing)
                == .cutAnswer(Self.later, position: Self.nothing, isVoter: false)
        )
    }

    @Test(
        "matters no more to a member that has data of the leader that it followed",
        arguments: [(MachineDriver.marker, true), (MachineDriver.old, false)]
    )
    func follower(position: Position, votes: Bool) {
        var driver = MachineDriver(memberCount: 3, record: .missing)
        driver.receive(.etcd(.state(Self.state(revision: 10, leader: (10, 1)))))
        driver.receive(.message(.cut(Self.epoch), from: MemberID(1)))
        driver.store()
        driver.detached()
        driver.receive(.etcd(.state(Self.state(revision: 11, leader: (10, 1), primary: (10, 1)))))
        driver.store()
        driver.receive(.redis(.replicating(operation: driver.operation ?? 0, as: nil)))
        #expect(
            Self.answer(of: &driver, at: position) == .cutAnswer(Self.later, position: position, isVoter: votes)
        )
    }
}
