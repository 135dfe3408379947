import Testing

@testable import MillraceServer

@Suite("Settings of a cluster")
struct ClusterSectionTests {
    private static let file = """
        mode = "replicated"
        [cluster]
        member = 2
        members = ["1@10.0.0.1", "2@10.0.0.2", "3@m3.example"]
        redis_password = "/c/secret"
        """
    private static let files = ["/c/millrace.toml": file, "/c/secret": " 0123456789abcdef\n"]

    private static func load(_ files: [String: String], isMember: Bool = true) throws(SettingsError) -> LoadedSettings {
        var options = CommandLineOptions()
        options.configurationDirectory = "/c"
        return try SettingsLoader(
            options: options,
            variables: [:],
            files: .memory(files),
            needsPassword: false,
            isMember: isMember
        ).load()
    }

    private static func errors(_ files: [String: String], isMember: Bool = true) -> [String] {
        do throws(SettingsError) {
            _ = try Self.load(files, isMember: isMember)
            return []
        } catch {
            return error.messages
        }
    }

    private static func problems(_ change: (inout ClusterSection) -> Void) -> [SettingProblem] {
        var settings = Settings()
        change(&settings.cluster)
        return settings.problems()
    }

    @Test("a member reads its number, the list, and the password out of its file")
    func member() throws {
        let settings = try Self.load(Self.files).settings
        #expect(settings.mode == .replicated)
        #expect(settings.cluster.ownMember == ClusterSection.Member(number: 2, host: "10.0.0.2"))
        #expect(settings.cluster.members.map(\.description) == ["1@10.0.0.1", "2@10.0.0.2", "3@m3.example"])
        #expect(settings.cluster.redisPassword == Secret("0123456789abcdef"))
        #expect(settings.managerEndpoint.description == "tcp://10.0.0.2:7421")
    }

    @Test("what is acknowledged is on disk in replicated mode, unless the operator says otherwise")
    func durability() throws {
        #expect(try Self.load(Self.files).settings.durability == .disk)
        let memory = "durability = \"memory\"\n" + Self.file
        let files = Self.files.merging(["/c/millrace.toml": memory]) { _, new in new }
        #expect(try Self.load(files).settings.durability == .memory)
    }

