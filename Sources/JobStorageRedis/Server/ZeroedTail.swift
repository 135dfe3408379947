import Glibc

/// The zeros that a file system may leave at the end of Redis's log when the power is cut.
///
/// A file may have been given its new length before what was written there came to the disk. Redis does not start with such
/// a file. But each command ends in CR and LF, so that zeros behind that are none, and nothing of them was ever promised:
/// what has to survive a power cut was synced. Whatever else is wrong with a log is for an operator to decide about.
package struct ZeroedTail: Sendable, Equatable {
    /// The file that ended in zeros.
    package let path: String
    /// How many there were.
    package let byteCount: Int

    /// How much is read at a time, in bytes.
    static let chunkByteCount = 1 << 20

    /// Cuts them off the last file of the log, and brings that to the disk; Redis must not run.
    ///
    /// - Parameter directory: where Redis keeps its data, told by ``RedisServerDirectives``.
    /// - Returns: nil when there was nothing to be cut, or there is no log.
    package static func cut(in directory: String) throws(MemberFileError) -> ZeroedTail? {
        guard let path = try LogManifest.read(in: directory)?.lastIncrement?.path else { return nil }
        let descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        // Redis knows better what to say of a file that is not there.
        if descriptor < 0, errno == ENOENT { return nil }
        guard descriptor >= 0 else { throw Self.unwritable(path) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Self.unwritable(path) }
        let length = Int(status.st_size)
        let kept = try Self.lengthWithoutZeros(of: descriptor, at: path, length: length)
        guard kept < length, try Self.endsCommand(descriptor, at: path, length: kept) else { return nil }
        guard ftruncate(descriptor, off_t(kept)) == 0, fsync(descriptor) == 0 else { throw Self.unwritable(path) }
        return ZeroedTail(path: path, byteCount: length - kept)
    }

    /// How much there is before the zeros at the end, if there are any.
    static func lengthWithoutZeros(
        of descriptor: Int32,
        at path: String,
        length: Int
    ) throws(MemberFileError) -> Int {
        var chunk = [UInt8](repeating: 0, count: min(Self.chunkByteCount, length))
        var end = length
        while end > 0 {
            let start = max(0, end - chunk.count)
            guard try Self.read(descriptor, into: &chunk, count: end - start, from: start, of: path) else {
                return length
            }
            if let last = chunk[..<(end - start)].lastIndex(where: { $0 != 0 }) { return start + last + 1 }
            end = start
        }
        return 0
    }

    /// Whether so much of the log ends as a command does, or is nothing.
    private static func endsCommand(
        _ descriptor: Int32,
        at path: String,
        length: Int
    ) throws(MemberFileError) -> Bool {
        guard length > 0 else { return true }
        var byte: [UInt8] = [0]
        return try Self.read(descriptor, into: &byte, count: 1, from: length - 1, of: path)
            && byte[0] == UInt8(ascii: "\n")
    }

    /// Reads as many bytes as are asked for; false when there are fewer.
    private static func read(
        _ descriptor: Int32,
        into bytes: inout [UInt8],
        count: Int,
        from offset: Int,
        of path: String
    ) throws(MemberFileError) -> Bool {
        var done = 0
        while done < count {
            let more = bytes[done..<count].withUnsafeMutableBytes { rest in
                pread(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
            }
            if more < 0, errno == EINTR { continue }
            guard more >= 0 else { throw .unreadable(path: path, reason: String(cString: strerror(errno))) }
            guard more > 0 else { return false }
            done += more
        }
        return true
    }

    private static func unwritable(_ path: String) -> MemberFileError {
        .unwritable(path: path, reason: String(cString: strerror(errno)))
    }
}
