import Foundation

/// Puts settings together from their sources, the later over the earlier: defaults, files, variables, flags.
///
/// The files are `conf.d/*.toml` of the configuration directory, in alphabetical order and read as one document, and
/// over them `millrace.toml` there or the file that `--config` names. Nothing is wrong silently: unknown keys, wrong
/// types and values out of range are errors, each with its place, and all of them are reported at once.
package struct SettingsLoader: Sendable {
    /// The sections of Faktory's own extensions, which are no mistake in a file although they are not settings.
    package static let faktorySections: Set<String> = ["cron", "statsd", "throttles"]

    package let options: CommandLineOptions
    package let variables: [String: String]
    package let files: ConfigurationFiles
    package let needsPassword: Bool
    package let isMember: Bool
    package let extensionSections: Set<String>
    package let currentDirectory: String

    /// - Parameters:
    ///   - needsPassword: whether the process speaks to clients; only then do the rules for passwords apply.
    ///   - isMember: whether the process is one of a member, which has a number and secrets where there are several.
    ///   - extensionSections: top-level tables that are handed out in ``LoadedSettings/sections`` unread.
    ///   - currentDirectory: where relative paths of directories begin.
    package init(
        options: CommandLineOptions,
        variables: [String: String],
        files: ConfigurationFiles = .disk,
        needsPassword: Bool = true,
        isMember: Bool = false,
        extensionSections: Set<String> = Self.faktorySections,
        currentDirectory: String = FileManager.default.currentDirectoryPath
    ) {
        self.options = options
        self.variables = variables
        self.files = files
        self.needsPassword = needsPassword
        self.isMember = isMember
        self.extensionSections = extensionSections
        self.currentDirectory = currentDirectory
    }

    /// Reads all sources and checks the result.
    package func load() throws(SettingsError) -> LoadedSettings {
        let (environment, environmentOrigin) = try self.environment()
        let settings = Settings(environment: environment, home: self.variables["HOME"])
        var draft = SettingsDraft(settings: settings, extensionSections: self.extensionSections)
        draft.origins["environment"] = environmentOrigin
        self.chooseConfigurationDirectory(in: &draft)
        self.applyFiles(to: &draft)
        draft.apply(variables: self.variables)
        draft.apply(options: self.options)
        draft.settings.storageDirectory = self.absolute(draft.settings.storageDirectory)
        if self.needsPassword { self.resolvePasswords(in: &draft) }
        if draft.settings.mode == .replicated, draft.origins["durability"] == nil {
            draft.settings.durability = .disk
        }
        if draft.settings.mode == .shared { Self.refuseForeignSettings(in: &draft) }
        if draft.settings.mode.hasMembers, self.isMember { self.completeMember(in: &draft) }
        self.findCertificate(in: &draft)
        self.warnOfCluster(in: &draft)
        Self.warnOfUnbuilt(in: &draft)
        return try draft.finished()
    }

    /// Reads all sources again, for SIGHUP.
    ///
    /// The failure is one line for the log; whoever asked goes on with the settings that it has.
    package func reload() -> Result<LoadedSettings, SettingsReloadFailure> {
        do throws(SettingsError) {
            return .success(try self.load())
        } catch {
            let reason = error.messages.joined(separator: "; ")
            return .failure(SettingsReloadFailure(description: "Unable to reload config: \(reason)"))
        }
    }

    private func environment() throws(SettingsError) -> (Settings.Environment, SettingOrigin) {
        if let environment = self.options.environment { return (environment, .flag("-e")) }
        guard let name = self.variables["FAKTORY_ENV"], !name.isEmpty else { return (.development, .builtIn) }
        guard let environment = Settings.Environment(rawValue: name) else {
            throw SettingsError(messages: [UsageError.invalidEnvironment(name).message])
        }
        return (environment, .environment(variable: "FAKTORY_ENV"))
    }

    private func chooseConfigurationDirectory(in draft: inout SettingsDraft) {
        let variable = "MILLRACE_CONFIG_DIRECTORY"
        if let directory = self.options.configurationDirectory {
            draft.settings.configurationDirectory = directory
            draft.origins["config_directory"] = .flag("-c")
        } else if let directory = self.variables[variable] {
            draft.settings.configurationDirectory = directory
            draft.origins["config_directory"] = .environment(variable: variable)
        }
        draft.settings.configurationDirectory = self.absolute(draft.settings.configurationDirectory)
    }

    /// The path from the root, without empty parts, parts that mean the same directory, and a slash at the end.
    ///
    /// Whatever has to do with a directory runs elsewhere at times: Redis changes into its own.
    private func absolute(_ path: String) -> String {
        guard !path.isEmpty else { return path }
        let full = path.hasPrefix("/") ? path : self.currentDirectory + "/" + path
        return "/" + full.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
    }

    /// Says of each table of Faktory's that is taken without an error, and that nothing goes by yet.
    private static func warnOfUnbuilt(in draft: inout SettingsDraft) {
        for (name, what) in [
            ("cron", "no recurring job is scheduled"), ("statsd", "no metrics are sent"),
            ("throttles", "no queue is throttled"),
        ] where draft.sections[name] != nil {
            let place = draft.origins[name].map { "\($0): " } ?? ""
            draft.warnings.append("\(place)[\(name)] has no effect, since Millrace does not have it yet: \(what)")
        }
    }

    private func applyFiles(to draft: inout SettingsDraft) {
        let directory = draft.settings.configurationDirectory
        self.apply(self.dropIns(in: directory + "/conf.d", reportingTo: &draft), to: &draft)
        let path = self.options.configurationFile ?? directory + "/millrace.toml"
        let mayBeMissing = self.options.configurationFile == nil
        self.apply([path], mayBeMissing: mayBeMissing, to: &draft)
    }

    private func dropIns(in directory: String, reportingTo draft: inout SettingsDraft) -> [String] {
        do throws(ConfigurationFiles.Failure) {
            return try self.files.list(directory)
                .filter { $0.hasSuffix(".toml") && !$0.hasPrefix(".") }
                .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
                .map { directory + "/" + $0 }
        } catch {
            if case .unreadable(let reason) = error { draft.errors.append("\(directory): cannot be read: \(reason)") }
            return []
        }
    }

    /// Reads files as one document and applies what they say.
    private func apply(_ paths: [String], mayBeMissing: Bool = false, to draft: inout SettingsDraft) {
        var contents: [(path: String, content: [UInt8])] = []
        for path in paths {
            do throws(ConfigurationFiles.Failure) {
                contents.append((path, try self.files.read(path)))
            } catch {
                switch error {
                case .missing where mayBeMissing: break
                case .missing: draft.errors.append("\(path): No such file or directory")
                case .unreadable(let reason): draft.errors.append("\(path): cannot be read: \(reason)")
                }
            }
        }
        guard !contents.isEmpty else { return }
        do throws(SettingsDocument.Failure) {
            draft.apply(document: try SettingsDocument(contents))
        } catch {
            draft.errors.append("\(error.origin): \(error.reason)")
        }
    }

    private func resolvePasswords(in draft: inout SettingsDraft) {
        let rules = PasswordRules(
            environment: draft.settings.environment,
            variables: self.variables,
            files: self.files
        )
        let configured = draft.settings.front.password
        if self.variables["FAKTORY_PASSWORD"] != nil {
            draft.origins["front.password"] = .environment(variable: "FAKTORY_PASSWORD")
        }
        do throws(PasswordRules.Failure) {
            let password = try rules.password(configured: configured)
            draft.settings.front.password = password
            if password != nil, draft.origins["front.password"] == nil {
                draft.origins["front.password"] = .found(path: PasswordRules.defaultFile)
            }
            let own = draft.settings.web.password
            draft.settings.web.password = try rules.webPassword(configured: own, server: password)
            if draft.origins["web.password"] == nil { draft.origins["web.password"] = draft.origins["front.password"] }
        } catch {
            draft.errors.append(error.description)
        }
    }

    /// Notes what was set and cannot mean anything where somebody else keeps the Redis.
    private static func refuseForeignSettings(in draft: inout SettingsDraft) {
        for (setting, instead) in [
            ("durability", "what an acknowledged job survives is decided by that Redis"),
            ("cluster.redis_port", "the Redis is the one of redis.address"),
            ("cluster.redis_password", "the password is redis.password"),
            ("redis.server", "no Redis is started"),
        ] where draft.origins[setting] != nil {
            draft.note(SettingProblem(setting: setting, reason: "cannot be set in shared mode: \(instead)"))
        }
    }

    /// Notes what a manager in shared mode cannot do without.
    private static func requireSharedParts(in draft: inout SettingsDraft) {
        if draft.settings.ownsRedis {
            let reason = "must say where the Redis of all managers is, in shared mode (or redis.socket)"
            draft.note(SettingProblem(setting: "redis.address", reason: reason))
        }
        // One on each host, which the default would be, elects a leader on each.
        if draft.origins["cluster.etcd"] == nil {
            draft.note(SettingProblem(setting: "cluster.etcd", reason: "must say where etcd is, in shared mode"))
        }
    }

    /// Applies what a member needs beyond what a file says.
    private func completeMember(in draft: inout SettingsDraft) {
        let rules = PasswordRules(
            environment: draft.settings.environment,
            variables: self.variables,
            files: self.files
        )
        do throws(PasswordRules.Failure) {
            draft.settings.cluster.redisPassword = try rules.secret(draft.settings.cluster.redisPassword)
            draft.settings.cluster.etcdPassword = try rules.secret(draft.settings.cluster.etcdPassword)
            if draft.settings.mode == .shared {
                draft.settings.redis.password = try rules.secret(draft.settings.redis.password)
            }
        } catch {
            draft.errors.append(error.description)
        }
        for problem in draft.settings.cluster.problemsOfMember(in: draft.settings.mode) { draft.note(problem) }
        if draft.settings.mode == .shared { Self.requireSharedParts(in: &draft) }
    }

    private func warnOfCluster(in draft: inout SettingsDraft) {
        let settings = draft.settings
        if settings.mode.hasMembers, settings.cluster.isExposed {
            draft.warnings.append(
                "the links between the hosts of the cluster are neither encrypted nor authenticated: "
                    + "set cluster.curve_key, or keep their ports in a network of their own"
            )
        }
        if settings.mode == .replicated, settings.cluster.hasIdleMember {
            let count = settings.cluster.members.count
            draft.warnings.append(
                "with \(count) members no more hosts may be lost than with \(count - 1): add one, or remove one"
            )
        }
        if settings.mode == .single, settings.cluster.curveKey != nil {
            draft.warnings.append("cluster.curve_key encrypts nothing in single mode")
        }
    }

    /// Takes the pair that Faktory would take, unless files were named.
    private func findCertificate(in draft: inout SettingsDraft) {
        guard draft.settings.tls == TLSSection() else { return }
        let directory = draft.settings.configurationDirectory
        let certificate = directory + "/" + TLSSection.certificateName
        let privateKey = directory + "/" + TLSSection.privateKeyName
        guard self.files.hasFile(certificate), self.files.hasFile(privateKey) else { return }
        draft.settings.tls.certificate = certificate
        draft.settings.tls.privateKey = privateKey
        draft.origins["tls.certificate"] = .found(path: certificate)
        draft.origins["tls.private_key"] = .found(path: privateKey)
    }
}
