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

    /// The problem of a number outside its range, or none.
    static func outside(_ range: ClosedRange<Int>, _ setting: String, _ value: Int) -> SettingProblem? {
        guard !range.contains(value) else { return nil }
        let reason = "must be between \(range.lowerBound) and \(range.upperBound), not \(value)"
        return SettingProblem(setting: setting, reason: reason)
    }

    /// The problem of a duration outside its range, or none.
    static func outside(_ range: ClosedRange<Duration>, _ setting: String, _ value: Duration) -> SettingProblem? {
        guard !range.contains(value) else { return nil }
        let bounds = [range.lowerBound, range.upperBound, value].map(DurationText.print)
        return SettingProblem(
            setting: setting,
            reason: "must be between \(bounds[0]) and \(bounds[1]), not \(bounds[2])"
        )
    }
}
