/// The form that all our binary values in Redis have: a version byte, the CRC-32C of what follows, and the body.
///
/// The checksum is little-endian, as all numbers in a body are. It is there since Redis keeps none for the text of its
/// append-only file: a bit that was flipped on the way to the disk or back must be found, not served.
enum SealedRecord {
    /// The version that this program writes, and the only one that it reads.
    static let version: UInt8 = 1
    /// Bytes before the body.
    static let headerByteCount = 5

    /// The body, or nil when the bytes are no record of this version or do not match their checksum.
    static func body(of bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard bytes.count >= Self.headerByteCount, bytes[0] == Self.version else { return nil }
        let body = UnsafeRawBufferPointer(rebasing: bytes[Self.headerByteCount...])
        var crc = CRC32C()
        crc.update(with: body)
        let checksum = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 1, as: UInt32.self))
        return crc.checksum == checksum ? body : nil
    }

    /// A record of a small body.
    static func sealing(_ body: [UInt8]) -> [UInt8] {
        var crc = CRC32C()
        body.withUnsafeBytes { crc.update(with: $0) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.headerByteCount + body.count)
        bytes.append(Self.version)
        bytes.append(littleEndian: crc.checksum)
        bytes += body
        return bytes
    }
}

extension [UInt8] {
    /// Appends a number, the least significant byte first.
    mutating func append(littleEndian number: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: number.littleEndian) { self.append(contentsOf: $0) }
    }
}

/// Reads the numbers of a body one after the other.
struct BodyReader {
    private let bytes: UnsafeRawBufferPointer
    private var offset = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// The next number, or nil when the body ends before it does.
    mutating func next<Number: FixedWidthInteger & BitwiseCopyable>(_ type: Number.Type) -> Number? {
        let byteCount = MemoryLayout<Number>.size
        guard self.bytes.count - self.offset >= byteCount else { return nil }
        defer { self.offset += byteCount }
        return Number(littleEndian: self.bytes.loadUnaligned(fromByteOffset: self.offset, as: Number.self))
    }

    /// So many bytes, or nil when the body ends before.
    mutating func next(byteCount: Int) -> UnsafeRawBufferPointer? {
        guard self.bytes.count - self.offset >= byteCount else { return nil }
        defer { self.offset += byteCount }
        return UnsafeRawBufferPointer(rebasing: self.bytes[self.offset..<self.offset + byteCount])
    }

    /// What is left.
    var rest: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self.bytes[self.offset...])
    }
}
