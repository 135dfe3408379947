import Testing

@testable import MillraceServer

@Suite("Command line")
struct CommandLineTests {
    @Test(
        "each command is recognised",
        arguments: [
            (["dev"], Invocation.Command.dev), (["host"], .host), (["front"], .front), (["manager"], .manager),
            (["scheduler"], .scheduler), (["version"], .version), (["config", "check"], .configCheck),
            (["-v"], .version), (["--version"], .version), (["front", "-v"], .version), ([], .dev),
        ]
    )
    func commands(arguments: [String], expected: Invocation.Command) throws {
        #expect(try CommandLine.parse(arguments).command == expected)
    }

    @Test("the flags of faktory without a command run dev")
    func faktoryFlags() throws {
        let arguments = ["-b", "0.0.0.0:7419", "-w", ":0", "-e", "production", "-l", "debug", "-d", "/d", "-c", "/c"]
        let invocation = try CommandLine.parse(arguments)
        var options = CommandLineOptions()
        options.bind = "0.0.0.0:7419"
        options.webBind = ":0"
        options.environment = .production
        options.logLevel = .debug
        options.storageDirectory = "/d"
        options.configurationDirectory = "/c"
        #expect(invocation == Invocation(command: .dev, options: options))
    }

    @Test("a flag has one hyphen or two, and its value behind a space or an equals sign")
    func spellings() throws {
        for arguments in [["-b", "h:1"], ["--b", "h:1"], ["-b=h:1"], ["--b=h:1"]] {
            #expect(try CommandLine.parse(["front"] + arguments).options.bind == "h:1")
        }
    }

    @Test("--set keeps the order and everything behind the first equals sign")
    func assignments() throws {
        let options = try CommandLine.parse(["--set", "a.b=c=d", "--set=e=", "--config", "/f"]).options
        #expect(options.assignments == [.init(name: "a.b", text: "c=d"), .init(name: "e", text: "")])
        #expect(options.configurationFile == "/f")
    }

    @Test("the arguments of a child give the same options")
    func roundTrip() throws {
        let arguments =
            ["-b", "h:1", "-w", "h:2", "-e", "staging", "-l", "warn", "-d", "/d", "-c", "/c"]
            + ["--config", "/f", "--set", "front.fetch_wait=1s"]
        let options = try CommandLine.parse(arguments).options
        #expect(options.arguments == arguments)
        #expect(try CommandLine.parse(["front"] + options.arguments).options == options)
    }

    @Test("a child gets secrets as variables, and not as arguments, which every user of the host may read")
    func secrets() throws {
        let secrets = [
            "--set", "front.password=open-sesame", "--set", "faktory.password=a=b", "--set", "redis.password=c",
        ]
        let options = try CommandLine.parse(["--set", "front.fetch_wait=1s"] + secrets).options
        #expect(options.arguments == ["--set", "front.fetch_wait=1s"])
        #expect(options.secretVariables == ["MILLRACE_FRONT_PASSWORD": "a=b", "MILLRACE_REDIS_PASSWORD": "c"])
    }

    @Test(
        "help is given for the program and for each command",
        arguments: ["dev", "host", "front", "manager", "scheduler", "version"]
    )
    func help(command: String) throws {
        for arguments in [[command, "-h"], [command, "--help"], ["help", command]] {
            guard case .help(let text) = try CommandLine.parse(arguments).command else {
                Issue.record("\(arguments) gave no help")
                continue
            }
            #expect(text.hasPrefix("Usage: millrace \(command) [flags]\n\n"))
            #expect(text.contains("--set KEY=VALUE"))
        }
    }

    @Test("the overview lists built-in and extra commands but not the hidden one")
    func overview() throws {
        let extra = [CommandLine.ExtraCommand(name: "bench", summary: "Measure a server")]
        guard case .help(let text) = try CommandLine.parse(["-h"], extra: extra).command else {
            Issue.record("-h gave no help")
            return
        }
        for word in ["dev", "config check", "bench", "Measure a server"] { #expect(text.contains(word)) }
        #expect(!text.contains(SupervisedExec.name))
    }

    @Test("an extra command gets its arguments unread")
    func extra() throws {
        let extra = [CommandLine.ExtraCommand(name: "bench", summary: "Measure a server")]
        let invocation = try CommandLine.parse(["bench", "-x", "--help"], extra: extra)
        #expect(invocation.command == .extra(name: "bench", arguments: ["-x", "--help"]))
    }

    @Test("the hidden command gets its program's arguments unread")
    func supervisedExec() throws {
        let expected = SupervisedExec(parent: 12, executable: "/bin/x", arguments: ["-h", "--", "-b"])
        #expect(try CommandLine.parse(expected.arguments(of: SupervisedExec.name)).command == .supervisedExec(expected))
    }

    @Test(
        "what cannot be understood is an error with exit code 2",
        arguments: [
            (["frnt"], "unknown command frnt (did you mean \"front\"?)"), (["-x"], "unknown flag -x"),
            (["--confg", "f"], "unknown flag --confg (did you mean --config?)"), (["-b"], "flag -b needs a value"),
            (["dev", "now"], "unexpected argument now"),
            (["config"], "config needs a command: check, example or reference"),
            (["--set", "x"], "--set needs KEY=VALUE, for example --set front.fetch_wait=1s"),
            (["--set", "=x"], "--set needs KEY=VALUE, for example --set front.fetch_wait=1s"),
            (["-l", "loud"], "invalid log level \"loud\": legal values are error, warn, info and debug"),
            (
                [SupervisedExec.name, "x", "y"],
                "supervised-exec needs the id of its parent, a program and its arguments"
            ),
        ]
    )
    func mistakes(arguments: [String], message: String) {
        #expect(throws: UsageError(message, exitCode: 2)) { try CommandLine.parse(arguments) }
    }

    @Test("an environment that there is not ends with Faktory's words and exit code")
    func invalidEnvironment() {
        let words = "Invalid environment \"test\": legal values are development, staging or production"
        #expect(throws: UsageError(words, exitCode: 1)) { try CommandLine.parse(["-e", "test"]) }
    }
}
