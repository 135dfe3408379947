/// Where a value came from.
package enum SettingOrigin: Sendable, Equatable {
    case builtIn
    case file(path: String, line: Int)
    case environment(variable: String)
    case flag(String)
    /// Found by looking for files, for example the TLS pair in the configuration directory.
    case found(path: String)
}

extension SettingOrigin: CustomStringConvertible {
    package var description: String {
        switch self {
        case .builtIn: "default"
        case .file(let path, let line): "\(path):\(line)"
        case .environment(let variable): "environment variable \(variable)"
        case .flag(let flag): "flag \(flag)"
        case .found(let path): "found at \(path)"
        }
    }
}
