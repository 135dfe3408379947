/// The texts of `--help`.
package enum CommandLineHelp {
    static let flags = """
        Flags:
          -b HOST:PORT     listen for clients here (default 127.0.0.1:7419)
          -w HOST:PORT     serve the web UI here (default 127.0.0.1:7420, ":0" for none)
          -e ENVIRONMENT   development, staging or production (default $FAKTORY_ENV, then development)
          -l LEVEL         error, warn, info or debug (default info)
          -d DIRECTORY     storage directory (default /var/lib/faktory/db, in development ~/.faktory/db)
          -c DIRECTORY     config directory (default /etc/faktory, in development ~/.faktory)
          --config FILE    read FILE in place of millrace.toml in the config directory
          --set KEY=VALUE  set any setting, for example --set front.fetch_wait=1s; may be repeated
          -v, --version    print the version
          -h, --help       print this

        """

    /// The text of a command, or of the whole program for `nil`.
    static func text(for command: String?, extra: [CommandLine.ExtraCommand]) -> String {
        guard let command else { return Self.overview(extra: extra) }
        let summaries = Self.commands + extra.map { ($0.name, $0.summary) }
        let summary = summaries.first { $0.0 == command }?.1 ?? ""
        return "Usage: millrace \(command) [flags]\n\n\(summary).\n\n\(Self.flags)"
    }

    private static let commands = [
        ("dev", "Run a front, a manager, a scheduler and a Redis of their own in one terminal"),
        ("host", "Run the roles and the Redis of one member of a cluster"),
        ("front", "Serve Faktory clients and the web UI"),
        ("manager", "Keep the jobs: the only process that writes to Redis"),
        ("scheduler", "Tell the manager when what is due is due"),
        ("config check", "Check the settings, and print each value and where it came from"),
        ("config example", "Print an annotated file of all settings"),
        ("config reference", "Print a page about all settings, as docs/settings.md"),
        ("version", "Print the version"),
    ]

    private static func overview(extra: [CommandLine.ExtraCommand]) -> String {
        let commands = Self.commands + extra.map { ($0.name, $0.summary) }
        let width = commands.map { $0.0.count }.max() ?? 0
        let list = commands.map { name, summary in
            "  \(name)\(String(repeating: " ", count: width - name.count))  \(summary)"
        }
        return """
            Usage: millrace [command] [flags]

            Without a command, dev is run, so that the flags of faktory start the same server here.

            Commands:
            \(list.joined(separator: "\n"))

            \(Self.flags)
            """
    }
}
