/// Settings in the making: the values so far, where they came from, and what was found to be wrong.
struct SettingsDraft {
    var settings: Settings
    var origins: [String: SettingOrigin] = [:]
    var sections: [String: SettingValue] = [:]
    var warnings: [String] = []
    var errors: [String] = []
    let extensionSections: Set<String>

    init(settings: Settings, extensionSections: Set<String>) {
        self.settings = settings
        self.extensionSections = extensionSections
    }

    /// Applies one document over what there is.
    mutating func apply(document: SettingsDocument) {
        for (key, value) in document.root.sorted(by: { $0.key < $1.key }) {
            if self.extensionSections.contains(key) {
                self.sections[key] = value
                self.origins[key] = document.origin(of: [key])
            } else if SettingsCatalogue.groups.contains(key) {
                self.apply(group: key, value, in: document)
            } else {
                self.apply(name: key, path: [key], value, in: document)
            }
        }
    }

    private mutating func apply(group: String, _ value: SettingValue, in document: SettingsDocument) {
        guard case .table(let keys) = value else {
            self.errors.append("\(document.origin(of: [group])): \(group): expected a table, not \(value.description)")
            return
        }
        for (key, value) in keys.sorted(by: { $0.key < $1.key }) {
            self.apply(name: "\(group).\(key)", path: [group, key], value, in: document)
        }
    }

    private mutating func apply(name: String, path: [String], _ value: SettingValue, in document: SettingsDocument) {
        let origin = document.origin(of: path)
        guard let setting = SettingsCatalogue.setting(named: name) else {
            let known = SettingsCatalogue.names + SettingsCatalogue.groups + self.extensionSections.sorted()
            self.errors.append("\(origin): unknown setting \(name)\(Suggestion.hint(for: name, among: known))")
            return
        }
        if let other = Self.rival(of: name, for: setting, in: document) {
            self.errors.append("\(origin): \(name): is the same setting as \(other); keep one of them")
            return
        }
        self.apply(value, to: setting, from: origin)
    }

    /// Another name in the same document for the same setting, so that neither silently wins.
    private static func rival(of name: String, for setting: Setting, in document: SettingsDocument) -> String? {
        ([setting.name] + setting.aliases).first { other in
            let path = other.split(separator: ".").map(String.init)
            guard other != name, path.count == 2, case .table(let keys) = document.root[path[0]] else { return false }
            return keys[path[1]] != nil
        }
    }

    /// Applies the variables of the settings; warns of one that looks like a misspelt one.
    ///
    /// Kubernetes sets variables in every container for each service, and those of a service whose name begins with
    /// *millrace* begin as ours do: they are left out, and named in one warning.
    mutating func apply(variables: [String: String]) {
        var known = ["MILLRACE_CONFIG_DIRECTORY"]
        var links: [String] = []
        for setting in SettingsCatalogue.all {
            known.append(setting.variable)
            guard let text = variables[setting.variable] else { continue }
            if ServiceLink.isOne(setting.variable, value: text) {
                links.append(setting.variable)
            } else {
                self.apply(.text(text), to: setting, from: .environment(variable: setting.variable))
            }
        }
        for name in variables.keys.sorted() where name.hasPrefix("MILLRACE_") && !known.contains(name) {
            if ServiceLink.isOne(name, value: variables[name] ?? "") {
                links.append(name)
            } else if let meant = Suggestion.nearest(to: name, among: known) {
                self.warnings.append("environment variable \(name) is not known (did you mean \(meant)?)")
            }
        }
        if !links.isEmpty {
            let names = links.sorted().joined(separator: ", ")
            self.warnings.append("variables that Kubernetes has set for a service are no settings: \(names)")
        }
    }

    /// Applies the flags; `--set` comes last and so wins over the short ones.
    mutating func apply(options: CommandLineOptions) {
        let short: [(flag: String, setting: String, text: String?)] = [
            ("-b", "front.bind", options.bind), ("-w", "web.bind", options.webBind),
            ("-l", "log.level", options.logLevel?.rawValue), ("-d", "storage_directory", options.storageDirectory),
        ]
        let long = options.assignments.map { (flag: "--set \($0.name)", setting: $0.name, text: String?.some($0.text)) }
        for (flag, name, text) in short + long {
            guard let text else { continue }
            guard let setting = SettingsCatalogue.setting(named: name) else {
                let hint = Suggestion.hint(for: name, among: SettingsCatalogue.names)
                self.errors.append("flag \(flag): unknown setting \(name)\(hint)")
                continue
            }
            // A path tells where the secret is, and is none itself.
            if setting.isSecret, !text.hasPrefix("/") {
                self.warnings.append(
                    "flag \(flag): every user of this host can read a command line: name a file, or set \(setting.variable)"
                )
            }
            self.apply(.text(text), to: setting, from: .flag(flag))
        }
    }

    private mutating func apply(_ value: SettingValue, to setting: Setting, from origin: SettingOrigin) {
        do throws(SettingProblem) {
            try setting.apply(value, to: &self.settings)
            self.origins[setting.name] = origin
        } catch {
            self.errors.append("\(origin): \(error.setting): \(error.reason)")
        }
    }

    /// Adds a problem to the errors, with the place of its setting.
    mutating func note(_ problem: SettingProblem) {
        let place = self.origins[problem.setting].map { "\($0): " } ?? ""
        self.errors.append("\(place)\(problem.setting): \(problem.reason)")
    }

    /// Checks the whole and hands it over.
    consuming func finished() throws(SettingsError) -> LoadedSettings {
        for problem in self.settings.problems() { self.note(problem) }
        guard self.errors.isEmpty else { throw SettingsError(messages: self.errors) }
        return LoadedSettings(
            settings: self.settings,
            origins: self.origins,
            sections: self.sections,
            warnings: self.warnings
        )
    }
}
