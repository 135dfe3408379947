import Glibc

/// Files that the kernel writes as they are read, and of which nobody knows the length before.
package enum KernelFile {
    /// All bytes of such a file; nil when it cannot be opened.
    ///
    /// Reads until there is no more. The kernel hands out a table piece by piece, each as short as it likes, so that a
    /// short piece is no sign of the end, for which others take it.
    package static func bytes(of path: String) -> [UInt8]? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&piece, 1, piece.count, file), count > 0 { bytes += piece[..<count] }
        return bytes
    }

    /// The same as text.
    package static func text(of path: String) -> String? {
        Self.bytes(of: path).map { String(decoding: $0, as: UTF8.self) }
    }
}
