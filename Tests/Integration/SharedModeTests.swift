import Foundation
import TestSupport
import Testing

/// Several managers over one Redis, real processes all of them, while some of these die or stand still.
@Suite(.serialized)
struct SharedModeTests {
    private static func push(_ jid: String) -> String {
        #"PUSH {"jid":"\#(jid)","jobtype":"A","args":[],"queue":"q"}"#
    }

    @Test("when the leader's manager or its whole host is killed one leads again, and everything acknowledged is there")
    func killed() async throws {
        try await onThread {
            let redis = try RedisServer(listeningOnTCP: true)
            let cluster = try ClusterProcesses(redis: redis)
            let load = ClusterLoad(cluster)
            #expect(load.progresses(by: 200))
            _ = load.takeLongestPause()
            try ClusterTests.fail(cluster) { cluster.kill(.manager, of: $0) }
            #expect(load.progresses(by: 200), "after the manager was killed")
            print("shared: manager of the leader killed, longest pause \(load.takeLongestPause())")

            let former = try ClusterTests.fail(cluster) { cluster.kill($0) }
            #expect(try cluster.status().leader != former)
            #expect(load.progresses(by: 200), "after the leader's host was lost")
            print("shared: host of the leader lost, longest pause \(load.takeLongestPause())")
            try ClusterTests.check(load.stop(), against: cluster)
        }
    }

