import Election
import ElectionEtcd
import JobStorageRedis
import Testing

@testable import MillraceServer

@Suite("A member as the settings describe it")
struct MemberPlanTests {
    private static func plan(memberCount: Int, _ change: (inout Settings) -> Void = { _ in }) throws -> MemberPlan {
        var settings = Settings()
        settings.mode = .replicated
        settings.storageDirectory = "/data"
        settings.cluster.member = 1
        settings.cluster.members = (1...memberCount).map {
            ClusterSection.Member(number: UInt8($0), host: "10.0.0.\($0)")
        }
        settings.cluster.redisPassword = Secret("0123456789abcdef")
        change(&settings)
        return try MemberPlan(settings)
    }

    @Test("a leader waits for a majority of others, which are told apart from hosts that are members no more")
    func acknowledgement() throws {
        let counts = try [1, 2, 3, 4, 5].map { count in
            let plan = try Self.plan(memberCount: count)
            let roster = ReplicaRoster(plan.otherStores)
            for member in plan.others {
                roster.admit(ReplicaName(high: 0, low: UInt64(member.number)), of: MemberID(member.number))
            }
            return try plan.leaderConfiguration(password: "p", roster: roster).acknowledgement
        }
        #expect(counts.map { $0?.replicaCount } == [nil, 1, 1, 2, 2])
        #expect(counts.map { $0?.members?.count } == [nil, 1, 2, 3, 4])
    }

    @Test("ports and hosts are those of the list")
    func addresses() throws {
        let plan = try Self.plan(memberCount: 3)
        #expect(plan.id == MemberID(1))
        #expect(plan.peerEndpoint == "tcp://10.0.0.1:7422")
        #expect(plan.otherPeers[MemberID(3)] == "tcp://10.0.0.3:7422")
        #expect(plan.otherStores[MemberID(2)]?.port == 7423)
        let server = try plan.redisServer(password: "fedcba9876543210")
        #expect(server.listenAddresses == ["10.0.0.1"])
        #expect(server.address.port == 7423)
    }

    @Test("the lease is renewed three times in its life, and heartbeats are as set")
    func terms() throws {
        let plan = try Self.plan(memberCount: 3) { settings in
            settings.cluster.leaseTimeToLive = .seconds(6)
            settings.cluster.heartbeatSilence = .seconds(4)
        }
        #expect(plan.terms.leaseRenewalInterval == .seconds(2))
        #expect(plan.terms.heartbeatSilence == .seconds(4))
    }

    @Test("a certificate for etcd is handed on with its key")
    func etcd() throws {
        let plan = try Self.plan(memberCount: 3) { settings in
            settings.cluster.etcd = ["https://e:2379"]
            settings.cluster.etcdCertificate = "/c"
            settings.cluster.etcdPrivateKey = "/k"
            settings.cluster.etcdUser = "u"
            settings.cluster.etcdPassword = Secret("p")
        }
        let configuration = try plan.etcdConfiguration
        #expect(configuration.tls.identity?.certificateChainPath == "/c")
        #expect(configuration.credentials?.user == "u")
    }

    @Test("the list is the same text in whatever order a host has it")
    func list() throws {
        let plan = try Self.plan(memberCount: 3) { $0.cluster.members.reverse() }
        #expect(plan.memberList == "1@10.0.0.1,2@10.0.0.2,3@10.0.0.3")
        #expect(try Self.plan(memberCount: 3).memberList == plan.memberList)
    }

    @Test("there is none without a number")
    func stranger() {
        #expect(throws: MemberPlan.Failure.self) { _ = try Self.plan(memberCount: 3) { $0.cluster.member = nil } }
    }
}
