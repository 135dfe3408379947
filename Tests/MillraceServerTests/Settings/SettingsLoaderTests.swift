import Testing

@testable import MillraceServer

@Suite("Settings loader")
struct SettingsLoaderTests {
    private static func loader(
        _ files: [String: String] = [:],
        _ variables: [String: String] = [:],
        arguments: [String] = [],
        unreadable: Set<String> = [],
        needsPassword: Bool = true
    ) throws -> SettingsLoader {
        SettingsLoader(
            options: try CommandLine.parse(["-c", "/c"] + arguments).options,
            variables: variables,
            files: .memory(files, unreadable: unreadable),
            needsPassword: needsPassword
        )
    }

    private static func errors(
        _ files: [String: String] = [:],
        _ variables: [String: String] = [:],
        arguments: [String] = [],
        unreadable: Set<String> = []
    ) throws -> [String] {
        let loader = try Self.loader(files, variables, arguments: arguments, unreadable: unreadable)
        let error = #expect(throws: SettingsError.self) { try loader.load() }
        return try #require(error).messages
    }

    @Test("without any source there are the defaults, and each says so")
    func defaults() throws {
        let loaded = try Self.loader().load()
        var expected = Settings()
        expected.configurationDirectory = "/c"
        #expect(loaded.settings == expected)
        #expect(loaded.origin(of: "front.bind") == .builtIn)
        #expect(loaded.origin(of: "config_directory") == .flag("-c"))
    }

    @Test("a secret on the command line is warned of, and one in a file is not")
    func secretFlag() throws {
        let shown = try Self.loader(arguments: ["--set", "redis.password=open-sesame"]).load().warnings
        let warning =
            "flag --set redis.password: every user of this host can read a command line: name a file, or set "
            + "MILLRACE_REDIS_PASSWORD"
        #expect(shown == [warning])
        let files = ["/p": "open-sesame"]
        let named = try Self.loader(files, arguments: ["--set", "front.password=/p"]).load()
        #expect(named.warnings.isEmpty)
        #expect(named.settings.front.password?.value == "open-sesame")
    }

    @Test(
        "a password that stands in an address of etcd by mistake is not shown",
        arguments: ["http://user:secret@h:2379", "user:secret@h:2379", "http://secret@@h:2379"]
    )
    func maskedEndpoint(endpoint: String) throws {
        let errors = try Self.errors(arguments: ["--set", "mode=replicated", "--set", "cluster.etcd=\(endpoint)"])
        #expect(errors.contains { $0.contains("***@h:2379") })
        #expect(errors.allSatisfy { !$0.contains("secret") })
        var settings = Settings()
        settings.cluster.etcd = [endpoint]
        let shown = try #require(SettingsCatalogue.setting(named: "cluster.etcd")).shown(in: settings)
        #expect(!shown.contains("secret"))
    }

    @Test("files go over defaults, variables over files, flags over variables")
    func precedence() throws {
        let files = [
            "/c/conf.d/a.toml": "[front]\nmax_connections = 1\nevent_loops = 1\nfetch_wait = 1\nhold_timeout = 1",
            "/c/millrace.toml": "[front]\nevent_loops = 2\nfetch_wait = 2\nhold_timeout = \"2s\"",
        ]
        let variables = ["MILLRACE_FRONT_FETCH_WAIT": "3s", "MILLRACE_FRONT_HOLD_TIMEOUT": "3"]
        let loaded = try Self.loader(files, variables, arguments: ["--set", "front.hold_timeout=4s"]).load()
        let front = loaded.settings.front
        #expect(front.maximumConnections == 1)
        #expect(front.eventLoops == 2)
        #expect(front.fetchWait == .seconds(3))
        #expect(front.holdTimeout == .seconds(4))
        #expect(loaded.origin(of: "front.max_connections") == .file(path: "/c/conf.d/a.toml", line: 2))
        #expect(loaded.origin(of: "front.event_loops") == .file(path: "/c/millrace.toml", line: 2))
        #expect(loaded.origin(of: "front.fetch_wait") == .environment(variable: "MILLRACE_FRONT_FETCH_WAIT"))
        #expect(loaded.origin(of: "front.hold_timeout") == .flag("--set front.hold_timeout"))
    }

