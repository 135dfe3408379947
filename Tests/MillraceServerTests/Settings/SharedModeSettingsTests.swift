import Election
import JobStorageRedis
import Testing

@testable import MillraceServer

@Suite("Settings of shared mode")
struct SharedModeSettingsTests {
    private static let file = """
        mode = "shared"
        [cluster]
        member = 2
        members = ["1@10.0.0.1", "2@10.0.0.2"]
        etcd = ["http://10.0.1.1:2379"]
        [redis]
        address = "db:6379"
        password = "/c/secret"
        """

    private static func load(_ text: String, isMember: Bool = true) throws(SettingsError) -> Settings {
        var options = CommandLineOptions()
        options.configurationDirectory = "/c"
        return try SettingsLoader(
            options: options,
            variables: [:],
            files: .memory(["/c/millrace.toml": text, "/c/secret": "the password\n"]),
            needsPassword: false,
            isMember: isMember
        ).load().settings
    }

    private static func errors(_ text: String, isMember: Bool = true) -> [String] {
        do throws(SettingsError) {
            _ = try Self.load(text, isMember: isMember)
            return []
        } catch {
            return error.messages
        }
    }

    @Test("a manager finds the Redis, its password in a file, the other managers and etcd")
    func manager() throws {
        let settings = try Self.load(Self.file)
        #expect(settings.mode == .shared)
        #expect(settings.redisEndpoint.description == "db:6379")
        #expect(settings.redis.password == Secret("the password"))
        #expect(settings.managerEndpoint.description == "tcp://10.0.0.2:7421")
        #expect(settings.managerEndpoints.map(\.description) == ["tcp://10.0.0.1:7421", "tcp://10.0.0.2:7421"])
        let plan = try SharedPlan(settings)
        #expect(plan.member.membership.quorum == 1)
        #expect(try plan.leaderConfiguration.isShared)
        #expect(try plan.leaderConfiguration.password == "the password")
    }

    @Test("what is missing is named")
    func missing() {
        #expect(
            Self.errors("mode = \"shared\"") == [
                "cluster.member: must say which of cluster.members this host is",
                "redis.address: must say where the Redis of all managers is, in shared mode (or redis.socket)",
                "cluster.etcd: must say where etcd is, in shared mode",
                "cluster.members: must list the hosts that have a manager in shared mode",
            ]
        )
        #expect(
            Self.errors(Self.file.replacing("member = 2", with: "member = 3")) == [
                "/c/millrace.toml:3: cluster.member: must be one of cluster.members, not 3"
            ]
        )
    }

    @Test("a front needs no number, no etcd and no Redis")
    func front() throws {
        let file = "mode = \"shared\"\n[cluster]\nmembers = [\"1@a\", \"2@b\"]"
        let settings = try Self.load(file, isMember: false)
        #expect(settings.managerEndpoints.map(\.description) == ["tcp://a:7421", "tcp://b:7421"])
    }

    @Test(
        "what means nothing there is refused with what to set instead",
        arguments: [
            ("durability=disk", "durability", "what an acknowledged job survives is decided by that Redis"),
            ("cluster.redis_port=7423", "cluster.redis_port", "the Redis is the one of redis.address"),
            ("cluster.redis_password=0123456789abcdef", "cluster.redis_password", "the password is redis.password"),
            ("redis.server=redis-server", "redis.server", "no Redis is started"),
        ]
    )
    func foreign(assignment: String, setting: String, instead: String) throws {
        let loader = SettingsLoader(
            options: try CommandLine.parse(["-c", "/c", "--set", assignment]).options,
            variables: [:],
            files: .memory(["/c/millrace.toml": Self.file, "/c/secret": "the password"]),
            needsPassword: false,
            isMember: true
        )
        let error = #expect(throws: SettingsError.self) { try loader.load() }
        #expect(error?.messages == ["flag --set \(setting): \(setting): cannot be set in shared mode: \(instead)"])
    }

    @Test("up to nine managers share a Redis", arguments: [1, 2, 4, 9, 10])
    func counts(count: Int) {
        var section = ClusterSection()
        section.members = (1...count).map { ClusterSection.Member(number: UInt8($0), host: "h\($0)") }
        #expect(section.problemsWhenShared().isEmpty == (count <= 9))
    }
}
