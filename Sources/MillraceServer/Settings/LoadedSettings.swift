/// Settings that have been checked, and where each value came from.
package struct LoadedSettings: Sendable, Equatable {
    package let settings: Settings
    /// By the setting's name; what is missing here is a default.
    package let origins: [String: SettingOrigin]
    /// Tables that belong to extensions, such as `[[cron]]`, as they were written.
    package let sections: [String: SettingValue]
    /// What may be a mistake but need not be, one line each.
    package let warnings: [String]

    /// Where a setting's value came from.
    package func origin(of setting: String) -> SettingOrigin { self.origins[setting] ?? .builtIn }

    /// The names of the settings that differ, in the order of the catalogue.
    package func changes(from earlier: LoadedSettings) -> [String] {
        SettingsCatalogue.all
            .filter { !$0.isEqual(in: self.settings, and: earlier.settings) }
            .map(\.name)
    }

    /// What `config check` prints: each effective value and its origin, one a line; no secret is shown.
    package var report: String {
        var rows = [
            ("environment", self.settings.environment.rawValue, self.origin(of: "environment")),
            ("config_directory", self.settings.configurationDirectory, self.origin(of: "config_directory")),
        ]
        for setting in SettingsCatalogue.all {
            rows.append((setting.name, setting.shown(in: self.settings), self.origin(of: setting.name)))
        }
        let nameWidth = rows.map { $0.0.count }.max() ?? 0
        let valueWidth = min(40, rows.map { $0.1.count }.max() ?? 0)
        let lines = rows.map { name, value, origin in
            "\(Self.padded(name, to: nameWidth))  \(Self.padded(value.isEmpty ? "-" : value, to: valueWidth))  # \(origin)"
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
