import Election
import JobCore
import Testing

@Suite("The election of single mode")
struct SoleElectionTests {
    @Test("gives the only manager an epoch above every one that the data has seen", arguments: [0, 1, 41, 1 << 62])
    func epoch(latest: UInt64) {
        let leadership = SoleElection().leadership(after: Epoch(latest), at: Uptime(nanoseconds: 5))
        #expect(leadership == Leadership(epoch: Epoch(latest + 1), trustedUntil: nil))
    }

    @Test("lets a manager that resigned lead again, under a later epoch")
    func again() throws {
        let election = SoleElection()
        let first = try #require(election.leadership(after: Epoch(3), at: Uptime(nanoseconds: 0)))
        election.resign(first)
        let second = try #require(election.leadership(after: first.epoch, at: Uptime(nanoseconds: 1)))
        #expect(first.epoch < second.epoch)
    }
}
