import Foundation
import Testing

/// The list of members, changed while real processes go by it.
@Suite(.serialized)
struct MemberChangeTests {
    private static let settings = ["front.hold_timeout": "2s"]

    @Test("a host is replaced by an empty one, which gets a vote, and no job is lost; other steps are refused")
    func replacement() async throws {
        try await onThread {
            let cluster = try ClusterProcesses(settings: Self.settings)
            let load = ClusterLoad(cluster)
            #expect(load.progresses(by: 200))
            let drain = try cluster.command(["drain", "3"])
            try #require(drain.end == .code(0), "\(drain.text)")
            _ = try cluster.status(when: "every member has a vote") { $0.isComplete }
            let before = cluster.memberList
            cluster.kill(3)
            try cluster.wipe(3)

            cluster.move(2, to: 5)
            cluster.move(3, to: 4)
            let leap = try Self.refusal(of: cluster)
            #expect(leap.contains("the lists differ by more than one member"), "\(leap)")
            cluster.move(2, to: 2)

            let change = try cluster.startChange()
            try change.wait(forLineWith: "member 3 is at 127.0.0.4 instead of 127.0.0.3")
            // Each manager ended, was started with the settings that it had, and says what to do about it.
            let reason = "the members are \(cluster.memberList) in etcd, and \(before) in the settings of this host"
            for member in [UInt32(1), 2] {
                try cluster.host(member)?.wait(forLineWith: reason, count: 2)
            }
            for member in [UInt32(1), 2] { cluster.kill(member) }
            for member in [UInt32(1), 2] { try cluster.start(member) }
            try cluster.start(3)
            #expect(try change.waitForEnd() == .code(0), "\(change.text)")
            #expect(change.text.contains(" leads in epoch "), "\(change.text)")
            _ = try cluster.status(when: "the new host has everything, and a vote") { $0.isComplete }
            #expect(load.progresses(by: 100), "after the change")
            print("cluster: a host replaced, longest pause \(load.takeLongestPause())")

            // Of those that are left, one is the new host.
            let former = try ClusterTests.fail(cluster) { cluster.kill($0) }
            #expect(load.progresses(by: 100), "after the leader's host was lost")
            let last = try #require(try cluster.status().leader)
            cluster.kill(last)
            cluster.move(former, to: 6)
            let refusal = try Self.refusal(of: cluster)
            #expect(
                ["no member leads", "does not serve yet", "is the one to be changed"].contains { refusal.contains($0) },
                "\(refusal)"
            )
            cluster.move(former, to: former == 3 ? 4 : former)

            for member in [former, last] { try cluster.start(member) }
            _ = try cluster.status(when: "every member has a vote") { $0.isComplete }
            let shown = try cluster.command(["members", "--set", "cluster.member=1"])
            #expect(shown.end == .code(0) && shown.text.contains("They agree."), "\(shown.text)")
            try ClusterTests.check(load.stop(), against: cluster)
        }
    }

    @Test("an encrypted cluster grows from three members to five, bears the loss of two, and is made smaller again")
    func growth() async throws {
        try await onThread {
            let cluster = try ClusterProcesses(settings: Self.settings, isEncrypted: true)
            let load = ClusterLoad(cluster)
            #expect(load.progresses(by: 100))
            for member in [UInt32(4), 5] {
                cluster.move(member, to: member)
                try Self.change(cluster, expecting: "member \(member) at 127.0.0.\(member) is added")
                #expect(load.progresses(by: 50), "after member \(member) was added")
            }
            try ClusterTests.fail(cluster) { leader in
                for member in [leader, leader % 5 + 1] { cluster.kill(member) }
            }
            #expect(load.progresses(by: 50), "after two of five were lost")
            let lost = cluster.members.filter { cluster.host($0) == nil }
            for member in lost { try cluster.start(member) }
            let leader = try #require(try cluster.status(when: "every member has a vote") { $0.isComplete }.leader)

            let leaver = try #require(cluster.members.last { $0 != leader && $0 != 1 })
            cluster.remove(leaver)
            try Self.change(cluster, expecting: "member \(leaver) at 127.0.0.\(leaver) is removed")
            cluster.kill(leaver)
            #expect(load.progresses(by: 50), "after member \(leaver) was taken off")
            try ClusterTests.check(load.stop(), against: cluster)
        }
    }

    /// Changes the list to that of the cluster, and starts every host of it anew, as an operator does.
    private static func change(_ cluster: ClusterProcesses, expecting line: String) throws {
        let change = try cluster.startChange()
        try change.wait(forLineWith: line)
        for member in cluster.members where cluster.host(member) != nil {
            cluster.kill(member)
            try cluster.start(member)
        }
        for member in cluster.members where cluster.host(member) == nil { try cluster.start(member) }
        #expect(try change.waitForEnd() == .code(0), "\(change.text)")
        _ = try cluster.status(when: "every member has a vote") { $0.isComplete }
    }

    /// Why the list is not changed.
    private static func refusal(of cluster: ClusterProcesses) throws -> String {
        let program = try cluster.startChange()
        #expect(try program.waitForEnd() == .code(1))
        #expect(program.text.contains("the list stays as it is: "), "\(program.text)")
        return program.text
    }
}