    @Test("a leader that was stopped for longer than its lease writes nothing when it goes on, and follows")
    func stopped() async throws {
        try await onThread {
            let redis = try RedisServer(listeningOnTCP: true)
            let ways = try (1...2).map { _ in try Forwarder(to: try #require(redis.port)) }
            let cluster = try ClusterProcesses(
                settings: [
                    // Long enough for a busy machine: whoever leads at the beginning has to lead until it is stopped.
                    "cluster.lease_ttl": "5s",
                    // A leader that asks for what is due would wait for that, and not come to write.
                    "scheduler.scheduled_interval": "3600s", "scheduler.retries_interval": "3600s",
                    "scheduler.purge_interval": "3600s",
                ],
                memberCount: 2,
                redis: redis,
                ways: [1: ways[0], 2: ways[1]]
            )
            let former = try #require(try cluster.status().leader)
            let successor = try #require(cluster.members.first { $0 != former })
            let clients = try cluster.members.map { try cluster.connect(to: $0) }

            // The first of these has left the leader when that stops, and is on its way to the Redis. The others reach the
            // leader that stands still, and wait there for it to go on.
            let way = ways[Int(former) - 1]
            way.hold()
            try clients[0].send(Self.push("pending-job-0") + "\r\n")
            #expect(way.waitForHeld("pending-job-0"))
            cluster.send(SIGSTOP, to: .manager, of: former)
            defer { cluster.send(SIGCONT, to: .manager, of: former) }
            for (number, client) in clients.enumerated().dropFirst() {
                try client.send(Self.push("pending-job-\(number)") + "\r\n")
            }
            let status = try cluster.status(when: "the other one leads") { $0.leader == successor }
            #expect(status.role(of: former) == "unreachable")
            for client in clients { #expect(try client.readReply() == "+OK\r\n") }
            for client in clients {
                let job = try #require(try client.fetch("q"))
                #expect(try client.ask(#"ACK {"jid":"\#(try job.jid)"}"#) == "+OK\r\n")
            }
            #expect(try Self.ask(redis, "exists", "mr:jobs", "mr:queue:q") == "0")

            way.release()
            #expect(way.waitForReturned("*-1\r\n"), "Redis has not dropped the transaction")
            cluster.send(SIGCONT, to: .manager, of: former)
            try cluster.host(former)?.wait(forLineWith: "this member leads no more")
            _ = try cluster.status(when: "the former leader follows") { $0.role(of: former) == "follower" }
            #expect(try Self.ask(redis, "hget", "mr:cluster", "epoch") == "\(try #require(status.epoch))")
            #expect(try Self.ask(redis, "exists", "mr:jobs", "mr:queue:q") == "0", "what was done is there again")
            let figures = try clients[0].info().faktory
            #expect(figures.total_processed == clients.count && figures.total_enqueued == 0)

            // It has lost nothing that it needs to lead another time.
            let transfer = try cluster.command(["transfer", "\(former)"])
            #expect(transfer.end == .code(0), "\(transfer.text)")
            #expect(try clients[0].ask(Self.push("later-job")) == "+OK\r\n")
            #expect(try clients[1].fetch("q")?.jid == "later-job")
        }
    }

    @Test("an operator sees the managers, lets another one lead, and drains the one that does")
    func handOver() async throws {
        try await onThread {
            let redis = try RedisServer(listeningOnTCP: true)
            let cluster = try ClusterProcesses(memberCount: 2, redis: redis)
            let load = ClusterLoad(cluster)
            #expect(load.progresses(by: 100))
            let leader = try #require(try cluster.status().leader)
            let other = try #require(cluster.members.first { $0 != leader })
            _ = load.takeLongestPause()
            let transfer = try cluster.command(["transfer"])
            #expect(transfer.text.hasPrefix("member \(other) leads in epoch "), "\(transfer.text)")
            #expect(load.progresses(by: 100), "after the transfer")
            print("shared: planned hand-over, longest pause \(load.takeLongestPause())")
            let drain = try cluster.command(["drain", "\(other)"])
            #expect(drain.text.hasPrefix("member \(leader) leads in epoch "), "\(drain.text)")
            let recovery = try cluster.command(["recover"])
            #expect(recovery.end == .code(2))
            #expect(recovery.text.contains("nothing to recover in shared mode"), "\(recovery.text)")
            try ClusterTests.check(load.stop(), against: cluster)
        }
    }

    @Test("managers over one Redis speak to each other and to fronts by keys, and a stranger gets nothing of them")
    func encrypted() async throws {
        try await onThread {
            let redis = try RedisServer(listeningOnTCP: true)
            let cluster = try ClusterProcesses(
                settings: ["front.hold_timeout": "2s"],
                memberCount: 2,
                isEncrypted: true,
                redis: redis
            )
            let load = ClusterLoad(cluster)
            #expect(load.progresses(by: 100))
            try ClusterTests.fail(cluster) { cluster.kill(.manager, of: $0) }
            #expect(load.progresses(by: 100), "after the leader's manager was killed")

            try cluster.makeStrangersKeys("stranger")
            for keys in [[], cluster.keyFlags(of: "stranger", list: "stranger-list")] {
                let front = try cluster.startFront(keys: keys)
                defer { front.kill() }
                let client = try cluster.connect(to: 9)
                try client.send(Self.push("of-a-stranger") + "\r\n")
                #expect(try client.isClosedSilently(), "neither an acknowledgement nor an error")
                #expect(try cluster.command(["status"], keys: keys).text.contains("no member leads"))
            }
            try ClusterTests.check(load.stop(), against: cluster)
        }
    }

    // MARK: The Redis

    @Test("commands wait while the Redis is away, and are answered when it is back")
    func redisAway() async throws {
        try await onThread {
            let redis = try RedisServer(listeningOnTCP: true)
            let cluster = try ClusterProcesses(memberCount: 2, redis: redis)
            let clients = try cluster.members.map { try cluster.connect(to: $0) }
            #expect(try clients[0].ask(Self.push("job-before")) == "+OK\r\n")

            redis.kill()
            for (number, client) in clients.enumerated() { try client.send(Self.push("held-job-\(number)") + "\r\n") }
            _ = try cluster.status(when: "nobody leads") { $0.leader == nil }
            try redis.restart()
            for client in clients { #expect(try client.readReply() == "+OK\r\n") }
            let jids = try (0..<3).compactMap { _ in try clients[0].fetch("q")?.jid }
            #expect(Set(jids) == ["job-before", "held-job-0", "held-job-1"])

            // One that stands still, with all connections open, is the same.
            redis.pause()
            for (number, client) in clients.enumerated() { try client.send(Self.push("late-job-\(number)") + "\r\n") }
            _ = try cluster.status(when: "nobody leads") { $0.leader == nil }
            redis.resume()
            for client in clients { #expect(try client.readReply() == "+OK\r\n") }
            let late = try (0..<2).compactMap { _ in try clients[0].fetch("q")?.jid }
            #expect(Set(late) == ["late-job-0", "late-job-1"])
            #expect(try clients[0].fetch("q") == nil)
        }
    }

    @Test("a Redis with older data in the place of the first is noticed, said, and written to in a later epoch")
    func olderRedis() async throws {
        try await onThread {
            let redis = try RedisServer(listeningOnTCP: true)
            let cluster = try ClusterProcesses(memberCount: 2, redis: redis)
            let client = try cluster.connect(to: 1)
            #expect(try client.ask(Self.push("old-job-1")) == "+OK\r\n")
            redis.kill()
            let files = redis.dataDirectory + "/appendonlydir"
            let older = redis.dataDirectory + "/older"
            try FileManager.default.copyItem(atPath: files, toPath: older)
            try redis.restart()
            #expect(try client.ask(Self.push("new-job-1")) == "+OK\r\n")
            let epoch = try #require(try cluster.status().epoch)

            redis.kill()
            try FileManager.default.removeItem(atPath: files)
            try FileManager.default.moveItem(atPath: older, toPath: files)
            try redis.restart()
            #expect(try client.ask(Self.push("next-job-1")) == "+OK\r\n")
            for member in cluster.members {
                try cluster.host(member)?.wait(forLineWith: "the shared Redis has lost transactions")
            }
            let found = try Self.ask(redis, "hget", "mr:cluster", "epoch")
            #expect(try #require(UInt64(found)) > epoch)
            #expect(try client.fetch("q")?.jid == "old-job-1")
            #expect(try client.fetch("q")?.jid == "next-job-1")
            #expect(try client.fetch("q") == nil)
        }
    }

    @Test("a wrong password, or none, ends a start with the reason and with the settings to look at")
    func wrongPassword() async throws {
        try await onThread {
            let redis = try RedisServer(listeningOnTCP: true, arguments: ["--requirepass", "the-right-one"])
            let directory = try TemporaryDirectory()
            for (password, reason) in [("the-wrong-one", "WRONGPASS"), (nil, "NOAUTH")] {
                for command in ["host", "manager"] {
                    var settings = [
                        "mode=shared", "cluster.members=1@127.0.0.1", "cluster.member=1",
                        "cluster.etcd=http://127.0.0.1:1", "redis.address=127.0.0.1:\(try #require(redis.port))",
                    ]
                    if let password { settings.append("redis.password=\(password)") }
                    let program = try Millrace.start(
                        [command, "-d", directory.path, "-c", directory.path]
                            + settings.flatMap { ["--set", $0] }
                    )
                    #expect(try program.waitForEnd() == .code(1))
                    let expected = "does not let this manager in: \(reason)"
                    #expect(program.text.contains(expected), "\(program.text)")
                    #expect(program.text.contains("check redis.password"), "\(program.text)")
                    #expect(!program.text.contains("the-wrong-one"), "\(program.text)")
                }
            }
        }
    }

    @Test("a Redis that would drop jobs when its memory is full ends a start with the reason and the setting")
    func eviction() async throws {
        try await onThread {
            let redis = try RedisServer(
                listeningOnTCP: true,
                arguments: ["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lfu"]
            )
            let directory = try TemporaryDirectory()
            let address = "redis.address=127.0.0.1:\(try #require(redis.port))"
            let cluster = [
                "mode=shared", "cluster.members=1@127.0.0.1", "cluster.member=1", "cluster.etcd=http://127.0.0.1:1",
            ]
            for (command, settings) in [("host", cluster), ("manager", cluster), ("manager", [])] {
                let program = try Millrace.start(
                    [command, "-d", directory.path, "-c", directory.path]
                        + (settings + [address]).flatMap { ["--set", $0] }
                )
                #expect(try program.waitForEnd() == .code(1))
                let remedy = "(maxmemory-policy allkeys-lfu); set maxmemory-policy noeviction"
                #expect(program.text.contains(remedy), "\(program.text)")
            }
        }
    }

    // MARK: One process each

    @Test("managers, fronts and schedulers may each be a process of their own, and any manager may die")
    func separateProcesses() async throws {
        try await onThread {
            // What docs/operations.md asks for, and no more.
            let user = "millrace on >the-right-one ~mr:* +@read +@write +@transaction +@connection +eval +info"
            let redis = try RedisServer(
                listeningOnTCP: true,
                arguments: ["--user"] + user.split(separator: " ").map(String.init) + ["--user", "default", "off"]
            )
            let etcd = try EtcdServer()
            let directory = try TemporaryDirectory()
            try "the-right-one\n".write(toFile: directory.file("password"), atomically: true, encoding: .utf8)
            let port = try freePort()
            try """
            mode = "shared"
            [cluster]
            members = ["1@127.0.0.1", "2@127.0.0.2"]
            manager_port = \(try freePort())
            peer_port = \(try freePort())
            etcd = ["\(etcd.endpoint)"]
            lease_ttl = "2s"
            [redis]
            address = "127.0.0.1:\(try #require(redis.port))"
            username = "millrace"
            password = "\(directory.file("password"))"
            """.write(toFile: directory.file("millrace.toml"), atomically: true, encoding: .utf8)
            let flags = ["-c", directory.path, "-d", directory.path]
            let managers = try (1...2).map { try Millrace.start(["manager", "--set", "cluster.member=\($0)"] + flags) }
            let front = try Millrace.start(["front", "-b", "127.0.0.1:\(port)", "-w", ":0"] + flags)
            let scheduler = try Millrace.start(["scheduler"] + flags)
            try front.wait(forLineWith: "The front listens")

            let client = try ClientSocket(port: port)
            try client.greet()
            #expect(try client.ask(Self.push("first-job")) == "+OK\r\n")
            let status = try Millrace.start(["cluster", "status", "--json", "-c", directory.path])
            #expect(try status.waitForEnd() == .code(0))
            let report = try JSONDecoder().decode(ClusterProcesses.Status.self, from: Data(status.text.utf8))
            let leader = Int(try #require(report.leader)) - 1
            managers[leader].kill()
            #expect(try client.ask(Self.push("second-job")) == "+OK\r\n")
            let timed = #"PUSH {"jid":"timed-job","jobtype":"A","args":[],"queue":"q","at":"2020-01-01T00:00:00Z"}"#
            #expect(try client.ask(timed) == "+OK\r\n")
            let jids = try (0..<3).compactMap { _ in try client.fetch("q")?.jid }
            #expect(Set(jids) == ["first-job", "second-job", "timed-job"])
            #expect(try client.ask("FLUSH") == "+OK\r\n")

            for program in [scheduler, front, managers[1 - leader]] {
                program.send(SIGTERM)
                #expect(try program.waitForEnd() == .code(0), "\(program.text)")
            }
        }
    }

    /// What `redis-cli` prints for a command.
    private static func ask(_ redis: RedisServer, _ arguments: String...) throws -> String {
        let program = try SpawnedProgram("/usr/bin/redis-cli", ["-p", "\(try #require(redis.port))"] + arguments)
        _ = try program.waitForEnd()
        return program.text
    }
}
