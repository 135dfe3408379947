/// One setting: its name, its place in ``Settings``, and how it is read and written.
package struct Setting: Sendable {
    /// The group and the key with a dot between them, for example `front.fetch_wait`; only the key outside any group.
    package let name: String
    /// Other names in a file that mean the same, for example Faktory's own.
    package let aliases: [String]
    /// Whether the value must not be shown.
    package let isSecret: Bool

    private let write: @Sendable (SettingValue, inout Settings) -> String?
    private let read: @Sendable (Settings) -> String
    private let same: @Sendable (Settings, Settings) -> Bool

    init<Value: Equatable>(
        _ name: String,
        _ place: any WritableKeyPath<Settings, Value> & Sendable,
        _ format: ValueFormat<Value>,
        aliases: [String] = []
    ) {
        self.name = name
        self.aliases = aliases
        self.isSecret = format.isSecret
        self.write = { given, settings in
            guard let value = format.parse(given) else {
                let shown = format.isSecret ? "" : ", not \(given.description)"
                return "expected \(format.expectation)\(shown)"
            }
            settings[keyPath: place] = value
            return nil
        }
        self.read = { format.print($0[keyPath: place]) }
        self.same = { $0[keyPath: place] == $1[keyPath: place] }
    }

    /// A setting that may be left out.
    init<Value: Equatable>(
        _ name: String,
        optional place: any WritableKeyPath<Settings, Value?> & Sendable,
        _ format: ValueFormat<Value>,
        aliases: [String] = []
    ) {
        self.init(name, place, format.optional, aliases: aliases)
    }

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

    /// Whether two trees agree on this setting, secrets included.
    package func isEqual(in left: Settings, and right: Settings) -> Bool { self.same(left, right) }
}
