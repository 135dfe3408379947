import Glibc

/// Where the last transaction of a log of Redis ends that is all there.
///
/// A log is a sequence of commands, and of transactions from `MULTI` to `EXEC`. It can be read from its beginning only: a
/// payload may look like a command. What the commands carry is skipped, so that of a log of large jobs little is read.
struct LogScan {
    /// What a log is found to be.
    enum Finding: Equatable {
        /// Everything in it is complete.
        case whole
        /// It ends in the middle of one command or transaction, which begins at this offset.
        case unfinished(from: Int)
        /// It is no sequence of commands at this offset.
        case damaged(at: Int)
    }

    /// How much is read at a time, in bytes.
    static let chunkByteCount = 1 << 20
    /// The longest line that says how many arguments there are, or how long one is.
    private static let lineByteLimit = 128
    /// What a log of ours ends in, unless the last transaction is a single command.
    private static let end = Array("*1\r\n$4\r\nEXEC\r\n".utf8)

    private let descriptor: Int32
    private let path: String
    /// How much of the file counts.
    private let length: Int
    private var chunk = [UInt8](repeating: 0, count: LogScan.chunkByteCount)
    private var chunkStart = 0
    private var chunkLength = 0

    /// - Parameter length: how much of the file counts, in bytes; what is behind is not looked at.
    init(descriptor: Int32, path: String, length: Int) {
        self.descriptor = descriptor
        self.path = path
        self.length = length
    }

    /// Reads the log, all of it unless its end says that it is complete.
    mutating func run() throws(MemberFileError) -> Finding {
        if try self.endsInTransaction() { return .whole }
        var offset = 0
        // Where the transaction began that is open.
        var transactionStart: Int?
        while offset < self.length {
            switch try self.unit(at: offset) {
            case .unfinished: return .unfinished(from: transactionStart ?? offset)
            case .damaged(let place): return .damaged(at: place)
            case .annotation(let next): offset = next
            case .command(let name, let next):
                switch name {
                case "MULTI": transactionStart = transactionStart ?? offset
                case "EXEC": transactionStart = nil
                default: break
                }
                offset = next
            }
        }
        return transactionStart.map { .unfinished(from: $0) } ?? .whole
    }

    private enum Unit {
        /// A command, by its name if that is a short one without arguments, and where the next unit begins.
        case command(String?, next: Int)
        case annotation(next: Int)
        case unfinished
        case damaged(Int)
    }

    private mutating func unit(at start: Int) throws(MemberFileError) -> Unit {
        guard try self.byte(at: start) != UInt8(ascii: "#") else {
            guard let next = try self.line(at: start)?.next else { return try self.missingLine(at: start) }
            return .annotation(next: next)
        }
        guard let head = try self.line(at: start) else { return try self.missingLine(at: start) }
        guard let count = Self.number(head.text, after: UInt8(ascii: "*")), count > 0 else { return .damaged(start) }
        var offset = head.next
        var name: String?
        for index in 0..<count {
            guard offset < self.length else { return .unfinished }
            guard let head = try self.line(at: offset) else { return try self.missingLine(at: offset) }
            guard let length = Self.number(head.text, after: UInt8(ascii: "$")) else { return .damaged(offset) }
            let (end, isTooGreat) = head.next.addingReportingOverflow(length)
            guard !isTooGreat, end < self.length - 1 else { return .unfinished }
            guard try self.byte(at: end) == UInt8(ascii: "\r"), try self.byte(at: end + 1) == UInt8(ascii: "\n") else {
                return .damaged(end)
            }
            if index == 0, count == 1, length <= 5 { name = try self.text(from: head.next, length: length) }
            offset = end + 2
        }
        return .command(name, next: offset)
    }

    /// What a line means that has no end: the log is over, or it is none.
    private mutating func missingLine(at start: Int) throws(MemberFileError) -> Unit {
        self.length - start < Self.lineByteLimit ? .unfinished : .damaged(start)
    }

    /// The line that begins here, without its end; nil when it has none within the limit.
    private mutating func line(at start: Int) throws(MemberFileError) -> (text: [UInt8], next: Int)? {
        var text: [UInt8] = []
        for offset in start..<min(self.length, start + Self.lineByteLimit) {
            let byte = try self.byte(at: offset)
            guard byte != UInt8(ascii: "\n") else {
                if text.last == UInt8(ascii: "\r") { text.removeLast() }
                return (text, offset + 1)
            }
            text.append(byte)
        }
        return nil
    }

    private static func number(_ line: [UInt8], after sign: UInt8) -> Int? {
        guard line.first == sign else { return nil }
        return Int(String(decoding: line.dropFirst(), as: UTF8.self)).flatMap { $0 >= 0 ? $0 : nil }
    }

    private mutating func text(from start: Int, length: Int) throws(MemberFileError) -> String {
        var bytes: [UInt8] = []
        for offset in start..<start + length { bytes.append(try self.byte(at: offset)) }
        return String(decoding: bytes, as: UTF8.self).uppercased()
    }

    private mutating func endsInTransaction() throws(MemberFileError) -> Bool {
        guard self.length >= Self.end.count else { return false }
        for (index, byte) in Self.end.enumerated()
        where try self.byte(at: self.length - Self.end.count + index) != byte {
            return false
        }
        return true
    }

    private mutating func byte(at offset: Int) throws(MemberFileError) -> UInt8 {
        if offset < self.chunkStart || offset >= self.chunkStart + self.chunkLength { try self.fill(from: offset) }
        return self.chunk[offset - self.chunkStart]
    }

    private mutating func fill(from offset: Int) throws(MemberFileError) {
        let wanted = min(self.chunk.count, self.length - offset)
        var done = 0
        while done < wanted {
            let more = self.chunk.withUnsafeMutableBytes { bytes in
                pread(self.descriptor, bytes.baseAddress.map { $0 + done }, wanted - done, off_t(offset + done))
            }
            if more < 0, errno == EINTR { continue }
            guard more > 0 else {
                let reason = more < 0 ? String(cString: strerror(errno)) : "it became shorter meanwhile"
                throw .unreadable(path: self.path, reason: reason)
            }
            done += more
        }
        (self.chunkStart, self.chunkLength) = (offset, wanted)
    }
}
