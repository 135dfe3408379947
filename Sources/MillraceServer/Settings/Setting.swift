/// One setting: everything that is known of it, in the only place where it is written down.
///
/// From a definition follow the check of a value, the value's way into the roles' configurations, `config check`,
/// `config/millrace.toml` and `docs/settings.md`. To add a setting:
///
/// 1. Give the struct of its group, for example ``ManagerSection``, a property. Its initial value is the default; where
///    a role has a configuration of its own, take the default from there.
/// 2. Add a `Setting` to the `group` in the same file: its name, its place, its format with the bounds (those of the
///    role's configuration, if it has any), who reads it, and sentences for people.
/// 3. Hand the property on in `Roles`.
/// 4. Write the two files anew, which a test compares: `millrace config example > config/millrace.toml` and
///    `millrace config reference > docs/settings.md`.
package struct Setting: Sendable {
    /// A process that reads a setting.
    package enum Reader: String, Sendable, CaseIterable {
        case front
        case manager
        case scheduler
        /// `millrace dev` and `millrace host`.
        case supervisor
    }

    /// The group and the key with a dot between them, for example `front.fetch_wait`; only the key outside any group.
    package let name: String
    /// Other names in a file that mean the same, for example Faktory's own.
    package let aliases: [String]
    /// Which processes go by it.
    package let readers: [Reader]
    /// Whether SIGHUP changes it in a process that runs; otherwise a new value needs a start.
    package let isReloaded: Bool
    /// What it does, in sentences for people.
    package let text: String
    /// What values are taken, for people.
    package let bounds: String
    /// Whether the value must not be shown.
    package let isSecret: Bool

    /// How a file would have it, where there is no default.
    private let example: String?
    private let write: @Sendable (SettingValue, inout Settings) -> String?
    private let read: @Sendable (Settings) -> String
    private let document: @Sendable (Settings) -> String
    private let objection: @Sendable (Settings) -> String?
    private let same: @Sendable (Settings, Settings) -> Bool

    /// - Parameters:
    ///   - name: with its group.
    ///   - place: where the value is, and before anything was read the default.
    ///   - format: how it is written, and within which bounds.
    ///   - readers: the processes that go by it.
    ///   - isReloaded: whether SIGHUP changes it.
    ///   - example: what a file would have, where there is no default.
    ///   - text: sentences for people.
    init<Value: Equatable>(
        _ name: String,
        _ place: any WritableKeyPath<Settings, Value> & Sendable,
        _ format: ValueFormat<Value>,
        readBy readers: [Reader],
        isReloaded: Bool = false,
        aliases: [String] = [],
        example: String? = nil,
        _ text: String
    ) {
        self.name = name
        self.aliases = aliases
        self.readers = readers
        self.isReloaded = isReloaded
        self.text = text
        self.bounds = format.bounds
        self.isSecret = format.isSecret
        self.example = example
        self.write = { given, settings in
            guard let value = format.parse(given) else {
                let shown = format.isSecret ? "" : ", not \(given.description)"
                return "expected \(format.expectation)\(shown)"
            }
            settings[keyPath: place] = value
            return nil
        }
        self.read = { format.print($0[keyPath: place]) }
        self.document = { format.document($0[keyPath: place]) }
        self.objection = { format.objection($0[keyPath: place]) }
        self.same = { $0[keyPath: place] == $1[keyPath: place] }
    }

    /// A setting that may be left out.
    init<Value: Equatable>(
        _ name: String,
        optional place: any WritableKeyPath<Settings, Value?> & Sendable,
        _ format: ValueFormat<Value>,
        readBy readers: [Reader],
        isReloaded: Bool = false,
        aliases: [String] = [],
        example: String,
        _ text: String
    ) {
        self.init(
            name,
            place,
            format.optional,
            readBy: readers,
            isReloaded: isReloaded,
            aliases: aliases,
            example: example,
            text
        )
    }

    /// The name without its group.
    package var key: String { String(self.name.split(separator: ".").last ?? "") }

    /// The variable that sets it, for example `MILLRACE_FRONT_FETCH_WAIT`.
    package var variable: String {
        "MILLRACE_" + String(self.name.map { $0 == "." ? "_" : $0 }).uppercased()
    }

    /// Puts what a source gave in its place, or says why it is not of the right kind.
    func apply(_ given: SettingValue, to settings: inout Settings) throws(SettingProblem) {
        if let reason = self.write(given, &settings) { throw SettingProblem(setting: self.name, reason: reason) }
    }

    /// The value for people; a secret is masked and a value that was left out is empty.
    package func shown(in settings: Settings) -> String { self.read(settings) }

    /// What a file would have for the value, or for the example where there is none.
    package func written(for settings: Settings) -> String { self.example ?? self.document(settings) }

    /// Why the value is not taken by itself, whatever the others are; nil when it is.
    package func problem(in settings: Settings) -> SettingProblem? {
        self.objection(settings).map { SettingProblem(setting: self.name, reason: $0) }
    }

    /// Whether two trees agree on this setting, secrets included.
    package func isEqual(in left: Settings, and right: Settings) -> Bool { self.same(left, right) }
}
