/// The pages that are made from the catalogue: the annotated example and the reference.
package enum SettingsDocumentation {
    private static let lineWidth = 120

    /// What stands at the beginning of the example.
    private static let introduction = """
        # Millrace settings, with their defaults. Written by `millrace config example`.
        #
        # Copy this file to the config directory (/etc/faktory, in development ~/.faktory) and take the # away before what you
        # want to change. What is said later goes over what is said earlier:
        #
        #   1. the defaults
        #   2. <config directory>/conf.d/*.toml, in alphabetical order, read as one document
        #   3. <config directory>/millrace.toml, or the file that --config names
        #   4. the environment: MILLRACE_<GROUP>_<KEY>, for example MILLRACE_FRONT_FETCH_WAIT=1s
        #   5. flags: -b, -w, -l, -d, and --set front.fetch_wait=1s for any setting
        #
        # Durations are written "250ms", "1.9s", "2m", "1h", or as a number of seconds; sizes "64KiB", "8MiB", "1GiB", or as a
        # number of bytes. A key that is not known here is an error. `millrace config check` prints what is in effect and where
        # each value came from. SIGHUP lets the processes read all of this again; docs/settings.md says what changes then, and
        # within which bounds each value has to be.

        """

    /// `config/millrace.toml`: every setting with its default, all of them commented out.
    package static var example: String {
        let usual = Settings(environment: .production)
        var lines = [Self.introduction]
        for table in SettingsCatalogue.tables {
            if !table.name.isEmpty { lines += Self.comment(table.text) + ["[\(table.name)]"] }
            for setting in table.settings {
                lines += Self.comment(setting.text)
                lines.append("#\(setting.key) = \(setting.written(for: usual))")
            }
            lines.append("")
        }
        return lines.joined(separator: "\n").trimmingEnd + "\n"
    }

    /// `docs/settings.md`: every setting with its default, its bounds, and who goes by it.
    package static var reference: String {
        let usual = Settings(environment: .production)
        var lines = [
            "# Settings",
            "",
            "Written by `millrace config reference`. [config/millrace.toml](../config/millrace.toml) has the same settings as a",
            "file to begin with, and says where they may stand. Each can be set by a variable, too: `front.fetch_wait` is",
            "`MILLRACE_FRONT_FETCH_WAIT`.",
            "",
            "*Read by* names the processes that go by a setting; the supervisor is `millrace dev` or `millrace host`. With a",
            "*yes* under *SIGHUP* a new value takes effect when the process gets that signal; every other needs a start.",
        ]
        for table in SettingsCatalogue.tables {
            lines += ["", table.name.isEmpty ? "## Before any table" : "## [\(table.name)]", ""]
            if !table.text.isEmpty { lines += Self.wrapped(table.text, to: Self.lineWidth) + [""] }
            lines += [
                "| setting | what it is | default | values | read by | SIGHUP |",
                "|---|---|---|---|---|---|",
            ]
            lines += table.settings.map { Self.row(of: $0, usual) }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func row(of setting: Setting, _ usual: Settings) -> String {
        let shown = setting.shown(in: usual)
        let names = ["`\(setting.name)`"] + setting.aliases.map { "(or `\($0)`)" }
        let cells = [
            names.joined(separator: " "),
            setting.text,
            shown.isEmpty ? "" : "`\(shown)`",
            setting.bounds,
            setting.readers.map(\.rawValue).joined(separator: ", "),
            setting.isReloaded ? "yes" : "",
        ]
        return "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |"
    }

    private static func comment(_ text: String) -> [String] {
        Self.wrapped(text, to: Self.lineWidth - 2).map { "# " + $0 }
    }

    /// The words of a text in lines of at most so many characters; a longer word has a line of its own.
    private static func wrapped(_ text: String, to width: Int) -> [String] {
        var lines: [String] = []
        for word in text.split(whereSeparator: \.isWhitespace) {
            if let last = lines.last, last.count + 1 + word.count <= width {
                lines[lines.count - 1] = last + " " + word
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }
}

extension String {
    fileprivate var trimmingEnd: String {
        var text = self
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
