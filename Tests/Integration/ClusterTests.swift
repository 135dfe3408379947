import Foundation
import Testing

/// Three members with a Redis each, real processes all of them, while some of these die.
@Suite(.serialized)
struct ClusterTests {
    /// Short, so that a test need not wait for long until a front gives up on a cluster that does not answer.
    private static let settings = ["front.hold_timeout": "2s"]

    @Test("whichever process of the leader is killed, a member serves again, and every acknowledged job is there")
    func leader() async throws {
        try await onThread {
            let cluster = try ClusterProcesses(settings: Self.settings)
            let load = ClusterLoad(cluster)
            for role in [Role.manager, .redis] {
                #expect(load.progresses(by: 200), "before the \(role) is killed")
                _ = load.takeLongestPause()
                try Self.fail(cluster) { cluster.kill(role, of: $0) }
                #expect(load.progresses(by: 200), "after the \(role) was killed")
                print("cluster: \(role) of the leader killed, longest pause \(load.takeLongestPause())")
            }

            let former = try Self.fail(cluster) { cluster.kill($0) }
            #expect(try cluster.status().leader != former)
            #expect(load.progresses(by: 200), "after the leader's host was lost")
            print("cluster: host of the leader lost, longest pause \(load.takeLongestPause())")
            try Self.check(load.stop(), against: cluster)
        }
    }

    @Test("a minority acknowledges nothing; with one more member, everything that was acknowledged is there")
    func minority() async throws {
        try await onThread {
            let cluster = try ClusterProcesses(settings: Self.settings)
            let load = ClusterLoad(cluster)
            #expect(load.progresses(by: 200))
            let leader = try #require(try cluster.status().leader)
            let others = cluster.members.filter { $0 != leader }
            for member in others { cluster.kill(member) }

            let client = try cluster.connect(to: leader)
            try client.send(
                #"PUSH {"jid":"lonely-job-1","jobtype":"A","args":[],"queue":"\#(ClusterLoad.queue)"}"# + "\r\n"
            )
            #expect(try client.isClosedSilently(), "neither an acknowledgement nor an error")

            try cluster.start(others[0])
            _ = try cluster.status(when: "a majority is there") { $0.leader != nil }
            #expect(load.progresses(by: 50), "after a majority was there again")
            try Self.check(load.stop(), against: cluster, mayHave: ["lonely-job-1"])
        }
    }

    @Test("when all hosts are lost at once and come back, everything that was acknowledged is there")
    func everything() async throws {
        try await onThread {
            let cluster = try ClusterProcesses(settings: Self.settings)
            let load = ClusterLoad(cluster)
            #expect(load.progresses(by: 500))
            for member in cluster.members { cluster.kill(member) }
            for member in cluster.members { try cluster.start(member) }
            _ = try cluster.status(when: "a member leads again") { $0.leader != nil }
            #expect(load.progresses(by: 50), "after all hosts were back")
            try Self.check(load.stop(), against: cluster)
        }
    }

    @Test("an operator sees the members, lets another one lead, and drains the one that does")
    func handOver() async throws {
        try await onThread {
            let cluster = try ClusterProcesses(settings: Self.settings)
            let load = ClusterLoad(cluster)
            #expect(load.progresses(by: 100))
            let leader = try #require(try cluster.status().leader)
            let successor = try #require(cluster.members.first { $0 != leader })

            let transfer = try cluster.command(["transfer", "\(successor)"])
            #expect(transfer.end == .code(0), "\(transfer.text)")
            #expect(transfer.text.hasPrefix("member \(successor) leads in epoch "))
            #expect(load.progresses(by: 100), "after the transfer")
            print("cluster: planned hand-over, longest pause \(load.takeLongestPause())")

            _ = try cluster.status(when: "every member has a vote") { $0.isComplete }
            #expect(try cluster.command(["drain", "\(leader)"]).text == "member \(leader) does not lead")
            let drain = try cluster.command(["drain", "\(successor)"])
            #expect(drain.end == .code(0), "\(drain.text)")
            #expect(try cluster.status().leader != successor)
            let table = try cluster.command(["status"]).text
            #expect(table.contains("MEMBER  HOST       ROLE"), "\(table)")
            try Self.check(load.stop(), against: cluster)
        }
    }

    /// Lets something happen to the leader, and returns who that was when a member leads in a later epoch.
    @discardableResult
    static func fail(_ cluster: ClusterProcesses, _ fault: (UInt32) -> Void) throws -> UInt32 {
        let complete = try cluster.status(when: "every member has a vote") { $0.isComplete }
        let epoch = try #require(complete.epoch)
        let leader = try #require(complete.leader)
        fault(leader)
        _ = try cluster.status(when: "a member leads in a later epoch") { $0.leader != nil && $0.epoch ?? 0 > epoch }
        return leader
    }

    /// Takes every job out, and holds them against what was acknowledged.
    static func check(
        _ outcome: ClusterLoad.Outcome,
        against cluster: ClusterProcesses,
        mayHave others: Set<String> = []
    ) throws {
        #expect(outcome.errors.isEmpty, "\(outcome.errors.prefix(3))")
        let leader = try #require(try cluster.status().leader)
        let client = try cluster.connect(to: leader)
        var found: [String] = []
        while let job = try client.fetch(ClusterLoad.queue) { found.append(try job.jid) }
        let missing = Set(outcome.acknowledged).subtracting(found)
        #expect(missing.isEmpty, "\(missing.count) of \(outcome.acknowledged.count), such as \(missing.prefix(3))")
        #expect(Set(found).count == found.count, "a job was there twice")
        // A producer's last job may have been taken without its hearing of it.
        let unknown = Set(found).subtracting(outcome.acknowledged).subtracting(others)
        #expect(unknown.count <= cluster.members.count, "\(unknown)")
    }
}
