@testable import MillraceServer

extension ConfigurationFiles {
    /// Files that exist only in a test; the ones in `unreadable` exist but may not be read.
    static func memory(_ files: [String: String], unreadable: Set<String> = []) -> ConfigurationFiles {
        ConfigurationFiles(
            read: { (path) throws(Failure) in
                if unreadable.contains(path) { throw .unreadable("Permission denied") }
                guard let text = files[path] else { throw .missing }
                return Array(text.utf8)
            },
            list: { (directory) throws(Failure) in
                let names = files.keys
                    .filter { $0.hasPrefix(directory + "/") }
                    .map { String($0.dropFirst(directory.count + 1)) }
                if names.isEmpty { throw .missing }
                return names
            }
        )
    }
}
