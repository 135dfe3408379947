import Election
import ElectionEtcd
import JobCore
import Synchronization
import TestSupport
import Testing

@Suite("What is said of an etcd")
struct EtcdHealthTests {
    @Test(
        "versions with known holes are told with those that are good",
        arguments: [
            ("3.4.23", false), ("3.4.25", false), ("3.4.26", true), ("3.4.37", true), ("3.5.0", false),
            ("3.5.8", false), ("3.5.9", true), ("3.5.21", true), ("3.6.0-rc.1", true), ("3.3.27", false),
            ("4.0.0", true),
        ]
    )
    func versions(text: String, isGood: Bool) throws {
        let version = try #require(EtcdVersion(parsing: text))
        #expect((version.advice == nil) == isGood)
        #expect(version.advice?.contains("3.4.26, 3.5.9") ?? true)
    }

    @Test("what is no version is none", arguments: ["", "3.4", "three", "3.4.x"])
    func noVersion(text: String) {
        #expect(EtcdVersion(parsing: text) == nil)
    }

    @Test("each trouble is told once, of however many endpoints, and one that does not answer is none of these")
    func troubles() {
        let bad = EtcdVersion(3, 4, 23)
        let healths = [
            EtcdHealth(endpoint: "http://a:1", version: bad, isHealthy: true, reason: ""),
            EtcdHealth(
                endpoint: "http://b:1",
                version: EtcdVersion(3, 4, 23),
                isHealthy: false,
                reason: "ALARM NOSPACE"
            ),
            EtcdHealth(endpoint: "http://c:1", version: nil, isHealthy: nil, reason: ""),
            EtcdHealth(
                endpoint: "http://d:1",
                version: EtcdVersion(3, 5, 9),
                isHealthy: false,
                reason: "RAFT NO LEADER"
            ),
        ]
        let troubles = EtcdHealth.troubles(of: healths)
        #expect(troubles.count == 3)
        #expect(troubles.contains(EtcdTrouble.noSpace.text))
        #expect(troubles.contains("etcd at http://d:1 says that it is not healthy: RAFT NO LEADER"))
    }

    @Test("an etcd without space takes no bid, which is told, and keeps the leases that there are")
    func noSpace() async throws {
        // Its least quota is one page.
        let server = try EtcdServer(arguments: ["--quota-backend-bytes", "65536"])
        try await server.withClient { client in
            let told = Mutex<[String]>([])
            let register = EtcdLeaderRegister(
                client: client,
                keys: try ElectionKeys(cluster: "test"),
                member: MemberID(1),
                memberList: "1@a",
                timeToLive: .seconds(30)
            ) { text in told.withLock { $0.append(text) } }
            let (states, put) = AsyncStream.makeStream(of: ClusterState.self)
            let watch = Task { try await register.watch { put.yield($0) } }
            defer { watch.cancel() }
            var iterator = states.makeAsyncIterator()
            _ = await iterator.next()
            let askedAt = Uptime(nanoseconds: 7)
            guard case .won(let epoch, _)? = await register.perform(.campaign(askedAt: askedAt)) else {
                Issue.record("the first bid is lost")
                return
            }
            let value = [UInt8](repeating: 0x78, count: 16 << 10)
            for number in 0..<64 {
                guard (try? await client.transact(if: [], [.put("/filler/\(number)", value)])) != nil else { break }
            }
            #expect(await register.perform(.keepAlive(epoch, askedAt: askedAt)) == .kept(epoch, askedAt: askedAt))
            for _ in 0..<3 {
                #expect(await register.perform(.campaign(askedAt: askedAt)) == .lost(askedAt: askedAt))
            }
            #expect(register.troubles == [EtcdTrouble.noSpace.text])
            #expect(told.withLock { $0 } == [EtcdTrouble.noSpace.text], "it is not told each time")
            await register.checkHealth()
            #expect(register.troubles.first == EtcdTrouble.noSpace.text)
        }
    }
}
