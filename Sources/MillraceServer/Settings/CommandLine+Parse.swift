extension CommandLine {
    /// A command beside the built-in ones, whose arguments are handed over unread.
    package struct ExtraCommand: Sendable, Equatable {
        package let name: String
        /// A line for `--help`, without a full stop.
        package let summary: String

        package init(name: String, summary: String) {
            self.name = name
            self.summary = summary
        }
    }

    /// Understands the arguments of the process.
    ///
    /// The short flags are Faktory's. As in Go, a flag is written with one hyphen or two, and its value follows as the
    /// next argument or behind `=`.
    ///
    /// - Parameter arguments: without the name of the program.
    package static func parse(
        _ arguments: [String],
        extra: [ExtraCommand] = []
    ) throws(UsageError) -> Invocation {
        var rest = arguments[...]
        guard let first = rest.first, !first.hasPrefix("-") else {
            return try Self.parseFlags(rest, of: .dev, helpFor: nil, extra: extra)
        }
        rest.removeFirst()
        if extra.contains(where: { $0.name == first }) {
            return Invocation(command: .extra(name: first, arguments: Array(rest)))
        }
        let command: Invocation.Command
        switch first {
        case "dev": command = .dev
        case "host": command = .host
        case "front": command = .front
        case "manager": command = .manager
        case "scheduler": command = .scheduler
        case "version": command = .version
        case "help":
            return Invocation(command: .help(CommandLineHelp.text(for: rest.first, extra: extra)))
        case "config":
            if let flag = rest.first, ["-h", "--help"].contains(flag) {
                return Invocation(command: .help(CommandLineHelp.text(for: "config check", extra: extra)))
            }
            switch rest.popFirst() {
            case "check": return try Self.parseFlags(rest, of: .configCheck, helpFor: "config check", extra: extra)
            case "example": return Invocation(command: .text(SettingsDocumentation.example))
            case "reference": return Invocation(command: .text(SettingsDocumentation.reference))
            default: throw UsageError("config needs a command: check, example or reference")
            }
        case SupervisedExec.name:
            return Invocation(command: .supervisedExec(try SupervisedExec(parsing: Array(rest))))
        default:
            let known =
                ["dev", "host", "front", "manager", "scheduler", "version", "config", "help"] + extra.map(\.name)
            throw UsageError("unknown command \(first)\(Suggestion.hint(for: first, among: known))")
        }
        return try Self.parseFlags(rest, of: command, helpFor: first, extra: extra)
    }

    private static func parseFlags(
        _ arguments: ArraySlice<String>,
        of command: Invocation.Command,
        helpFor name: String?,
        extra: [ExtraCommand]
    ) throws(UsageError) -> Invocation {
        var options = CommandLineOptions()
        var rest = arguments
        while let argument = rest.popFirst() {
            guard argument.hasPrefix("-"), argument != "-" else { throw UsageError("unexpected argument \(argument)") }
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let flag = parts[0].drop { $0 == "-" }
            switch flag {
            case "h", "help": return Invocation(command: .help(CommandLineHelp.text(for: name, extra: extra)))
            case "v", "version": return Invocation(command: .version)
            default: break
            }
            guard Self.valueFlags.contains(String(flag)) else {
                let meant = Suggestion.nearest(to: String(flag), among: Self.valueFlags.filter { $0.count > 1 })
                throw UsageError("unknown flag \(parts[0])" + (meant.map { " (did you mean --\($0)?)" } ?? ""))
            }
            guard let value = parts.count == 2 ? String(parts[1]) : rest.popFirst() else {
                throw UsageError("flag \(parts[0]) needs a value")
            }
            try Self.set(String(flag), to: value, in: &options)
        }
        return Invocation(command: command, options: options)
    }

    private static let valueFlags = ["b", "w", "e", "l", "d", "c", "config", "set"]

    private static func set(
        _ flag: String,
        to value: String,
        in options: inout CommandLineOptions
    ) throws(UsageError) {
        switch flag {
        case "b": options.bind = value
        case "w": options.webBind = value
        case "d": options.storageDirectory = value
        case "c": options.configurationDirectory = value
        case "config": options.configurationFile = value
        case "e":
            guard let environment = Settings.Environment(rawValue: value) else { throw .invalidEnvironment(value) }
            options.environment = environment
        case "l":
            guard let level = LogSection.Level(rawValue: value) else {
                throw UsageError("invalid log level \"\(value)\": legal values are error, warn, info and debug")
            }
            options.logLevel = level
        default:
            guard let equals = value.firstIndex(of: "="), equals != value.startIndex else {
                throw UsageError("--set needs KEY=VALUE, for example --set front.fetch_wait=1s")
            }
            let text = String(value[value.index(after: equals)...])
            options.assignments.append(.init(name: String(value[..<equals]), text: text))
        }
    }
}
