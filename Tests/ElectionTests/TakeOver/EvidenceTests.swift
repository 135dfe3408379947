import Election
import JobCore
import Testing

@Suite("What a member believes of others, and of etcd")
struct EvidenceTests {
    private static let absurd = Epoch(.max)

    @Test(
        "a cut is obeyed only when etcd names its sender the holder of the leader key",
        arguments: [10, .max] as [UInt64]
    )
    func unprovenCut(epoch: UInt64) {
        var driver = MachineDriver(memberCount: 3)
        driver.receive(.etcd(.state(MachineDriver.state(revision: 9, leader: (9, 2)))))
        driver.wait(300)
        driver.receive(.message(.cut(Epoch(epoch)), from: MemberID(1)))
        #expect(driver.lastActions == [.etcd(.readState(askedAt: driver.now))])
        driver.receive(.etcd(.read(MachineDriver.state(revision: 10, leader: (10, 1)), askedAt: driver.now)))
        let isStored = driver.lastActions.contains(.store(MemberRecord(promise: MachineDriver.epoch, isClean: true)))
        #expect(isStored == (epoch == 10))
    }

    @Test("nobody is cut, and nothing promised, for a member that does not hold the key that it names")
    func otherHolder() {
        var driver = MachineDriver(memberCount: 3)
        driver.receive(.etcd(.state(MachineDriver.state(revision: 10, leader: (10, 1)))))
        driver.receive(.message(.cut(MachineDriver.epoch), from: MemberID(2)))
        driver.wait(5_000)
        #expect(driver.machine.record == MachineDriver.clean)
    }

    @Test("absurd epochs in any message change nothing but when etcd is asked, which has a bound")
    func absurdEpochs() {
        var driver = MachineDriver.serving()
        driver.inspected(MachineDriver.report(at: MachineDriver.marker, replicas: [1, 2]))
        var actions: [TakeOverAction] = []
        for _ in 0..<1_000 {
            for message in [
                .cut(Self.absurd),
                .cutAnswer(Self.absurd, position: Position(epoch: Self.absurd, sequence: .max), isVoter: true),
                .cutRefused(MachineDriver.epoch, promised: Self.absurd), .follow(Self.absurd),
                .heartbeat(Self.absurd), .suspect(Self.absurd),
            ] as [PeerMessage] {
                actions += driver.receive(.message(message, from: MemberID(2)))
            }
        }
        #expect(actions.count { if case .etcd(.readState) = $0 { true } else { false } } <= 1)
        #expect(actions.allSatisfy { if case .etcd(.readState) = $0 { true } else { false } })
        #expect(driver.machine.leadership?.epoch == MachineDriver.epoch)
    }

    @Test("a promise that etcd cannot have led to, of an earlier version, is replaced by what etcd has reached")
    func absurdPromise() {
        var driver = MachineDriver(memberCount: 3, record: MemberRecord(promise: Self.absurd, isClean: true))
        driver.receive(.etcd(.read(MachineDriver.state(revision: 9, leader: nil), askedAt: driver.now)))
        #expect(driver.lastActions.contains(.store(MemberRecord(promise: Epoch(9), isClean: true))))
        #expect(!driver.lastActions.contains { if case .etcd(.raiseEpochs) = $0 { true } else { false } })
        driver.store()
        #expect(driver.lastActions.contains { if case .etcd(.campaign) = $0 { true } else { false } })
    }

    @Test("an etcd that has not reached what was promised is raised above it, before anybody campaigns there")
    func raise() {
        var driver = MachineDriver(memberCount: 3, record: MemberRecord(promise: Epoch(5_000), isClean: true))
        driver.receive(.etcd(.read(MachineDriver.state(revision: 9, leader: nil), askedAt: driver.now)))
        #expect(driver.lastActions == [.etcd(.raiseEpochs(above: Epoch(5_000), askedAt: driver.now))])
        driver.receive(.etcd(.read(MachineDriver.state(revision: 6_000, leader: nil), askedAt: driver.now)))
        #expect(driver.lastActions.contains { if case .etcd(.campaign) = $0 { true } else { false } })
    }

    @Test("an etcd that went back is believed when it was asked afterwards, and an old answer is not")
    func emptied() {
        var driver = MachineDriver.serving()
        let before = driver.now
        driver.receive(.etcd(.state(MachineDriver.state(revision: 11, leader: (10, 0), primary: (10, 0)))), after: 10)
        driver.receive(.etcd(.read(MachineDriver.state(revision: 3, leader: nil), askedAt: before)))
        #expect(driver.machine.leadership != nil)
        driver.receive(.etcd(.state(MachineDriver.state(revision: 3, leader: nil))))
        #expect(driver.machine.leadership != nil)
        driver.receive(.etcd(.read(MachineDriver.state(revision: 3, leader: nil), askedAt: driver.now)))
        #expect(driver.machine.leadership == nil)
        #expect(driver.lastActions.contains(.etcd(.raiseEpochs(above: MachineDriver.epoch, askedAt: driver.now))))
    }

    @Test("an etcd that was emptied does not say that nobody ever served")
    func forgetfulEtcd() {
        var driver = MachineDriver(memberCount: 3)
        driver.winAndCut()
        var state = MachineDriver.state(revision: 10, leader: (10, 0))
        state.wasRestarted = true
        driver.receive(.etcd(.state(state)))
        driver.answer(from: 1, at: Position(epoch: Epoch(0), sequence: 0), isVoter: false)
        driver.answer(from: 2, isVoter: false)
        #expect(!driver.wait(2_000).contains { $0.isPromotion })
    }
}
