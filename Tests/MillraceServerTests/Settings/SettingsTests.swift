import Front
import Testing

@testable import MillraceServer

@Suite("Settings")
struct SettingsTests {
    private static func problem(_ change: (inout Settings) -> Void) -> SettingProblem? {
        var settings = Settings()
        change(&settings)
        return settings.problems().first
    }

    @Test("the defaults have no problem in any environment", arguments: Settings.Environment.allCases)
    func defaultsAreSound(environment: Settings.Environment) {
        #expect(Settings(environment: environment, home: "/home/someone").problems().isEmpty)
    }

    @Test("development keeps its files in the home directory, production in the system's")
    func directories() {
        let development = Settings(environment: .development, home: "/home/someone")
        #expect(development.storageDirectory == "/home/someone/.faktory/db")
        #expect(development.configurationDirectory == "/home/someone/.faktory")
        let production = Settings(environment: .production, home: "/home/someone")
        #expect(production.storageDirectory == "/var/lib/faktory/db")
        #expect(production.configurationDirectory == "/etc/faktory")
    }

    @Test("a number is accepted at both bounds and refused one beyond them")
    func connectionBounds() {
        for count in [1, 1_000_000] { #expect(Self.problem { $0.front.maximumConnections = count } == nil) }
        for count in [0, 1_000_001] {
            let problem = Self.problem { $0.front.maximumConnections = count }
            #expect(problem?.setting == "front.max_connections")
            #expect(problem?.reason == "must be between 1 and 1000000, not \(count)")
        }
    }

    @Test("a duration is accepted at both bounds and refused beyond them")
    func intervalBounds() {
        for interval in [Duration.milliseconds(10), .seconds(3_600)] {
            #expect(Self.problem { $0.scheduler.reapInterval = interval } == nil)
        }
        let problem = Self.problem { $0.scheduler.reapInterval = .milliseconds(9) }
        #expect(problem?.reason == "must be between 10ms and 3600s, not 9ms")
        #expect(Self.problem { $0.scheduler.reapInterval = .milliseconds(3_600_001) } != nil)
    }

    @Test("each group refuses what its rules forbid")
    func groups() {
        #expect(Self.problem { $0.front.bind = [] }?.setting == "front.bind")
        #expect(Self.problem { $0.front.sessionName = "two words" }?.setting == "front.session_name")
        #expect(Self.problem { $0.front.sessionName = String(repeating: "a", count: 64) } == nil)
        #expect(Self.problem { $0.front.sessionName = String(repeating: "a", count: 65) } != nil)
        #expect(Self.problem { $0.manager.batchLimit = 0 }?.setting == "manager.batch_limit")
        #expect(Self.problem { $0.redis.prefix = "{mr}:" }?.setting == "redis.prefix")
        #expect(Self.problem { $0.redis.prefix = "" }?.setting == "redis.prefix")
        #expect(Self.problem { $0.redis.username = "u" }?.setting == "redis.username")
        #expect(Self.problem { $0.redis.socket = "redis.sock" }?.setting == "redis.socket")
        #expect(Self.problem { $0.redis.address = HostPort(host: "h", port: 0) }?.setting == "redis.address")
        #expect(Self.problem { $0.tls.certificate = "/c" }?.setting == "tls.certificate")
        #expect(Self.problem { $0.tls.privateKey = "/k" }?.setting == "tls.private_key")
        #expect(Self.problem { $0.storageDirectory = "" }?.setting == "storage_directory")
    }

    /// Both ends of a range, as somebody would write them; none for what has no range.
    private static func ends(of setting: Setting) -> [SettingValue] {
        let ends = setting.bounds.split(separator: " to ").map { SettingValue.text(String($0)) }
        var scratch = Settings()
        return ends.count == 2 && ends.allSatisfy { (try? setting.apply($0, to: &scratch)) != nil } ? ends : []
    }

    @Test("a front takes both ends of every range of its settings", arguments: FrontSection.group.settings)
    func rangesOfFront(setting: Setting) throws {
        for end in Self.ends(of: setting) {
            var settings = Settings()
            try setting.apply(end, to: &settings)
            #expect(setting.problem(in: settings) == nil)
            try FrontServer.Configuration(settings, at: settings.front.bind[0], tls: nil).check()
        }
    }

    @Test("the front and the settings have the same defaults")
    func defaultsOfFront() {
        let configuration = FrontServer.Configuration(Settings(), at: FrontSection().bind[0], tls: nil)
        #expect(configuration.maximumConnectionCount == FrontServer.Configuration().maximumConnectionCount)
        #expect(Settings().front.maximumConnections == 10_000)
    }

    @Test("a FETCH waits for less than the two seconds after which some clients give up")
    func fetchWait() {
        #expect(Settings().front.fetchWait < .seconds(2))
    }

    @Test("every number, size and duration has bounds")
    func everythingIsBounded() {
        for setting in SettingsCatalogue.all {
            let shown = setting.shown(in: Settings())
            guard ByteCountText.parse(shown) != nil || DurationText.parse(shown) != nil else { continue }
            #expect(!setting.bounds.isEmpty, "\(setting.name)")
        }
    }

    @Test("a socket and an address of Redis exclude each other")
    func oneRedis() {
        let problem = Self.problem { settings in
            settings.redis.socket = "/run/redis.sock"
            settings.redis.address = HostPort(host: "h", port: 6379)
        }
        #expect(problem?.reason == "cannot be set together with redis.address")
    }

    @Test("sockets follow the storage directory unless they are named")
    func endpoints() {
        var settings = Settings()
        settings.storageDirectory = "/data"
        #expect(settings.managerEndpoint.description == "ipc:///data/millrace-manager.sock")
        #expect(settings.redisEndpoint == .unix(path: "/data/millrace-redis.sock"))
        #expect(settings.ownsRedis)
        settings.redis.address = HostPort(host: "db", port: 6379)
        settings.manager.endpoint = .tcp(HostPort(host: "10.0.0.1", port: 7421))
        #expect(settings.redisEndpoint == .tcp(HostPort(host: "db", port: 6379)))
        #expect(!settings.ownsRedis)
        #expect(settings.managerEndpoint.description == "tcp://10.0.0.1:7421")
    }

    @Test("a socket path of 107 bytes is accepted and one of 108 refused")
    func socketPathBound() {
        let longest = "/" + String(repeating: "a", count: 106)
        #expect(Self.problem { $0.redis.socket = longest } == nil)
        #expect(Self.problem { $0.redis.socket = longest + "a" }?.reason.contains("has 108 bytes") == true)
        #expect(Self.problem { $0.manager.endpoint = .ipc(path: longest + "a") }?.setting == "manager.endpoint")
    }

    @Test("only the address :0 turns the web server off")
    func webOff() {
        var web = WebSection()
        #expect(web.isEnabled)
        web.bind = HostPort(host: "127.0.0.1", port: 0)
        #expect(web.isEnabled)
        web.bind = HostPort(host: "", port: 0)
        #expect(!web.isEnabled)
    }

    @Test("no name and no variable of the catalogue means two settings")
    func uniqueNames() {
        #expect(Set(SettingsCatalogue.names).count == SettingsCatalogue.names.count)
        let variables = SettingsCatalogue.all.map(\.variable)
        #expect(Set(variables).count == variables.count)
        #expect(SettingsCatalogue.setting(named: "front.fetch_wait")?.variable == "MILLRACE_FRONT_FETCH_WAIT")
        #expect(SettingsCatalogue.groups.contains("faktory"))
    }

    @Test("a secret does not show itself however it is printed")
    func secretsAreMasked() {
        var settings = Settings()
        settings.redis.password = Secret("hunter2")
        var dumped = ""
        dump(settings, to: &dumped)
        for text in ["\(settings)", String(reflecting: settings), dumped] {
            #expect(!text.contains("hunter2"))
        }
        #expect(Secret("hunter2").value == "hunter2")
    }
}
