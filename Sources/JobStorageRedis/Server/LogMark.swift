import Glibc

/// How far Redis's log was on the disk with everything complete, noted beside it now and then.
///
/// A log that is to be cut must not get shorter than that: what was noted was acknowledged, or could have been. A flipped
/// bit in a length, for example, makes the rest of a log look like one transaction that was never finished.
///
/// The note is not synced. After a power cut it may be missing, or an earlier one, and then tells less, but nothing that is
/// wrong: it is written after what it tells of is on the disk.
package struct LogMark: Sendable, Equatable {
    /// The name of the file in the data directory.
    static let name = "millrace-log-mark"
    private static let heading = "millrace log 1"
    private static let byteLimit = 1_024

    /// The last file of the log, without its directory.
    package let file: String
    /// How much of it was complete, in bytes.
    package let byteCount: Int

    package init(file: String, byteCount: Int) {
        self.file = file
        self.byteCount = byteCount
    }

    /// What was noted last; nil if there is nothing, or nothing that can be read.
    package static func read(in directory: String) -> LogMark? {
        let content = try? DurableFile(path: directory + "/" + Self.name).content(byteLimit: Self.byteLimit)
        guard let bytes = content.flatMap({ $0 }) else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count == 5, lines[1].hasPrefix("file "), lines[2].hasPrefix("bytes "),
            let byteCount = Int(lines[2].dropFirst(6)), byteCount >= 0
        else { return nil }
        let mark = LogMark(file: String(lines[1].dropFirst(5)), byteCount: byteCount)
        return mark.text == bytes ? mark : nil
    }

    /// Notes it, in the place of what was noted before.
    package func write(in directory: String) throws(MemberFileError) {
        let path = directory + "/" + Self.name
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .unwritable(path: path, reason: String(cString: strerror(errno))) }
        defer { close(descriptor) }
        let bytes = self.text
        guard pwrite(descriptor, bytes, bytes.count, 0) == bytes.count, ftruncate(descriptor, off_t(bytes.count)) == 0
        else { throw .unwritable(path: path, reason: String(cString: strerror(errno))) }
    }

    private var text: [UInt8] {
        let lines = "\(Self.heading)\nfile \(self.file)\nbytes \(self.byteCount)\n"
        var crc = CRC32C()
        Array(lines.utf8).withUnsafeBytes { crc.update(with: $0) }
        return Array((lines + "checksum \(String(crc.checksum, radix: 16))\n").utf8)
    }
}
