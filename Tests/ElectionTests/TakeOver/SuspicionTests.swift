import Election
import JobCore
import Testing

@Suite("A member that hears nothing of the leader")
struct SuspicionTests {
    private static let leader = MemberID(1)
    private static let removal = TakeOverAction.etcd(.removeLeader(MachineDriver.epoch))
    private static let doubt = PeerMessage.suspect(MachineDriver.epoch)

    /// Member 0 of as many, which knows that member 1 leads.
    private static func led(memberCount: Int = 3) -> MachineDriver {
        var driver = MachineDriver(memberCount: memberCount)
        driver.receive(.etcd(.state(MachineDriver.state(revision: 10, leader: (10, 1)))))
        return driver
    }

    @Test("says so after a second and a half, and does nothing alone")
    func alone() {
        var driver = Self.led()
        #expect(!driver.wait(1_499).contains(.send(Self.doubt, to: MemberID(2))))
        let actions = driver.wait(3_000)
        #expect(actions.contains(.send(Self.doubt, to: MemberID(2))))
        #expect(!actions.contains(Self.removal))
    }

    @Test("removes the leader key when a majority hears nothing", arguments: [3, 5])
    func majority(memberCount: Int) {
        var driver = Self.led(memberCount: memberCount)
        driver.wait(1_500)
        for member in 2..<UInt8(memberCount / 2 + 1) {
            driver.receive(.message(Self.doubt, from: MemberID(member)))
            #expect(!driver.lastActions.contains(Self.removal))
        }
        driver.receive(.message(Self.doubt, from: MemberID(UInt8(memberCount / 2 + 1))))
        #expect(driver.lastActions.contains(Self.removal))
    }

    @Test("does not count a suspicion that is old, of another epoch, or told twice")
    func worthless() {
        var driver = Self.led(memberCount: 5)
        driver.receive(.message(Self.doubt, from: MemberID(2)), after: 400)
        driver.wait(1_100)
        for event in [
            .message(Self.doubt, from: MemberID(3)), .message(Self.doubt, from: MemberID(3)),
            .message(.suspect(Epoch(9)), from: MemberID(4)),
        ] as [TakeOverEvent] {
            #expect(!driver.receive(event).contains(Self.removal))
        }
    }

    @Test("is content with a heartbeat")
    func heartbeat() {
        var driver = Self.led()
        driver.receive(.message(Self.doubt, from: MemberID(2)), after: 1_400)
        driver.receive(.message(.heartbeat(MachineDriver.epoch), from: Self.leader))
        #expect(!driver.wait(500).contains(Self.removal))
    }

    @Test("suspects a leader whose connection was reset after a fifth of a second, unless it comes back")
    func reset() {
        var gone = Self.led()
        gone.receive(.disconnected(Self.leader))
        #expect(!gone.wait(199).contains(.send(Self.doubt, to: MemberID(2))))
        #expect(gone.wait(1).contains(.send(Self.doubt, to: MemberID(2))))

        var back = Self.led()
        back.receive(.disconnected(Self.leader))
        back.receive(.connected(Self.leader), after: 100)
        #expect(!back.wait(500).contains(.send(Self.doubt, to: MemberID(2))))
    }

    @Test("leaves the key to the member that is preferred for a second, and then takes it")
    func preference() {
        var driver = MachineDriver(memberCount: 3)
        var state = MachineDriver.state(revision: 10, leader: nil)
        state.preferred = MemberID(2)
        driver.receive(.etcd(.state(state)))
        let isBid = { (action: TakeOverAction) in if case .etcd(.campaign) = action { true } else { false } }
        #expect(!driver.wait(999).contains(where: isBid))
        #expect(driver.wait(1).contains(where: isBid))
    }

    @Test("asks etcd now and then however often a majority suspects the leader, which etcd may know nothing of")
    func asksEtcd() {
        var driver = MachineDriver(memberCount: 3)
        driver.receive(.etcd(.state(MachineDriver.state(revision: 10, leader: (10, 1)))))
        driver.wait(1_600)
        var questionCount = 0
        for _ in 0..<40 {
            driver.receive(.message(.suspect(MachineDriver.epoch), from: MemberID(2)))
            questionCount += driver.wait(100).count { if case .etcd(.readState) = $0 { true } else { false } }
        }
        #expect(questionCount >= 4)
    }
}
