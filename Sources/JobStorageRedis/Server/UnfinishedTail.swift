import Glibc

/// The transaction at the end of Redis's log that was being written when Redis or the machine stopped.
///
/// Redis does not start with such a log (`aof-load-truncated no`), because it cannot tell what is missing. We can: a
/// transaction is answered only when all of it is written, and with durability `disk` only when it is on the disk, so that
/// one that ends the log in its middle was never acknowledged. It is cut off, and kept beside the log. Nothing else is: not
/// what follows something that is no command, and nothing that was noted to be complete (``LogMark``).
package struct UnfinishedTail: Sendable, Equatable {
    /// The file that it was the end of.
    package let path: String
    /// How much was cut off, in bytes.
    package let byteCount: Int
    /// Where it is kept; nil when there was no room for it.
    package let keptPath: String?

    /// How much may be cut off a log of which nothing is noted, in bytes.
    ///
    /// That is one that is younger than a second, or of an earlier version of this program.
    package static let unnotedByteLimit = 64 << 20
    /// How many cut off ends are kept; older ones are removed.
    static let keptCount = 3
    private static let keptPrefix = "millrace-log-tail-"
    private static let chunkByteCount = 1 << 20

    /// Why an end that is not complete is left as it is.
    package enum Refusal: Sendable, Equatable {
        /// The log is no sequence of commands at this offset.
        case damaged(path: String, offset: Int)
        /// The log was complete up to a later place than where it is cut, or that is not known and it would be too much.
        case acknowledged(path: String, offset: Int, noted: Int?)
    }

    package enum Outcome: Sendable, Equatable {
        /// The log is complete, or there is none.
        case nothing
        case cut(UnfinishedTail)
        /// What is missing is for an operator to decide about; Redis will not start with it.
        case refused(Refusal)
    }

    /// Cuts it off the last file of the log, and brings that to the disk; Redis must not run.
    ///
    /// - Parameter directory: where Redis keeps its data, told by ``RedisServerDirectives``.
    package static func cut(in directory: String) throws(MemberFileError) -> Outcome {
        guard let path = try LogManifest.read(in: directory)?.lastIncrement?.path else { return .nothing }
        let descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        // Redis knows better what to say of a file that is not there.
        if descriptor < 0, errno == ENOENT { return .nothing }
        guard descriptor >= 0 else { throw Self.unwritable(path) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Self.unwritable(path) }
        let length = Int(status.st_size)
        // What is only zeros at the end was never written; a power cut leaves that.
        let written = try ZeroedTail.lengthWithoutZeros(of: descriptor, at: path, length: length)
        var scan = LogScan(descriptor: descriptor, path: path, length: written)
        let offset: Int
        switch try scan.run() {
        case .whole: return .nothing
        case .damaged(let offset): return .refused(.damaged(path: path, offset: offset))
        case .unfinished(let start): offset = start
        }
        let noted = Self.noted(of: path, in: directory)
        guard noted.map({ $0 <= offset }) ?? (length - offset <= Self.unnotedByteLimit) else {
            return .refused(.acknowledged(path: path, offset: offset, noted: noted))
        }
        let kept = Self.keep(offset..<length, of: descriptor, path: path, in: directory)
        guard ftruncate(descriptor, off_t(offset)) == 0, fsync(descriptor) == 0 else { throw Self.unwritable(path) }
        return .cut(UnfinishedTail(path: path, byteCount: length - offset, keptPath: kept))
    }

    private static func noted(of path: String, in directory: String) -> Int? {
        guard let mark = LogMark.read(in: directory), path.hasSuffix("/" + mark.file) else { return nil }
        return mark.byteCount
    }

    // MARK: What was cut off

    /// Copies it; nil when that cannot be done, which must not keep anybody from starting: it was promised to nobody.
    private static func keep(
        _ range: Range<Int>,
        of descriptor: Int32,
        path: String,
        in directory: String
    ) -> String? {
        let name = path.split(separator: "/").last.map(String.init) ?? "log"
        let kept = "\(directory)/\(Self.keptPrefix)\(name)-\(range.lowerBound)"
        let copy = open(kept, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard copy >= 0 else { return nil }
        defer { close(copy) }
        var chunk = [UInt8](repeating: 0, count: min(Self.chunkByteCount, max(1, range.count)))
        var offset = range.lowerBound
        while offset < range.upperBound {
            let count = pread(descriptor, &chunk, min(chunk.count, range.upperBound - offset), off_t(offset))
            if count < 0, errno == EINTR { continue }
            guard count > 0, write(copy, chunk, count) == count else {
                unlink(kept)
                return nil
            }
            offset += count
        }
        Self.removeOldest(in: directory)
        return kept
    }

    private static func removeOldest(in directory: String) {
        guard let stream = opendir(directory) else { return }
        defer { closedir(stream) }
        var kept: [(path: String, changedAt: Int)] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            var status = stat()
            let path = directory + "/" + name
            guard name.hasPrefix(Self.keptPrefix), lstat(path, &status) == 0 else { continue }
            kept.append((path, status.st_mtim.tv_sec * 1_000_000_000 + status.st_mtim.tv_nsec))
        }
        for (path, _) in kept.sorted(by: { $0.changedAt > $1.changedAt }).dropFirst(Self.keptCount) { unlink(path) }
    }

    private static func unwritable(_ path: String) -> MemberFileError {
        .unwritable(path: path, reason: String(cString: strerror(errno)))
    }
}
