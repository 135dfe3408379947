/// Which password guards the server: the rules of Faktory, to the letter.
///
/// 1. `FAKTORY_PASSWORD` if the variable exists, even if it is empty; else the configured one.
/// 2. Still empty, not in development and not skipped by `FAKTORY_SKIP_PASSWORD`: the file `/etc/faktory/password`, if
///    it exists, wherever the configuration directory is.
/// 3. A value that starts with `/` names a file, whose content without white space round it is the password.
/// 4. Still empty outside development and not skipped: the server does not start.
package struct PasswordRules: Sendable {
    /// Why there is no usable password.
    package enum Failure: Error, Equatable {
        case required
        case unreadable(path: String, reason: String)
    }

    package static let defaultFile = "/etc/faktory/password"

    package let environment: Settings.Environment
    package let variables: [String: String]
    package let files: ConfigurationFiles

    package init(environment: Settings.Environment, variables: [String: String], files: ConfigurationFiles) {
        self.environment = environment
        self.variables = variables
        self.files = files
    }

    /// Whether nobody has to be asked for a password although none is set.
    private var mayBeEmpty: Bool {
        self.environment == .development
            || ["1", "true", "yes"].contains(self.variables["FAKTORY_SKIP_PASSWORD"] ?? "")
    }

    /// The password of the command port, or `nil` for none.
    package func password(configured: Secret?) throws(Failure) -> Secret? {
        var value = self.variables["FAKTORY_PASSWORD"] ?? configured?.value ?? ""
        if value.isEmpty, !self.mayBeEmpty, self.defaultFileExists { value = Self.defaultFile }
        let password = try self.resolved(value)
        guard !password.isEmpty || self.mayBeEmpty else { throw .required }
        return password.isEmpty ? nil : Secret(password)
    }

    /// The password of the web pages: its own one if configured, else that of the command port.
    package func webPassword(configured: Secret?, server: Secret?) throws(Failure) -> Secret? {
        let own = try self.resolved(configured?.value ?? "")
        return own.isEmpty ? server : Secret(own)
    }

    /// Another secret, with rule 3 applied.
    package func secret(_ configured: Secret?) throws(Failure) -> Secret? {
        guard let configured else { return nil }
        return Secret(try self.resolved(configured.value))
    }

    /// A file that cannot be read does exist, so that rule 3 may complain about it.
    private var defaultFileExists: Bool {
        do throws(ConfigurationFiles.Failure) {
            _ = try self.files.read(Self.defaultFile)
            return true
        } catch {
            return error != .missing
        }
    }

    private func resolved(_ value: String) throws(Failure) -> String {
        guard value.hasPrefix("/") else { return value }
        let content: [UInt8]
        do throws(ConfigurationFiles.Failure) {
            content = try self.files.read(value)
        } catch {
            switch error {
            case .missing: throw .unreadable(path: value, reason: "No such file or directory")
            case .unreadable(let reason): throw .unreadable(path: value, reason: reason)
            }
        }
        var text = String(decoding: content, as: UTF8.self)[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}

extension PasswordRules.Failure: CustomStringConvertible {
    package var description: String {
        switch self {
        case .required:
            "faktory requires a password to be set in staging or production, see the Security wiki page"
        case .unreadable(let path, let reason):
            "the password file \(path) cannot be read: \(reason)"
        }
    }
}
