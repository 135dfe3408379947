import Glibc

/// The parts of Redis's log, as Redis lists them in a file of its own.
///
/// A line of that file is like `file millrace.aof.2.incr.aof seq 2 type i`. The base holds what there was at the last
/// rewrite, the increments what was appended since; what is of another type is about to be deleted.
package struct LogManifest: Sendable, Equatable {
    /// One file of the log.
    package struct Part: Sendable, Equatable {
        /// Its place among the parts of its type.
        let number: UInt64
        let path: String
        /// Whether Redis appended to it, and did not write it as a whole.
        let isIncrement: Bool

        /// The name of its file.
        package var name: String { self.path.split(separator: "/").last.map(String.init) ?? self.path }

        /// Brings it to the disk; false when that cannot be done.
        package func sync() -> Bool {
            let descriptor = open(self.path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { return false }
            defer { close(descriptor) }
            return fdatasync(descriptor) == 0
        }
    }

    /// How long the parts are, in bytes.
    package struct Length: Sendable, Equatable {
        package var base = 0
        package var increments = 0

        package init(base: Int = 0, increments: Int = 0) {
            self.base = base
            self.increments = increments
        }
    }

    /// How much of it is read, in bytes; Redis keeps a few lines in it.
    static let byteLimit = 1 << 20

    let parts: [Part]

    /// Reads it.
    ///
    /// - Parameter directory: where Redis keeps its data, told by ``RedisServerDirectives``.
    /// - Returns: nil when there is no log.
    package static func read(in directory: String) throws(MemberFileError) -> LogManifest? {
        let log = directory + "/" + RedisServerDirectives.appendDirectoryName
        let file = DurableFile(path: "\(directory)/\(RedisServerDirectives.manifestPath)")
        guard let text = try file.content(byteLimit: Self.byteLimit) else { return nil }
        return LogManifest(parsing: String(decoding: text, as: UTF8.self), in: log)
    }

    init(parsing text: String, in directory: String) {
        self.parts = text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count >= 6, words[0] == "file", words[2] == "seq", words[4] == "type",
                words[5] == "b" || words[5] == "i", let number = UInt64(words[3]), !words[1].contains("/")
            else { return nil }
            return Part(number: number, path: "\(directory)/\(words[1])", isIncrement: words[5] == "i")
        }
    }

    /// The file to which Redis appended last.
    var lastIncrement: Part? {
        self.parts.filter(\.isIncrement).max { $0.number < $1.number }
    }

    /// The file to which Redis appends, if it is the only one to which it did since the last rewrite.
    package var onlyIncrement: Part? {
        self.parts.count(where: \.isIncrement) == 1 ? self.lastIncrement : nil
    }

    /// How long the parts are; nil when one of them is not there, as when it was replaced meanwhile.
    package var length: Length? {
        var length = Length()
        for part in self.parts {
            var status = stat()
            guard lstat(part.path, &status) == 0 else { return nil }
            if part.isIncrement {
                length.increments += Int(status.st_size)
            } else {
                length.base += Int(status.st_size)
            }
        }
        return length
    }
}
