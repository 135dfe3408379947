import JobCore

/// The options that a job carries for the server's features.
///
/// Faktory Enterprise's names stand flat in `custom`, ours in one object, `custom.millrace`. What else an application keeps in
/// `custom` is its own; in `custom.millrace` a name that no feature knows is an error.
struct JobOptions {
    /// The member of `custom` that holds our own options.
    static let ownKey = "millrace"
    /// How many values `custom.millrace` may have.
    static let valueBound = 1_000

    private let flat: [String: JSONValue]
    private let own: [String: JSONValue]

    /// Reads what is there; nil when the job carries no option.
    ///
    /// - Throws: an error with the name of the option that is unknown or of a wrong type.
    init?(of job: Job, knownTo features: FeatureNames) throws(KnownError) {
        let found = job.customValues(under: features.keys)
        guard !found.isEmpty else { return nil }
        var flat: [String: JSONValue] = [:]
        for (name, bytes) in found where name != Self.ownKey {
            guard let value = try? JSONValue(parsing: bytes, atMost: Self.valueBound) else {
                throw .wrongOption(name, "has too many values")
            }
            flat[name] = value
        }
        self.flat = flat
        self.own =
            try found[Self.ownKey].map { (bytes) throws(KnownError) in
                try Self.readOwn(bytes, knownTo: features)
            } ?? [:]
    }

    private static func readOwn(
        _ bytes: ArraySlice<UInt8>,
        knownTo features: FeatureNames
    ) throws(KnownError) -> [String: JSONValue] {
        guard let value = try? JSONValue(parsing: bytes, atMost: Self.valueBound) else {
            throw .wrongOption(Self.ownKey, "has too many values")
        }
        guard case .object(let members) = value else { throw .wrongOption(Self.ownKey, "must be an object") }
        var own: [String: JSONValue] = [:]
        for member in members {
            let name = "\(Self.ownKey).\(member.key)"
            guard features.own.contains(member.key) else { throw .wrongOption(name, "is not known") }
            own[member.key] = member.value == .null ? nil : member.value
        }
        return own
    }

    /// Whether one of these names is there, flat or among our own.
    func has(_ name: String) -> Bool { self.flat[name] != nil || self.own[name] != nil }

    /// A number of seconds; nil when it is not there.
    ///
    /// - Throws: when it is no number, or longer than ten years.
    func seconds(_ name: String) throws(KnownError) -> Duration? {
        guard let value = self.flat[name] else { return nil }
        guard case .number(let text) = value, let seconds = Double(text) else {
            throw .wrongOption(name, "must be a number of seconds")
        }
        guard seconds.magnitude <= Self.secondsBound else {
            throw .wrongOption(name, "must be at most \(Int(Self.secondsBound)) seconds")
        }
        return .nanoseconds(Int64((seconds * 1_000_000_000).rounded()))
    }

    /// Ten years.
    private static let secondsBound = 315_360_000.0

    /// A time; nil when it is not there.
    func time(_ name: String) throws(KnownError) -> WallTime? {
        guard let value = self.flat[name] else { return nil }
        guard let text = value.string, let time = WallTime(rfc3339: text) else {
            throw .wrongOption(name, "must be a time in RFC 3339")
        }
        return time
    }

    /// One of the cases of an enumeration; nil when it is not there.
    func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String,
        as type: Choice.Type = Choice.self
    ) throws(KnownError) -> Choice? {
        let (value, name) = self.flat[name].map { ($0, name) } ?? (self.own[name], "\(Self.ownKey).\(name)")
        guard let value else { return nil }
        guard let text = value.string, let choice = Choice(rawValue: text) else {
            let words = Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
            throw .wrongOption(name, "must be one of \(words)")
        }
        return choice
    }

    /// A text among our own options; nil when it is not there.
    func ownText(_ name: String) throws(KnownError) -> String? {
        guard let value = self.own[name] else { return nil }
        guard let text = value.string else { throw .wrongOption("\(Self.ownKey).\(name)", "must be a string") }
        return text
    }
}

/// The names of the options that features know.
struct FeatureNames {
    /// Those that stand flat in `custom`.
    let flat: [String]
    /// Those in `custom.millrace`.
    let own: [String]
    /// The members of `custom` that may hold options.
    let keys: [String]

    init(flat: [String], own: [String]) {
        self.flat = flat
        self.own = own
        self.keys = flat + [JobOptions.ownKey]
    }
}

extension KnownError {
    /// An option of a job that cannot be taken.
    ///
    /// - Parameter name: the option, as it is called in `custom`.
    static func wrongOption(_ name: String, _ what: String) -> KnownError {
        .expected(code: "ERR", message: "custom.\(EchoedText(name)) \(what)")
    }
}
