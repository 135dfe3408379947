import Election
import ElectionEtcd
import JobCore
import Testing

@testable import MillraceServer

@Suite("A change of the list of members")
struct MemberChangeTests {
    private static func members(_ text: String) throws -> [ClusterSection.Member] {
        try #require(MemberChange.members(in: text))
    }

    private static func change(_ old: String, _ new: String) throws -> MemberChange? {
        try MemberChange(from: try Self.members(old), to: try Self.members(new))
    }

    /// What is said when a change is refused; nil when it is not.
    private static func refusal(
        _ change: MemberChange,
        _ reading: EtcdMemberList.Reading,
        _ report: ClusterReport,
        sharesStore: Bool = false
    ) -> String? {
        do throws(MemberChange.Refusal) {
            try change.check(reading, report, sharesStore: sharesStore)
            return nil
        } catch {
            return error.description
        }
    }

    private static func reading(_ text: String, leader: UInt8?, epoch: UInt64 = 20) -> EtcdMemberList.Reading {
        let holder = leader.map { ClusterState.Holder(epoch: Epoch(epoch), member: MemberID($0)) }
        let created = holder == nil ? 0 : epoch
        return EtcdMemberList.Reading(text: text, revision: 10, leader: holder, leaderRevision: created)
    }

    /// Members of which the first serves.
    private static func report(_ numbers: [UInt8], voters: [UInt8], epoch: UInt64 = 20) -> ClusterReport {
        let leader = ClusterState.Holder(epoch: Epoch(epoch), member: MemberID(numbers[0]))
        let store = RedisReport(
            position: Position(epoch: Epoch(epoch), sequence: 1),
            isLinkUp: true,
            isSynchronizing: false,
            isRewriting: false,
            hasTransferFile: false,
            replicas: MemberSet()
        )
        return ClusterReport(
            cluster: "test",
            numbers.map { number in
                let status = MemberStatus(
                    member: MemberID(number),
                    isServing: number == numbers[0],
                    leader: leader,
                    record: MemberRecord(promise: Epoch(epoch), isClean: voters.contains(number)),
                    store: MemberStatus.Store(store, of: Membership(numbers.map { MemberID($0) })),
                    findings: []
                )
                return (number: number, host: "h\(number)", status: status)
            }
        )
    }

    @Test("one that is added, removed or has another address is told, in whatever order the lists are")
    func steps() throws {
        let moved = try #require(try Self.change("1@a,2@b,3@c", "3@d,2@b,1@a"))
        #expect(moved.kind == .moved(.init(number: 3, host: "c"), to: .init(number: 3, host: "d")))
        #expect(moved.description == "member 3 is at d instead of c")
        #expect(moved.common.map(\.number) == [1, 2])
        #expect(moved.quorum == 2)
        let added = try #require(try Self.change("1@a,2@b,3@c", "4@d,1@a,2@b,3@c"))
        #expect(added.kind == .added(.init(number: 4, host: "d")))
        #expect(added.quorum == 3)
        let removed = try #require(try Self.change("1@a,2@b,3@c,4@d", "1@a,2@b,4@d"))
        #expect(removed.kind == .removed(.init(number: 3, host: "c")))
        #expect(removed.quorum == 2)
        #expect(try Self.change("1@a,2@b", "2@b,1@a") == nil)
    }

    @Test(
        "a step of two members is refused, whatever it is",
        arguments: ["1@a,2@b", "1@a,2@b,3@c,4@d,5@e,6@f", "1@a,2@b,3@x,4@y", "1@a,2@b,3@c,5@d", "1@a,2@b,3@d,4@c"]
    )
    func leaps(text: String) {
        #expect(throws: MemberChange.Refusal.self) { _ = try Self.change("1@a,2@b,3@c,4@d", text) }
    }

    @Test("what no member can have written is no list", arguments: ["", "1@a,", "1", "64@a", "1@a, 2@b"])
    func foreign(text: String) {
        #expect(MemberChange.members(in: text) == nil)
    }

    @Test("a change waits for a leader that was elected under the list, that serves, and that is not the one to change")
    func leader() throws {
        let text = "1@a,2@b,3@c"
        let change = try #require(try Self.change(text, "1@a,2@b,3@d"))
        let report = Self.report([1, 2], voters: [1, 2])
        #expect(Self.refusal(change, Self.reading(text, leader: 1), report) == nil)

        let nobody = Self.refusal(change, Self.reading(text, leader: nil), report)
        #expect(nobody?.hasPrefix("no member leads") == true)
        let early = Self.refusal(change, Self.reading(text, leader: 1, epoch: 9), report)
        #expect(early?.hasPrefix("member 1 leads since before the last change") == true)
        let changed = Self.refusal(change, Self.reading(text, leader: 3), report)
        #expect(changed?.contains("millrace cluster drain 3 --set cluster.members=1@a,2@b,3@c") == true)
        for reading in [Self.reading(text, leader: 2), Self.reading(text, leader: 1, epoch: 21)] {
            let idle = Self.refusal(change, reading, report)
            #expect(idle?.contains("does not serve yet, or does not answer") == true)
        }
    }

    @Test("so many of those that stay must have a vote that one of them can lead")
    func votes() throws {
        let text = "1@a,2@b,3@c"
        let added = try #require(try Self.change(text, "1@a,2@b,3@c,4@d"))
        let reading = Self.reading(text, leader: 1)
        #expect(Self.refusal(added, reading, Self.report([1, 2, 3], voters: [1, 2, 3])) == nil)
        let refusal = Self.refusal(added, reading, Self.report([1, 2, 3], voters: [1, 2]))
        #expect(refusal?.hasPrefix("2 of the members that stay have a vote and answer, and 3 must") == true)
        #expect(Self.refusal(added, reading, Self.report([1, 2], voters: [1]), sharesStore: true) == nil)

        // A second member has no vote before it has a copy, and its answer will do.
        let second = try #require(try Self.change("1@a", "1@a,2@b"))
        #expect(Self.refusal(second, Self.reading("1@a", leader: 1), Self.report([1], voters: [1])) == nil)
        #expect(Self.refusal(second, Self.reading("1@a", leader: 1), Self.report([1], voters: [])) != nil)
    }
}
