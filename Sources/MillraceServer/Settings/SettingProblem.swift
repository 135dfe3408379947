/// A value that cannot be used, and why, in words that follow the name of the setting.
package struct SettingProblem: Error, Equatable {
    /// The setting's name in the catalogue, for example `front.fetch_wait`.
    package let setting: String
    /// One line, for example `must be between 1s and 60s, not 2m`.
    package let reason: String

    package init(setting: String, reason: String) {
        self.setting = setting
        self.reason = reason
    }
}
