import Glibc

/// Why a member's file cannot be used.
package enum MemberFileError: Error, Equatable {
    case unreadable(path: String, reason: String)
    case unwritable(path: String, reason: String)
    /// The file is there, but is not what was written, or not by a program of this version.
    case corrupt(path: String)
}

/// A small file that is replaced as a whole: after a crash it holds the old bytes or the new ones.
struct DurableFile: Sendable {
    /// How much is read at a time, in bytes.
    private static let chunkByteCount = 1 << 14

    let path: String

    /// The bytes; nil if there is no such file.
    ///
    /// - Parameter byteLimit: a longer file is corrupt.
    func content(byteLimit: Int) throws(MemberFileError) -> [UInt8]? {
        let descriptor = open(self.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw self.unreadable()
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: min(byteLimit + 1, Self.chunkByteCount))
        while bytes.count <= byteLimit {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw self.unreadable() }
            guard count > 0 else { return bytes }
            bytes += chunk[..<count]
        }
        throw .corrupt(path: self.path)
    }

    /// Replaces the file; the new bytes are on the disk when this returns.
    func replace(with bytes: [UInt8]) throws(MemberFileError) {
        let draft = self.path + ".new"
        unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw self.unwritable() }
        do throws(MemberFileError) {
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw self.unwritable() }
                rest = rest.dropFirst(count)
            }
            guard fsync(descriptor) == 0 else { throw self.unwritable() }
        } catch {
            close(descriptor)
            throw error
        }
        // What is written late may fail as late as here.
        guard close(descriptor) == 0, rename(draft, self.path) == 0 else { throw self.unwritable() }
        try Self.syncDirectory(of: self.path)
    }

    /// Brings the names in a file's directory to the disk.
    static func syncDirectory(of path: String) throws(MemberFileError) {
        let end = path.lastIndex(of: "/")
        let directory = end.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw .unwritable(path: directory, reason: String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw .unwritable(path: directory, reason: String(cString: strerror(errno)))
        }
    }

    private func unreadable() -> MemberFileError {
        .unreadable(path: self.path, reason: String(cString: strerror(errno)))
    }

    private func unwritable() -> MemberFileError {
        .unwritable(path: self.path, reason: String(cString: strerror(errno)))
    }
}
