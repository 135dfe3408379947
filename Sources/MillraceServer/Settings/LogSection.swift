/// What is logged, and how a line looks.
package struct LogSection: Sendable, Equatable {
    /// How much is logged, in the words of Faktory's `-l`.
    package enum Level: String, Sendable, CaseIterable {
        case error
        case warn
        case info
        case debug
    }

    /// How a line looks.
    package enum Format: String, Sendable, CaseIterable {
        /// `I 2026-11-23T13:19:52.658Z message key=value`, as Faktory's.
        case text
        /// One JSON object a line.
        case json
    }

    package var level = Level.info
    package var format = Format.text

    package init() {}
}

extension LogSection {
    static let group = SettingGroup(
        "log",
        "What is logged, on standard error, and how a line looks.",
        [
            Setting(
                "log.level",
                \.log.level,
                .choice,
                readBy: Setting.Reader.allCases,
                isReloaded: true,
                "error, warn, info or debug; warnings and errors are always logged."
            ),
            Setting(
                "log.format",
                \.log.format,
                .choice,
                readBy: Setting.Reader.allCases,
                #""text" for Faktory's format, "json" for one object a line."#
            ),
        ]
    )
}
