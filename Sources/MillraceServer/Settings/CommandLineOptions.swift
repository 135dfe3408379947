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

        /// The setting, if its value must not be shown.
        var secret: Setting? { SettingsCatalogue.setting(named: self.name).flatMap { $0.isSecret ? $0 : nil } }
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

    /// The flags again, to start a child process with the same settings; without secrets, which every user of the host could
    /// read there.
    package var arguments: [String] {
        let flags: [(String, String?)] = [
            ("-b", self.bind), ("-w", self.webBind), ("-e", self.environment?.rawValue),
            ("-l", self.logLevel?.rawValue),
            ("-d", self.storageDirectory), ("-c", self.configurationDirectory), ("--config", self.configurationFile),
        ]
        var arguments = flags.flatMap { flag, value in value.map { [flag, $0] } ?? [] }
        for assignment in self.assignments where assignment.secret == nil {
            arguments += ["--set", "\(assignment.name)=\(assignment.text)"]
        }
        return arguments
    }

    /// The secrets among the flags, as variables for a child process.
    package var secretVariables: [String: String] {
        self.assignments.reduce(into: [:]) { variables, assignment in
            if let setting = assignment.secret { variables[setting.variable] = assignment.text }
        }
    }
}
