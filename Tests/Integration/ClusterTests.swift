import Foundation
import Testing

/// Three members with a Redis each, real processes all of them, while some of these die.
@Suite(.serialized)
struct ClusterTests {
    /// Short, so that a test need not wait for long until a front gives up on a cluster that does not answer.
    private static let settings = ["front.hold_timeout": "2s"]

    /// How many connections take the jobs out when they are counted.
    private static let workerCount = 16

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

    @Test(
        "a new cluster goes on without its first leader, lost for good as soon as it led",
        arguments: ["disk", "memory"]
    )
    func founder(durability: String) async throws {
        try await onThread {
            let settings = Self.settings.merging(["durability": durability]) { $1 }
            let cluster = try ClusterProcesses(settings: settings, waitsForVotes: false)
            let first = try #require(try cluster.status(when: "a member leads") { $0.leader != nil }.leader)
            cluster.kill(first)
            let next = try cluster.status(when: "another member leads") { $0.leader != nil && $0.leader != first }
            let client = try cluster.connect(to: try #require(next.leader))
            let push = #"PUSH {"jid":"after-founder-1","jobtype":"A","args":[]}"#
            #expect(try client.ask(push) == "+OK\r\n")
        }
    }

    @Test(
        "an etcd that was emptied holds a cluster up for a moment: a member leads in a later epoch, and nothing is lost"
    )
    func emptiedEtcd() async throws {
        try await onThread {
            let cluster = try ClusterProcesses(settings: Self.settings)
            let load = ClusterLoad(cluster)
            // Its revisions are far ahead of those with which another one begins.
            for _ in 0..<3 { try Self.fail(cluster) { cluster.kill(.manager, of: $0) } }
            #expect(load.progresses(by: 200))
            let epoch = try #require(try cluster.status().epoch)
            _ = load.takeLongestPause()
            try cluster.emptyEtcd()
            _ = try cluster.status(when: "a member leads in a later epoch") {
                $0.leader != nil && $0.epoch ?? 0 > epoch
            }
            #expect(load.progresses(by: 200), "after etcd was emptied")
            print("cluster: etcd emptied, longest pause \(load.takeLongestPause())")
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

    @Test("in memory, a host started anew has no vote: two of three have no leader, all three the best of them")
    func memory() async throws {
        try await onThread {
            let cluster = try ClusterProcesses(settings: Self.settings.merging(["durability": "memory"]) { $1 })
            let load = ClusterLoad(cluster)
            #expect(load.progresses(by: 200))
            let epoch = try #require(try cluster.status().epoch)
            for member in cluster.members { cluster.kill(member) }
            for member in [UInt32(1), 2] { try cluster.start(member) }
            let status = try cluster.status(when: "both have stood for election") { status in
                status.members.count { $0.status?.promise ?? 0 > epoch } == 2
            }
            #expect(status.leader == nil)
            #expect(status.members.allSatisfy { $0.status?.isVoter != true })
            #expect(try cluster.command(["status"]).text.contains("since 0 of 3 have a vote and 2 must have one"))

            try cluster.start(3)
            _ = try cluster.status(when: "every member has a vote") { $0.isComplete }
            #expect(load.progresses(by: 50), "after all were back")

            // Of a follower that is started anew nobody notices anything, and the one that went on leads without its vote.
            let leader = try #require(try cluster.status().leader)
            let others = cluster.members.filter { $0 != leader }
            cluster.kill(others[0])
            cluster.kill(others[1])
            _ = try cluster.status(when: "the majority is gone") { $0.leader == nil }
            try cluster.start(others[1])
            _ = try cluster.status(when: "the last leader leads again") { $0.leader == leader }
            #expect(load.progresses(by: 50), "with two of three")
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

            // The former leader takes in a copy now: who asks for the next hand-over at once is made to wait for it.
            #expect(try cluster.command(["drain", "\(leader)"]).text == "member \(leader) does not lead")
            let drain = try cluster.command(["drain", "\(successor)"])
            #expect(drain.end == .code(0), "\(drain.text)")
            #expect(try cluster.status().leader != successor)
            let table = try cluster.command(["status"]).text
            #expect(table.contains("MEMBER  HOST       ROLE"), "\(table)")
            try Self.check(load.stop(), against: cluster)
        }
    }

    @Test("an encrypted cluster works; who has no key, an unknown one or one of another role gets nothing of it")
    func encrypted() async throws {
        try await onThread {
            let cluster = try ClusterProcesses(settings: Self.settings, isEncrypted: true)
            let load = ClusterLoad(cluster)
            #expect(load.progresses(by: 100))
            try Self.fail(cluster) { cluster.kill(.manager, of: $0) }
            #expect(load.progresses(by: 100), "after the leader's manager was killed")

            // A front on a host of its own is heard.
            let front = try cluster.startFront(keys: cluster.keyFlags(of: "front"))
            let client = try cluster.connect(to: 9)
            let push = #"PUSH {"jid":"of-a-front-1","jobtype":"A","args":[],"queue":"other"}"#
            #expect(try client.ask(push) == "+OK\r\n")
            front.kill()

            try cluster.makeStrangersKeys("stranger")
            try cluster.writeForgedList("forged")
            let strangers = cluster.keyFlags(of: "stranger", list: "stranger-list")
            for keys in [[], strangers] {
                let front = try cluster.startFront(keys: keys)
                defer { front.kill() }
                let client = try cluster.connect(to: 9)
                try client.send(push.replacing("front-1", with: "stranger") + "\r\n")
                #expect(try client.isClosedSilently(), "neither an acknowledgement nor an error")
            }
            for keys in [[], strangers, cluster.keyFlags(of: "front", list: "forged")] {
                let status = try cluster.command(["status"], keys: keys)
                #expect(status.end == .code(1))
                #expect(status.text.contains("no member leads"), "\(status.text)")
                #expect(status.text.split(separator: "unreachable").count == 4, "\(status.text)")
            }
            #expect(cluster.members.contains { cluster.log(of: $0).contains("a peer was turned away") })

            // Put on the list, it is heard once the hosts have read it again.
            try cluster.admitFront(withKey: "stranger")
            let former = try cluster.startFront(keys: strangers)
            #expect(try cluster.connect(to: 9).ask(push.replacing("front-1", with: "friend")) == "+OK\r\n")
            former.kill()

            let leader = try #require(try cluster.status().leader)
            let witness = try cluster.connect(to: leader)
            #expect(try witness.fetch("other")?.jid == "of-a-front-1")
            #expect(try witness.fetch("other")?.jid == "of-a-friend")
            #expect(try witness.fetch("other") == nil)
            try Self.check(load.stop(), against: cluster)
        }
    }

    @Test("any two of five members may be lost at once; with three lost nothing is acknowledged, and it is said why")
    func five() async throws {
        try await onThread {
            let cluster = try ClusterProcesses(settings: Self.settings, memberCount: 5)
            let load = ClusterLoad(cluster)
            #expect(load.progresses(by: 200))
            try Self.fail(cluster) { leader in
                for member in [leader, leader % 5 + 1] { cluster.kill(member) }
            }
            #expect(load.progresses(by: 200), "after two of five were lost")
            print("cluster: two of five lost, longest pause \(load.takeLongestPause())")

            let report = try cluster.status()
            let survivors = report.members.filter { $0.role != "unreachable" }.map(\.number)
            #expect(survivors.count == 3)
            let third = try #require(report.leader)
            let epoch = try #require(report.epoch)
            cluster.kill(third)
            let witness = try #require(survivors.first { $0 != third })
            // The lease has ended by then, and those that are left have tried.
            _ = try cluster.status(when: "a survivor stands for election") { status in
                status.members.contains { $0.status?.promise ?? 0 > epoch }
            }
            let client = try cluster.connect(to: witness)
            try client.send(
                #"PUSH {"jid":"lonely-job-1","jobtype":"A","args":[],"queue":"\#(ClusterLoad.queue)"}"# + "\r\n"
            )
            #expect(try client.isClosedSilently(), "neither an acknowledgement nor an error")
            let refusal = try cluster.command(["status"])
            #expect(refusal.end == .code(1))
            #expect(
                refusal.text.hasPrefix(
                    "cluster millrace: no member leads, since 2 of 5 have a vote and 3 must have one"
                ),
                "\(refusal.text)"
            )

            try cluster.start(third)
            _ = try cluster.status(when: "a majority is there") { $0.leader != nil }
            #expect(load.progresses(by: 50), "after a majority was there again")
            try Self.check(load.stop(), against: cluster, mayHave: ["lonely-job-1"])
        }
    }

    @Test("a survivor leads an empty host only when told to, and what others alone have does not come back with them")
    func recovery() async throws {
        try await onThread {
            let cluster = try ClusterProcesses(settings: Self.settings)
            let load = ClusterLoad(cluster)
            #expect(load.progresses(by: 200))
            let outcome = load.stop()
            let leader = try #require(try cluster.status(when: "every member has a vote") { $0.isComplete }.leader)
            let others = cluster.members.filter { $0 != leader }
            let (survivor, victim) = (others[0], others[1])
            for member in others { cluster.kill(member) }
            // What a leader writes that nobody confirms: it is in its Redis alone, which then is lost, too. By its hands
            // only one transaction would get so far, and nobody could say whose.
            let extra = "lonely-job-1"
            try #require(try cluster.redis(of: leader, "hset", "mr:jobs", extra, "never confirmed") == "1")
            try #require(Int(try cluster.redis(of: leader, "hincrby", "mr:cluster", "sequence", "100")) ?? 0 > 100)
            cluster.kill(leader)

            try cluster.wipe(victim)
            for member in others { try cluster.start(member) }
            // A Redis that has only just loaded its log may be about to rewrite it, and has no vote until it has.
            _ = try cluster.status(when: "both answer, and the survivor has its vote") { status in
                others.allSatisfy { status.role(of: $0) != "unreachable" && status.role(of: $0) != "without store" }
                    && status.voterCount == 1
            }
            let refusal = try cluster.command(["recover"])
            #expect(refusal.end == .code(1))
            #expect(refusal.text.contains("since 1 of 3 have a vote and 2 must have one"), "\(refusal.text)")
            #expect(refusal.text.contains("member \(survivor) has epoch "), "\(refusal.text)")
            #expect(refusal.text.contains("member \(victim) has epoch 0, sequence 0, and cannot vouch for it"))
            #expect(refusal.text.hasSuffix("what only a missing member has is lost."), "\(refusal.text)")
            #expect(try cluster.status().leader == nil, "nobody leads before it was told to")

            let recovery = try cluster.command(["recover", "--accept-loss"])
            #expect(recovery.end == .code(0), "\(recovery.text)")
            #expect(recovery.text.contains("member \(survivor) leads in epoch "), "\(recovery.text)")

            try cluster.start(leader)
            _ = try cluster.status(when: "the one with more follows, and has a vote") { $0.isComplete }
            let transfer = try cluster.command(["transfer", "\(leader)"])
            #expect(transfer.end == .code(0), "\(transfer.text)")
            // Of what it alone had, nothing is left.
            #expect(try cluster.redis(of: leader, "hexists", "mr:jobs", extra) == "0")
            try Self.check(outcome, against: cluster)
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
        // A connection has one command under way; several of them share a turn of the leader.
        let clients = try (0..<Self.workerCount).map { _ in try cluster.connect(to: leader) }
        var found: [String] = []
        var isEmpty = false
        while !isEmpty {
            for client in clients { try client.send("FETCH \(ClusterLoad.queue)\r\n") }
            let jobs = try clients.compactMap { try $0.readBulk().map(FetchedPayload.init) }
            found += try jobs.map { try $0.jid }
            isEmpty = jobs.count < clients.count
        }
        let missing = Set(outcome.acknowledged).subtracting(found)
        #expect(missing.isEmpty, "\(missing.count) of \(outcome.acknowledged.count), such as \(missing.prefix(3))")
        #expect(Set(found).count == found.count, "a job was there twice")
        // A producer's last job may have been taken without its hearing of it.
        let unknown = Set(found).subtracting(outcome.acknowledged).subtracting(others)
        #expect(unknown.count <= cluster.members.count, "\(unknown)")
    }
}
