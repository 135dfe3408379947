package import JobCore

/// What a member keeps on disk beside its Redis: what it promised, and whether its data is whole.
///
/// It is written by replacing the file, and is on the disk when ``write(_:)`` returns.
package struct PromiseFile: Sendable {
    /// The content of the file.
    package struct Content: Hashable, Sendable {
        /// The highest epoch that this member promised to obey.
        package var promise: Epoch
        /// Whether Redis, once started again, has all that this member ever confirmed.
        package var isClean: Bool
        /// The only run of Redis that ``isClean`` speaks of, as Redis calls it; nil when it does of every later one, too.
        package var run: String?

        package init(promise: Epoch, isClean: Bool, run: String? = nil) {
            self.promise = promise
            self.isClean = isClean
            self.run = run
        }
    }

    /// The name of the file in the data directory.
    package static let name = "millrace-member"
    private static let byteLimit = 256

    private let file: DurableFile

    /// - Parameter directory: where the member's Redis has its files.
    package init(directory: String) {
        self.file = DurableFile(path: directory + "/" + Self.name)
    }

    /// What was written last; nil if nothing ever was.
    ///
    /// A file that is not as it was written is an error, and not a missing one: a member that forgets its promise can
    /// make an acknowledged job be lost.
    package func read() throws(MemberFileError) -> Content? {
        guard let bytes = try self.file.content(byteLimit: Self.byteLimit) else { return nil }
        guard let content = Content(parsing: bytes) else { throw .corrupt(path: self.file.path) }
        return content
    }

    /// Writes it down.
    package func write(_ content: Content) throws(MemberFileError) {
        try self.file.replace(with: content.text)
    }
}

extension PromiseFile.Content {
    /// The first line, with the version of the form.
    private static let heading = "millrace member 1"
    /// The same when the run is named, which version 1 knew nothing of.
    private static let headingWithRun = "millrace member 2"

    /// The lines of the file, the last of which is the checksum of the others.
    var text: [UInt8] {
        let heading = self.run == nil ? Self.heading : Self.headingWithRun
        let run = self.run.map { "run \($0)\n" } ?? ""
        let lines = "\(heading)\npromise \(self.promise.number)\nclean \(self.isClean ? 1 : 0)\n\(run)"
        return Array((lines + "checksum \(Self.checksum(of: Array(lines.utf8)))\n").utf8)
    }

    init?(parsing bytes: [UInt8]) {
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count >= 5 else { return nil }
        guard lines[1].hasPrefix("promise "), let promise = UInt64(lines[1].dropFirst(8)) else { return nil }
        guard ["clean 0", "clean 1"].contains(lines[2]) else { return nil }
        let run = lines[3].hasPrefix("run ") ? String(lines[3].dropFirst(4)) : nil
        self.init(promise: Epoch(promise), isClean: lines[2] == "clean 1", run: run)
        // Whatever else the bytes say, they must be just those that are written for it.
        guard self.text == bytes else { return nil }
    }

    private static func checksum(of bytes: [UInt8]) -> String {
        var crc = CRC32C()
        bytes.withUnsafeBytes { crc.update(with: $0) }
        return String(crc.checksum, radix: 16)
    }
}
