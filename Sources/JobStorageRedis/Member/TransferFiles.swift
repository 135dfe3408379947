import Glibc

/// The files that a Redis leaves when it was sent a whole data set.
///
/// A replica writes what it is sent to a file before it loads it, and writes its append-only file anew only afterwards. As
/// long as such a file is there, the append-only file may hold an older data set.
package struct TransferFiles: Sendable {
    /// The name of the complete file, as ``MemberRedisServer`` sets it.
    static let completeName = "millrace.rdb"

    private let directory: String

    /// - Parameter directory: where the member's Redis has its files.
    package init(directory: String) {
        self.directory = directory
    }

    /// Whether there is one.
    package func exist() throws(MemberFileError) -> Bool {
        try !self.names().isEmpty
    }

    /// Removes them, for good when this returns; only once the append-only file has been written anew.
    package func remove() throws(MemberFileError) {
        let names = try self.names()
        guard !names.isEmpty else { return }
        for name in names {
            let path = self.directory + "/" + name
            guard unlink(path) == 0 || errno == ENOENT else {
                throw .unwritable(path: path, reason: String(cString: strerror(errno)))
            }
        }
        try DurableFile.syncDirectory(of: self.directory + "/" + Self.completeName)
    }

    private func names() throws(MemberFileError) -> [String] {
        guard let stream = opendir(self.directory) else {
            throw .unreadable(path: self.directory, reason: String(cString: strerror(errno)))
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            // Redis gives a file that is still incomplete the name temp-<time>.<pid>.rdb.
            if name == Self.completeName || (name.hasPrefix("temp-") && name.hasSuffix(".rdb")) { names.append(name) }
        }
        return names
    }
}
