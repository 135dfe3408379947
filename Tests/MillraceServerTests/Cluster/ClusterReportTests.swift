import Election
import JobCore
import Testing

@testable import MillraceServer

@Suite("What an operator is told of a cluster")
struct ClusterReportTests {
    private static func status(
        _ member: UInt8,
        epoch: UInt64 = 5,
        sequence: UInt64 = 100,
        isServing: Bool = false,
        isVoter: Bool = true,
        isLinkUp: Bool = true,
        isSynchronizing: Bool = false,
        leader: UInt64 = 5
    ) -> MemberStatus {
        let report = RedisReport(
            position: Position(epoch: Epoch(epoch), sequence: sequence),
            isLinkUp: isLinkUp,
            isSynchronizing: isSynchronizing,
            isRewriting: false,
            hasTransferFile: false,
            replicas: MemberSet()
        )
        return MemberStatus(
            member: MemberID(member),
            isServing: isServing,
            leader: ClusterState.Holder(epoch: Epoch(leader), member: MemberID(1)),
            record: MemberRecord(promise: Epoch(leader), isClean: isVoter),
            store: MemberStatus.Store(report, of: Membership([MemberID(1), MemberID(2), MemberID(3)])),
            findings: []
        )
    }

    private static func report(_ statuses: [MemberStatus?]) -> ClusterReport {
        ClusterReport(
            cluster: "test",
            statuses.enumerated().map { (number: UInt8($0.offset + 1), host: "h\($0.offset + 1)", status: $0.element) }
        )
    }

    @Test("the leader, the followers with what they lack, and who does not answer")
    func table() {
        let report = Self.report([Self.status(1, isServing: true), Self.status(2, sequence: 97, isVoter: false), nil])
        #expect(report.leader == 1)
        #expect(report.epoch == 5)
        #expect(report.voterCount == 1)
        #expect(report.isServing)
        #expect(
            report.text == """
                cluster test: member 1 leads in epoch 5

                MEMBER  HOST  ROLE         VOTE  EPOCH  SEQUENCE  LAG
                1       h1    leader       yes   5      100       0
                2       h2    follower     no    5      97        3
                3       h3    unreachable  -     -      -         -

                """
        )
    }

    @Test("a copy that is not up to date is behind, one of another epoch cannot be counted")
    func behind() {
        let report = Self.report([
            Self.status(1, isServing: true), Self.status(2, isLinkUp: false),
            Self.status(3, epoch: 4, sequence: 120, isSynchronizing: true),
        ])
        #expect(report.members.map(\.role) == ["leader", "behind", "behind"])
        #expect(report.members.map(\.lag) == [0, 0, nil])
    }

    @Test("the member that lacks least takes over, or the one that is wanted, and none without a vote")
    func successor() {
        let ready = Self.report([Self.status(1, isServing: true), Self.status(2, sequence: 97), Self.status(3)])
        #expect(ready.successor(nil) == 3)
        #expect(ready.successor(2) == 2)
        #expect(ready.successor(1) == nil)
        #expect(ready.obstacles(nil).isEmpty)

        let busy = Self.report([Self.status(1, isServing: true), Self.status(2, isVoter: false), nil])
        #expect(busy.successor(nil) == nil)
        #expect(
            busy.obstacles(nil) == "member 2 does not have everything on its disk yet, member 3 does not answer"
        )
        let loading = Self.report([Self.status(1, isServing: true), Self.status(2), Self.status(3, isLinkUp: false)])
        #expect(loading.successor(3) == nil)
        #expect(loading.obstacles(3) == "member 3 takes in a copy")
    }

    @Test("of two that believe that they lead, the later one does")
    func deposed() {
        let report = Self.report([
            Self.status(1, isServing: true), Self.status(2, epoch: 6, isServing: true, leader: 6), nil,
        ])
        #expect(report.leader == 2)
    }

    @Test("a member whose Redis does not answer says so and has no vote, and without a leader nothing is served")
    func withoutStore() {
        var status = Self.status(1)
        status.store = nil
        let report = Self.report([status, Self.status(2), nil])
        #expect(report.members[0].role == "without store")
        #expect(report.members.map(\.hasVote) == [false, true, nil])
        #expect(report.voterCount == 1)
        #expect(report.text.contains("\n1       h1    without store  no "))
        #expect(!report.isServing)
        let reason = "since 1 of 3 have a vote and 2 must have one"
        #expect(report.text.hasPrefix("cluster test: no member leads, \(reason)\n"))
    }

    @Test("where one of them is enough, nobody is said to be missing")
    func shared() {
        let report = ClusterReport(
            cluster: "test",
            sharesStore: true,
            [(number: 1, host: "h1", status: Self.status(1)), (number: 2, host: "h2", status: nil)]
        )
        #expect(report.text.hasPrefix("cluster test: no member leads\n"))
    }
}