    @Test("every kind of value is read from a file")
    func kinds() throws {
        let text = """
            durability = "disk"
            [front]
            bind = ["127.0.0.1:1", "[::1]:2"]
            max_line_bytes = "1MiB"
            fetch_wait = 1.5
            reuse_port = true
            [manager]
            endpoint = "tcp://10.0.0.1:7421"
            [log]
            level = "debug"
            format = "json"
            """
        let settings = try Self.loader(["/c/millrace.toml": text]).load().settings
        #expect(settings.durability == .disk)
        #expect(settings.front.bind == [HostPort(host: "127.0.0.1", port: 1), HostPort(host: "::1", port: 2)])
        #expect(settings.front.maximumLineBytes == 1 << 20)
        #expect(settings.front.fetchWait == .milliseconds(1_500))
        #expect(settings.front.reusePort)
        #expect(settings.manager.endpoint == .tcp(HostPort(host: "10.0.0.1", port: 7421)))
        #expect(settings.log.level == .debug)
        #expect(settings.log.format == .json)
    }

    @Test("every setting can be given by its variable in the form in which it is shown")
    func variables() throws {
        var shown: [String: String] = [:]
        for setting in SettingsCatalogue.all where !setting.isSecret {
            let text = setting.shown(in: Settings())
            if !text.isEmpty { shown[setting.variable] = text }
        }
        let loaded = try Self.loader([:], shown).load()
        #expect(loaded.changes(from: try Self.loader().load()) == [])
        #expect(shown.count > 25)
        for variable in shown.keys { #expect(loaded.origins.values.contains(.environment(variable: variable))) }
    }

    @Test("Faktory's own sections and flags mean the same here")
    func faktory() throws {
        let files = [
            "/c/conf.d/x.toml": "[faktory]\nbinding = \"0.0.0.0:1\"\npassword = \"p\"\n[web]\nbinding = \":0\""
        ]
        let settings = try Self.loader(files).load().settings
        #expect(settings.front.bind == [HostPort(host: "0.0.0.0", port: 1)])
        #expect(settings.front.password == Secret("p"))
        #expect(settings.web.password == Secret("p"))
        #expect(!settings.web.isEnabled)
        let flags = ["-b", "h:2", "-w", "h:3", "-l", "warn", "-d", "/d"]
        let overridden = try Self.loader(files, arguments: flags).load().settings
        #expect(overridden.front.bind == [HostPort(host: "h", port: 2)])
        #expect(overridden.web.bind == HostPort(host: "h", port: 3))
        #expect(overridden.log.level == .warn)
        #expect(overridden.storageDirectory == "/d")
    }

    @Test("the environment comes from -e, then FAKTORY_ENV, then is development")
    func environment() throws {
        let skip = ["FAKTORY_SKIP_PASSWORD": "1", "FAKTORY_ENV": "staging"]
        #expect(try Self.loader().load().settings.environment == .development)
        #expect(try Self.loader([:], ["FAKTORY_ENV": ""]).load().settings.environment == .development)
        #expect(try Self.loader([:], skip).load().settings.environment == .staging)
        #expect(try Self.loader([:], skip, arguments: ["-e", "production"]).load().settings.environment == .production)
        let words = "Invalid environment \"test\": legal values are development, staging or production"
        #expect(try Self.errors([:], ["FAKTORY_ENV": "test"]) == [words])
    }

    @Test("arrays of tables add up across conf.d and are handed out unread")
    func sections() throws {
        let files = [
            "/c/conf.d/b.toml": "[[cron]]\nschedule = \"2\"",
            "/c/conf.d/a.toml": "[[cron]]\nschedule = \"1\"\n[statsd]\nlocation = \"x\"",
            "/c/conf.d/ignored.txt": "[[[",
        ]
        let sections = try Self.loader(files).load().sections
        #expect(
            sections["cron"] == .list([.table(["schedule": .text("1")]), .table(["schedule": .text("2")])])
        )
        #expect(sections["statsd"] == .table(["location": .text("x")]))
    }

