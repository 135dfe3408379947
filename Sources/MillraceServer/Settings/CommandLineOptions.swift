/// The flags that every role takes.
package struct CommandLineOptions: Sendable, Equatable {
    /// One `--set group.key=value`.
    package struct Assignment: Sendable, Equatable {
        package let name: String
        package let text: String

        package init(name: String, text: String) {
            self.name = name
            self.text = text
        }
    }

    /// `-b`: the command port.
    package var bind: String?
    /// `-w`: the web server.
    package var webBind: String?
    /// `-e`.
    package var environment: Settings.Environment?
    /// `-l`.
    package var logLevel: LogSection.Level?
    /// `-d`.
    package var storageDirectory: String?
    /// `-c`.
    package var configurationDirectory: String?
    /// `--config`: a file in place of `millrace.toml`.
    package var configurationFile: String?
    /// `--set`, in their order.
    package var assignments: [Assignment] = []

    package init() {}

    /// The flags again, to start a child process with the same settings.
    package var arguments: [String] {
        let flags: [(String, String?)] = [
            ("-b", self.bind), ("-w", self.webBind), ("-e", self.environment?.rawValue),
            ("-l", self.logLevel?.rawValue),
            ("-d", self.storageDirectory), ("-c", self.configurationDirectory), ("--config", self.configurationFile),
        ]
        var arguments = flags.flatMap { flag, value in value.map { [flag, $0] } ?? [] }
        for assignment in self.assignments { arguments += ["--set", "\(assignment.name)=\(assignment.text)"] }
        return arguments
    }
}
