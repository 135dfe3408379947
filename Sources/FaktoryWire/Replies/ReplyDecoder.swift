package import NIOCore

/// Cuts a stream of bytes into replies, in whatever pieces it comes.
///
/// No byte is looked at twice: the decoder remembers how far it has searched for a line's end, and how long the bulk
/// string is that it waits for. After an error it must not be used again.
package struct ReplyDecoder: Sendable {
    /// The longest line, without its end: simple strings, errors and lengths.
    package static let maximumLineByteCount = 65_536
    /// The longest bulk string that is taken unless the caller says otherwise.
    package static let defaultMaximumBulkByteCount = 64 * 1024 * 1024

    /// The longest bulk string that is taken.
    package let maximumBulkByteCount: Int

    /// How many bytes from the reader index on are known to hold no LF.
    private var searchedByteCount = 0
    /// The length of the bulk string whose header has been read.
    private var announcedByteCount: Int?

    package init(maximumBulkByteCount: Int = Self.defaultMaximumBulkByteCount) {
        self.maximumBulkByteCount = maximumBulkByteCount
    }

    /// Takes the next whole reply out of `buffer`; nil when more bytes are needed.
    ///
    /// The caller appends to the same buffer and takes nothing else out of it between two calls.
    package mutating func decode(from buffer: inout ByteBuffer) throws(ReplyDecodingError) -> Reply? {
        if let byteCount = self.announcedByteCount {
            return try self.decodeBulk(of: byteCount, from: &buffer)
        }
        guard let line = try self.readLine(from: &buffer) else { return nil }
        guard let kind = line.first else { throw .unknownKind(UInt8(ascii: "\r")) }
        let content = line.dropFirst()
        switch kind {
        case UInt8(ascii: "+"):
            return .simple(String(decoding: content, as: UTF8.self))
        case UInt8(ascii: "-"):
            return Self.error(content)
        case UInt8(ascii: ":"):
            return .integer(try Self.number(content))
        case UInt8(ascii: "$"):
            return try self.startBulk(of: try Self.number(content), from: &buffer)
        default:
            throw .unknownKind(kind)
        }
    }

    private mutating func startBulk(
        of byteCount: Int,
        from buffer: inout ByteBuffer
    ) throws(ReplyDecodingError) -> Reply? {
        guard byteCount >= 0 else {
            guard byteCount == -1 else { throw .invalidNumber }
            return .null
        }
        guard byteCount <= self.maximumBulkByteCount else { throw .bulkTooLong(byteCount) }
        self.announcedByteCount = byteCount
        return try self.decodeBulk(of: byteCount, from: &buffer)
    }

    private mutating func decodeBulk(
        of byteCount: Int,
        from buffer: inout ByteBuffer
    ) throws(ReplyDecodingError) -> Reply? {
        guard buffer.readableBytes >= byteCount + 2, let content = buffer.readSlice(length: byteCount) else {
            return nil
        }
        guard buffer.readInteger(as: UInt16.self) == 0x0D0A else { throw .missingLineEnd }
        self.announcedByteCount = nil
        return .bulk(content)
    }

    /// Takes the next line out of the buffer, without its end.
    private mutating func readLine(from buffer: inout ByteBuffer) throws(ReplyDecodingError) -> ByteBufferView? {
        let unsearched = buffer.readableBytesView.dropFirst(self.searchedByteCount)
        guard let lineFeed = unsearched.firstIndex(of: UInt8(ascii: "\n")) else {
            self.searchedByteCount = buffer.readableBytes
            guard self.searchedByteCount <= Self.maximumLineByteCount + 1 else { throw .lineTooLong }
            return nil
        }
        self.searchedByteCount = 0
        let line = buffer.readableBytesView[buffer.readerIndex..<lineFeed]
        buffer.moveReaderIndex(to: lineFeed + 1)
        guard line.last == UInt8(ascii: "\r") else { throw .missingLineEnd }
        guard line.count <= Self.maximumLineByteCount + 1 else { throw .lineTooLong }
        return line.dropLast()
    }

    private static func error(_ content: ByteBufferView) -> Reply {
        let text = String(decoding: content, as: UTF8.self)
        let parts = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        return .error(code: String(parts[0]), text: parts.count > 1 ? String(parts[1]) : "")
    }

    private static func number(_ content: ByteBufferView) throws(ReplyDecodingError) -> Int {
        guard content.count <= 20, content.first != UInt8(ascii: "+"),
            let number = Int(String(decoding: content, as: UTF8.self))
        else { throw .invalidNumber }
        return number
    }
}
