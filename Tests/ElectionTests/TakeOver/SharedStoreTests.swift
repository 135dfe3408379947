import Election
import JobCore
import Testing

@Suite("Members that share one store")
struct SharedStoreTests {
    private static let promotion = TakeOverAction.redis(.promote(operation: 3, MachineDriver.epoch))

    @Test("one of them leads, though no other answers", arguments: [2, 3])
    func alone(memberCount: Int) {
        var driver = MachineDriver(memberCount: memberCount, sharesStore: true)
        driver.winAndCut()
        #expect(driver.wait(150).contains(Self.promotion))
        driver.receive(.redis(.promoted(operation: 3, MachineDriver.marker)))
        driver.receive(.etcd(.published(MachineDriver.epoch)))
        driver.receive(.redis(.markerHeld(MachineDriver.epoch, by: MemberSet())))
        #expect(driver.machine.ticket?.epoch == MachineDriver.epoch)
    }

    @Test("a leader trusts its lease no longer than from when it asked for it, and then leads no more")
    func lease() {
        var driver = MachineDriver(memberCount: 2, sharesStore: true)
        driver.winAndCut()
        driver.wait(150)
        driver.receive(.redis(.promoted(operation: 3, MachineDriver.marker)))
        driver.receive(.etcd(.published(MachineDriver.epoch)))
        driver.receive(.redis(.markerHeld(MachineDriver.epoch, by: MemberSet())))
        let end = driver.machine.leadership?.trustedUntil
        #expect(end == Uptime(nanoseconds: 3_000_000_000))
        // Nothing answers its renewals.
        let actions = driver.receive(.tick, after: 3_000 - driver.milliseconds)
        #expect(actions.contains(.stopServing(MachineDriver.epoch)))
        #expect(driver.machine.ticket == nil)
    }

    @Test("one that alone hears nothing of the leader does not depose it; the lease has to end")
    func suspicion() {
        for memberCount in [2, 3] {
            var driver = MachineDriver(memberCount: memberCount, sharesStore: true)
            driver.receive(.etcd(.state(MachineDriver.state(revision: 10, leader: (10, 1)))))
            driver.receive(.disconnected(MemberID(1)))
            #expect(!driver.wait(10_000).contains(.etcd(.removeLeader(MachineDriver.epoch))))
        }
    }
}