    @Test("certificates for etcd are no use without https")
    func certificates() {
        let file = Self.file + "\netcd_authorities = \"/ca\""
        #expect(
            Self.errors(["/c/millrace.toml": file, "/c/secret": "0123456789abcdef"]) == [
                "cluster.etcd: must begin with https:// when certificates are set"
            ]
        )
    }

    @Test("a front needs no number and no password, and goes to the first member")
    func front() throws {
        let file = "mode = \"replicated\"\n[cluster]\nmembers = [\"4@a\", \"5@b\", \"6@c\"]"
        let settings = try Self.load(["/c/millrace.toml": file], isMember: false).settings
        #expect(settings.managerEndpoint.description == "tcp://a:7421")
        #expect(
            Self.errors(["/c/millrace.toml": file]) == [
                "cluster.member: must say which of cluster.members this host is",
                "cluster.redis_password: must be set in replicated mode",
            ]
        )
    }

    @Test("a mistake is reported with its file and line")
    func places() {
        let stranger = Self.file.replacing("member = 2", with: "member = 4")
        #expect(
            Self.errors(["/c/millrace.toml": stranger, "/c/secret": "0123456789abcdef"]) == [
                "/c/millrace.toml:3: cluster.member: must be one of cluster.members, not 4"
            ]
        )
        let shared = Self.file + "\n[redis]\naddress = \"db:6379\""
        #expect(
            Self.errors(["/c/millrace.toml": shared, "/c/secret": "0123456789abcdef"]) == [
                "/c/millrace.toml:7: redis.address: cannot be set in replicated mode, in which each member starts a "
                    + "Redis of its own"
            ]
        )
        #expect(Self.errors(["/c/millrace.toml": Self.file]).first?.contains("/c/secret") == true)
        #expect(
            Self.errors(["/c/millrace.toml": "mode = \"replicated\""], isMember: false) == [
                "cluster.members: must list the hosts in replicated mode"
            ]
        )
    }

    @Test(
        "an entry of the list is a number from 1 to 63 and a host",
        arguments: ["1", "@h", "1@", "0@h", "64@h", "-1@h", "1@h:1", "1@[::1]", "1@h h", "x@h"]
    )
    func entries(text: String) {
        #expect(ClusterSection.Member(parsing: text) == nil)
    }

    @Test("the least and the greatest number are taken")
    func numbers() {
        #expect(ClusterSection.Member(parsing: "1@h")?.number == 1)
        #expect(ClusterSection.Member(parsing: "63@h")?.number == 63)
    }

    @Test("there are 1 to 5 members, and an even number has one that is of no use", arguments: 1...7)
    func counts(count: Int) {
        let members = (1...count).map { ClusterSection.Member(number: UInt8($0), host: "h\($0)") }
        var section = ClusterSection()
        section.members = members
        #expect(section.problemsWhenReplicated().isEmpty == (1...5).contains(count))
        #expect(section.hasIdleMember == [2, 4, 6].contains(count))
    }

    @Test("an even number of members is warned of at each start")
    func even() throws {
        let two = Self.file.replacing(", \"3@m3.example\"", with: "")
        let files = Self.files.merging(["/c/millrace.toml": two]) { _, new in new }
        let warning = "with 2 members no more hosts may be lost than with 1: add one, or remove one"
        #expect(try Self.load(files).warnings.contains(warning))
        #expect(try Self.load(Self.files).warnings.allSatisfy { !$0.contains("no more hosts") })
    }

    @Test("neither a number nor a host stands for two members")
    func twice() {
        let members = ["1@a", "1@b", "2@a"].compactMap(ClusterSection.Member.init(parsing:))
        #expect(
            Self.problems { $0.members = members }.map(\.reason) == [
                "must not have a number twice", "must not have a host twice",
            ]
        )
    }

    @Test("each group of values refuses what its rules forbid")
    func rules() {
        #expect(Self.problems { $0.name = "" }.map(\.setting) == ["cluster.name"])
        #expect(Self.problems { $0.name = String(repeating: "a", count: 64) }.isEmpty)
        #expect(Self.problems { $0.name = String(repeating: "a", count: 65) }.map(\.setting) == ["cluster.name"])
        #expect(Self.problems { $0.peerPort = 7421 }.map(\.setting) == ["cluster.peer_port"])
        #expect(Self.problems { $0.redisPort = 7422 }.map(\.setting) == ["cluster.redis_port"])
        #expect(Self.problems { $0.redisPort = 65_535 }.isEmpty)
        #expect(Self.problems { $0.redisPort = 65_536 }.map(\.setting) == ["cluster.redis_port"])
        #expect(Self.problems { $0.etcd = [] }.map(\.setting) == ["cluster.etcd"])
        #expect(Self.problems { $0.etcd = ["http://h:1/x"] }.map(\.setting) == ["cluster.etcd"])
        #expect(Self.problems { $0.etcdUser = "u" }.map(\.setting) == ["cluster.etcd_user"])
        #expect(
            Self.problems { $0.redisPassword = Secret("0123456789abcde") }.map(\.setting) == ["cluster.redis_password"]
        )
        #expect(Self.problems { $0.redisPassword = Secret("0123456789abcdef") }.isEmpty)
        #expect(Self.problems { $0.leaseTimeToLive = .milliseconds(1_999) }.map(\.setting) == ["cluster.lease_ttl"])
        #expect(
            Self.problems { $0.heartbeatSilence = .milliseconds(499) }.map(\.setting) == ["cluster.heartbeat_silence"]
        )
        #expect(Self.problems { $0.heartbeatSilence = .milliseconds(500) }.isEmpty)
    }

    @Test("a key needs a list and the other way round, and no endpoint that is no member's")
    func keys() throws {
        #expect(Self.problems { $0.curveKey = "/k" }.map(\.setting) == ["cluster.curve_key"])
        #expect(Self.problems { $0.curveAllowed = "/l" }.map(\.setting) == ["cluster.curve_allowed"])
        let keys = "\ncurve_key = \"/k\"\ncurve_allowed = \"/l\"\n"
        let endpoint = "[manager]\nendpoint = \"tcp://10.0.0.9:7421\"\n"
        let good = Self.files.merging(["/c/millrace.toml": Self.file + keys]) { _, new in new }
        #expect(try Self.load(good).settings.cluster.curveKey == "/k")
        let bad = Self.files.merging(["/c/millrace.toml": Self.file + keys + endpoint]) { _, new in new }
        #expect(Self.errors(bad).count == 1)
        #expect(Self.errors(bad).first?.contains("manager.endpoint: cannot be set together") ?? false)
    }

    @Test("plain links between hosts are warned of, those within one host are not, keys in single mode are")
    func plainLinks() throws {
        #expect(try Self.load(Self.files).warnings.first?.contains("neither encrypted nor authenticated") ?? false)
        let keys = "\ncurve_key = \"/k\"\ncurve_allowed = \"/l\"\n"
        let encrypted = Self.files.merging(["/c/millrace.toml": Self.file + keys]) { _, new in new }
        #expect(try Self.load(encrypted).warnings.isEmpty)
        let near = Self.file.replacing("10.0.0.", with: "127.0.0.").replacing("m3.example", with: "localhost")
        let files = Self.files.merging(["/c/millrace.toml": near]) { _, new in new }
        #expect(try Self.load(files).warnings.isEmpty)
        let single = try Self.load(["/c/millrace.toml": "[cluster]" + keys], isMember: false)
        #expect(single.warnings == ["cluster.curve_key encrypts nothing in single mode"])
    }
}