    @Test("a mistake in a concatenated file is reported with that file and its own line")
    func placesInConcatenatedFiles() throws {
        let files = [
            "/c/conf.d/a.toml": "# one\n# two\n",
            "/c/conf.d/b.toml": "[front]\n\nmax_connections = \"many\"",
            "/c/conf.d/c.toml": "[manager]\nbatch_limit = 0",
        ]
        let errors = try Self.errors(files)
        #expect(errors.count == 2)
        #expect(errors.first == "/c/conf.d/b.toml:3: front.max_connections: expected a whole number, not \"many\"")
        #expect(errors.last == "/c/conf.d/c.toml:2: manager.batch_limit: must be between 1 and 65536, not 0")
    }

    @Test("a syntax error is reported with its file and line, on one line")
    func syntax() throws {
        let files = ["/c/conf.d/a.toml": "[front]\n", "/c/conf.d/b.toml": "\n[web]\nbind = = 1"]
        let errors = try Self.errors(files)
        #expect(errors.count == 1)
        #expect(errors.first?.hasPrefix("/c/conf.d/b.toml:3: ") == true)
        #expect(errors.first?.contains("\n") == false)
    }

    @Test("the same table in two files of conf.d is an error, as in Faktory")
    func sameTableTwice() throws {
        let files = ["/c/conf.d/a.toml": "[front]\n", "/c/conf.d/b.toml": "[front]\nevent_loops = 1"]
        #expect(try Self.errors(files).first?.hasPrefix("/c/conf.d/b.toml:1: ") == true)
    }

