package import JobCore

/// Reads what a `LinkWriter` wrote, and refuses everything else.
///
/// Borrowed bytes: a reader must not outlive the message that it reads.
package struct LinkReader {
    private let bytes: UnsafeRawBufferPointer
    private var offset = 0

    package init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// How many bytes are left.
    package var remaining: Int { self.bytes.count - self.offset }

    package mutating func readUInt8() throws(LinkFormatError) -> UInt8 {
        guard self.remaining >= 1 else { throw .truncated }
        defer { self.offset += 1 }
        return self.bytes[self.offset]
    }

    package mutating func readUInt16() throws(LinkFormatError) -> UInt16 {
        UInt16(littleEndian: try self.load())
    }

    package mutating func readUInt32() throws(LinkFormatError) -> UInt32 {
        UInt32(littleEndian: try self.load())
    }

    package mutating func readUInt64() throws(LinkFormatError) -> UInt64 {
        UInt64(littleEndian: try self.load())
    }

    /// The bytes of a field, still in the message.
    package mutating func readBorrowed() throws(LinkFormatError) -> UnsafeRawBufferPointer {
        let byteCount = Int(try self.readUInt32())
        guard byteCount <= self.remaining else { throw .truncated }
        defer { self.offset += byteCount }
        return UnsafeRawBufferPointer(rebasing: self.bytes[self.offset..<self.offset + byteCount])
    }

    package mutating func readBytes() throws(LinkFormatError) -> [UInt8] {
        [UInt8](try self.readBorrowed())
    }

    /// A text; bytes that are not UTF-8 are replaced as Swift does it.
    package mutating func readString() throws(LinkFormatError) -> String {
        String(decoding: try self.readBorrowed(), as: UTF8.self)
    }

    /// A list of texts; `bound` is the greatest number that this field may have.
    package mutating func readStrings(atMost bound: Int) throws(LinkFormatError) -> [String] {
        let count = try self.readCount(atMost: bound, smallest: 4)
        var strings: [String] = []
        strings.reserveCapacity(count)
        for _ in 0..<count { strings.append(try self.readString()) }
        return strings
    }

    /// A list of very many texts, which stay together; `bound` is the greatest number that this field may have.
    package mutating func readJobIDs(atMost bound: Int) throws(LinkFormatError) -> JobIDList {
        let count = try self.readCount(atMost: bound, smallest: 4)
        let start = self.offset
        for _ in 0..<count { _ = try self.readBorrowed() }
        let bytes = UnsafeRawBufferPointer(rebasing: self.bytes[start..<self.offset])
        // The walk has shown that they are as many.
        guard let list = JobIDList(bytes, count: count) else { throw .truncated }
        return list
    }

    /// A number of things that follow, each of which takes at least `smallest` bytes.
    package mutating func readCount(atMost bound: Int, smallest: Int) throws(LinkFormatError) -> Int {
        let count = Int(try self.readUInt32())
        guard count <= bound else { throw .tooMany(count: count, bound: bound) }
        guard count * smallest <= self.remaining else { throw .truncated }
        return count
    }

    /// Throws when bytes are left over.
    package func finish() throws(LinkFormatError) {
        guard self.remaining == 0 else { throw .leftover(byteCount: self.remaining) }
    }

    private mutating func load<Value: FixedWidthInteger>() throws(LinkFormatError) -> Value {
        let byteCount = MemoryLayout<Value>.size
        guard self.remaining >= byteCount else { throw .truncated }
        defer { self.offset += byteCount }
        return self.bytes.loadUnaligned(fromByteOffset: self.offset, as: Value.self)
    }
}

/// Why bytes are not a message of this link.
package enum LinkFormatError: Error, Equatable {
    /// The message ends in the middle of a field.
    case truncated
    /// The message goes on behind its last field.
    case leftover(byteCount: Int)
    /// A list says that it is longer than it may be.
    case tooMany(count: Int, bound: Int)
    /// The envelope's version is none that this program speaks.
    case version(UInt8)
    /// A field has a value that nothing is known by.
    case unknown(field: String, value: UInt8)
}

extension LinkFormatError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .truncated: "it ends in the middle of a field"
        case .leftover(let byteCount): "it goes on for \(byteCount) bytes behind its last field"
        case .tooMany(let count, let bound): "a list of \(count) is longer than \(bound)"
        case .version(let version):
            """
            its envelope has version \(version), and this program reads \(LinkVersion.spoken.lowerBound) to \
            \(LinkVersion.spoken.upperBound): the older program must be exchanged
            """
        case .unknown(let field, let value): "nothing is known by \(value) as a \(field)"
        }
    }
}
