/// Every setting there is: files, variables, flags, `config check` and the documentation all go by this list.
package enum SettingsCatalogue {
    /// The tables of a file, in the order in which they are shown.
    package static let tables: [SettingGroup] = [
        Settings.group, FrontSection.group, WebSection.group, ManagerSection.group, RedisSection.group,
        ClusterSection.group, SchedulerSection.group, LogSection.group, TLSSection.group,
    ]

    /// In the order in which they are shown.
    package static let all: [Setting] = Self.tables.flatMap(\.settings)

    private static let byName: [String: Setting] = {
        var settings: [String: Setting] = [:]
        for setting in Self.all {
            for name in [setting.name] + setting.aliases { settings[name] = setting }
        }
        return settings
    }()

    /// The names that a file may use, aliases included.
    package static let names: [String] = Self.all.flatMap { [$0.name] + $0.aliases }

    /// The tables that a file may have.
    package static let groups: [String] = {
        var groups: [String] = []
        for name in Self.names {
            if let dot = name.firstIndex(of: "."), !groups.contains(String(name[..<dot])) {
                groups.append(String(name[..<dot]))
            }
        }
        return groups
    }()

    /// The setting of a name or alias.
    package static func setting(named name: String) -> Setting? { Self.byName[name] }
}