    @Test("an unknown key is an error that guesses what was meant")
    func unknownKeys() throws {
        let text = "[front]\nmax_conections = 1\n[fornt]\na = 1\n[log]\ncolour = 1\n"
        #expect(
            try Self.errors(["/c/millrace.toml": text]) == [
                "/c/millrace.toml:3: unknown setting fornt (did you mean \"front\"?)",
                "/c/millrace.toml:2: unknown setting front.max_conections (did you mean \"front.max_connections\"?)",
                "/c/millrace.toml:6: unknown setting log.colour",
            ]
        )
    }

    @Test("a group that is no table and a value of another kind are errors")
    func wrongKinds() throws {
        let text = "front = 1\nlog.level = \"loud\"\nweb.bind = [\"a:1\"]\nmanager.release_after = 2020-01-01"
        let errors = try Self.errors(["/c/millrace.toml": text])
        #expect(errors.count == 4)
        #expect(errors.contains("/c/millrace.toml:1: front: expected a table, not 1"))
        #expect(
            errors.contains(
                "/c/millrace.toml:2: log.level: expected one of \"error\", \"warn\", \"info\", \"debug\", not \"loud\""
            )
        )
    }

    @Test("a setting and its alias in one document are an error")
    func aliasConflict() throws {
        let errors = try Self.errors(["/c/millrace.toml": "[web]\nbind = \"a:1\"\nbinding = \"b:1\""])
        #expect(errors.first == "/c/millrace.toml:2: web.bind: is the same setting as web.binding; keep one of them")
    }

    @Test("mistakes in variables and flags name the variable or the flag")
    func otherPlaces() throws {
        let errors = try Self.errors(
            [:],
            ["MILLRACE_FRONT_EVENT_LOOPS": "0", "MILLRACE_FRONT_REUSE_PORT": "perhaps"],
            arguments: ["-b", "nowhere", "--set", "front.bnd=1"]
        )
        #expect(
            errors == [
                "environment variable MILLRACE_FRONT_REUSE_PORT: front.reuse_port: expected true or false, not \"perhaps\"",
                "flag -b: front.bind: expected an address such as \"127.0.0.1:7419\", or an array of them, not \"nowhere\"",
                "flag --set front.bnd: unknown setting front.bnd (did you mean \"front.bind\"?)",
                "environment variable MILLRACE_FRONT_EVENT_LOOPS: front.event_loops: must be between 1 and 64, not 0",
            ]
        )
    }

    @Test("a variable that is nearly one of ours is warned of")
    func variableWarnings() throws {
        let warnings = try Self.loader([:], ["MILLRACE_FRONT_FETCHWAIT": "1s"]).load().warnings
        #expect(
            warnings == [
                "environment variable MILLRACE_FRONT_FETCHWAIT is not known (did you mean MILLRACE_FRONT_FETCH_WAIT?)"
            ]
        )
    }

    @Test("what Kubernetes sets for services with names like ours changes no setting, and one line names it")
    func serviceLinks() throws {
        var variables: [String: String] = [:]
        for service in ["MILLRACE", "MILLRACE_CLUSTER_MANAGER", "MILLRACE_CLUSTER_PEER", "MILLRACE_CLUSTER_REDIS"] {
            variables["\(service)_SERVICE_HOST"] = "10.0.0.1"
            variables["\(service)_SERVICE_PORT"] = "7421"
            variables["\(service)_SERVICE_PORT_LINK"] = "7421"
            variables["\(service)_PORT"] = "tcp://10.0.0.1:7421"
            variables["\(service)_PORT_7421_TCP"] = "tcp://10.0.0.1:7421"
            variables["\(service)_PORT_7421_TCP_PROTO"] = "tcp"
            variables["\(service)_PORT_7421_TCP_PORT"] = "7421"
            variables["\(service)_PORT_7421_TCP_ADDR"] = "10.0.0.1"
        }
        let loaded = try Self.loader([:], variables).load()
        #expect(loaded.changes(from: try Self.loader().load()).isEmpty)
        #expect(loaded.warnings.count == 1)
        for name in variables.keys { #expect(loaded.warnings.first?.contains(name) == true, "\(name)") }
        let mixed = ["MILLRACE_CLUSTER_MANAGER_PORT": "7000", "MILLRACE_CLUSTER_PEER_PORT": "7001"]
        #expect(try Self.loader([:], mixed).load().settings.cluster.managerPort == 7_000)
    }

    @Test("a setting whose value looks like an address of a service is still a setting where that is its kind")
    func endpointVariable() throws {
        let loaded = try Self.loader([:], ["MILLRACE_MANAGER_ENDPOINT": "tcp://10.0.0.1:7421"]).load()
        #expect(loaded.settings.managerEndpoint.description == "tcp://10.0.0.1:7421")
        #expect(try Self.errors([:], ["MILLRACE_CLUSTER_MANAGER_PORT": "http://10.0.0.1"]).count == 1)
    }

    @Test(
        "directories are known by their whole path, wherever the process runs later",
        arguments: [
            ("./data", "/here/data"), ("data/", "/here/data"), ("/a//b/./c/", "/a/b/c"), ("../x", "/here/../x"),
            ("br[ack]ets and blanks", "/here/br[ack]ets and blanks"), ("/", "/"), (".", "/here"),
        ]
    )
    func directories(given: String, expected: String) throws {
        var options = CommandLineOptions()
        options.storageDirectory = given
        options.configurationDirectory = given
        let loader = SettingsLoader(
            options: options,
            variables: [:],
            files: .memory([:]),
            needsPassword: false,
            currentDirectory: "/here"
        )
        let settings = try loader.load().settings
        #expect(settings.storageDirectory == expected)
        #expect(settings.configurationDirectory == expected)
    }

    @Test("a table of Faktory's that nothing goes by yet is told of, with its place")
    func unbuiltTables() throws {
        let text = "[throttles.default]\nconcurrency = 5\n[[cron]]\nschedule = \"* * * * *\"\n"
        let warnings = try Self.loader(["/c/millrace.toml": text]).load().warnings
        #expect(warnings.count == 2)
        #expect(warnings.first?.contains("[cron] has no effect") == true)
        #expect(warnings.last?.contains("[throttles] has no effect") == true)
        #expect(warnings.allSatisfy { $0.hasPrefix("/c/millrace.toml:") }, "\(warnings)")
    }

    @Test("--config names a file in place of millrace.toml, which then must be there")
    func configFile() throws {
        let files = ["/c/millrace.toml": "[front]\nevent_loops = 2", "/other": "[front]\nevent_loops = 3"]
        #expect(try Self.loader(files, arguments: ["--config", "/other"]).load().settings.front.eventLoops == 3)
        #expect(try Self.errors(files, arguments: ["--config", "/none"]) == ["/none: No such file or directory"])
    }

    @Test("a file that cannot be read, is not UTF-8 or has a zero byte is an error")
    func badFiles() throws {
        #expect(
            try Self.errors([:], unreadable: ["/c/millrace.toml"]) == [
                "/c/millrace.toml: cannot be read: Permission denied"
            ]
        )
        #expect(try Self.errors(["/c/millrace.toml": "a\n\0"]) == ["/c/millrace.toml:2: contains a zero byte"])
        #expect(throws: SettingsDocument.Failure.self) { try SettingsDocument([("/x", [0x61, 0xFF])]) }
    }

    @Test("a file may begin with a byte order mark")
    func byteOrderMark() throws {
        let loaded = try Self.loader(["/c/millrace.toml": "\u{FEFF}[front]\nevent_loops = 2"]).load()
        #expect(loaded.settings.front.eventLoops == 2)
    }

    @Test("a secret of the wrong kind is not repeated in the error")
    func secretInError() throws {
        let errors = try Self.errors(["/c/millrace.toml": "[redis]\npassword = 12345"])
        #expect(errors == ["/c/millrace.toml:2: redis.password: expected a string"])
    }

    @Test("the TLS pair of the configuration directory is used only when both files are there")
    func certificate() throws {
        let both = ["/c/public.cert.pem": "c", "/c/private.key.pem": "k"]
        let loaded = try Self.loader(both).load()
        #expect(loaded.settings.tls.certificate == "/c/public.cert.pem")
        #expect(loaded.settings.tls.privateKey == "/c/private.key.pem")
        #expect(loaded.origin(of: "tls.certificate") == .found(path: "/c/public.cert.pem"))
        #expect(try !Self.loader(["/c/public.cert.pem": "c"]).load().settings.tls.isEnabled)
        let named = both.merging(["/c/millrace.toml": "[tls]\ncertificate = \"/a\"\nprivate_key = \"/b\""]) { $1 }
        #expect(try Self.loader(named).load().settings.tls.certificate == "/a")
    }

    @Test("production needs a password only where clients are spoken to")
    func passwordNeeded() throws {
        let flags = ["-e", "production"]
        #expect(try Self.errors(arguments: flags) == [PasswordRules.Failure.required.description])
        let manager = try Self.loader(arguments: flags, needsPassword: false).load()
        #expect(manager.settings.front.password == nil)
        let found = try Self.loader([PasswordRules.defaultFile: "p"], arguments: flags).load()
        #expect(found.origin(of: "web.password") == .found(path: PasswordRules.defaultFile))
    }

    @Test("a reload gives the new settings or one line that says why not")
    func reload() throws {
        let before = try Self.loader().load()
        let good = try Self.loader(["/c/millrace.toml": "[front]\nevent_loops = 2"]).reload().get()
        #expect(good.changes(from: before) == ["front.event_loops"])
        let bad = try Self.loader(["/c/millrace.toml": "[front]\nevent_loops = 0"]).reload()
        guard case .failure(let failure) = bad else {
            Issue.record("a wrong value was accepted")
            return
        }
        #expect(
            failure.description
                == "Unable to reload config: /c/millrace.toml:2: front.event_loops: must be between 1 and 64, not 0"
        )
    }

    @Test("what is there in two files names both")
    func clash() throws {
        let files = ["/c/conf.d/a.toml": "\n[front]\nevent_loops = 1\n", "/c/conf.d/b.toml": "# b\n[front]\n"]
        #expect(
            try Self.errors(files) == ["/c/conf.d/b.toml:2: front is there already, first at /c/conf.d/a.toml:2"]
        )
    }

    @Test(
        "a typo is a mistake on its line",
        arguments: ["[", "[(front]", "a = 1979-05-27T?7:32:00Z", "a = 19'9-05-27 0", "a = \"", "a =", "a"]
    )
    func typo(line: String) throws {
        let errors = try Self.errors(["/c/millrace.toml": "mode = \"single\"\n\(line)\nbind = 1\n"])
        #expect(errors.count == 1)
        #expect(errors.allSatisfy { $0.hasPrefix("/c/millrace.toml:2: ") })
    }

    @Test("the report shows every setting with its origin and no secret")
    func report() throws {
        let report = try Self.loader([:], ["FAKTORY_PASSWORD": "hunter2"]).load().report
        #expect(!report.contains("hunter2"))
        #expect(report.contains("# environment variable FAKTORY_PASSWORD"))
        for setting in SettingsCatalogue.all { #expect(report.contains(setting.name)) }
        #expect(report.contains("********"))
    }
}
