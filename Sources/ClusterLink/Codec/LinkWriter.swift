/// Writes the fields of a link message one behind the other, integers in little-endian order.
package struct LinkWriter {
    /// What has been written so far.
    package private(set) var bytes: [UInt8]

    package init(reserving byteCount: Int = 256) {
        self.bytes = []
        self.bytes.reserveCapacity(byteCount)
    }

    /// Forgets what was written and keeps the memory.
    package mutating func removeAll() {
        self.bytes.removeAll(keepingCapacity: true)
    }

    package mutating func write(_ value: UInt8) {
        self.bytes.append(value)
    }

    package mutating func write(_ value: UInt16) {
        self.append(value)
    }

    package mutating func write(_ value: UInt32) {
        self.append(value)
    }

    package mutating func write(_ value: UInt64) {
        self.append(value)
    }

    /// A length of four bytes, then the bytes.
    package mutating func write(_ value: [UInt8]) {
        self.write(UInt32(value.count))
        self.bytes.append(contentsOf: value)
    }

    /// A length of four bytes, then the bytes.
    package mutating func write(_ value: ArraySlice<UInt8>) {
        self.write(UInt32(value.count))
        self.bytes.append(contentsOf: value)
    }

    /// A length of four bytes, then the bytes.
    package mutating func write(_ value: UnsafeRawBufferPointer) {
        self.write(UInt32(value.count))
        self.bytes.append(contentsOf: value)
    }

    /// A length of four bytes, then the text in UTF-8.
    package mutating func write(_ value: String) {
        var value = value
        value.withUTF8 { self.write(UnsafeRawBufferPointer($0)) }
    }

    /// A count of four bytes, then each text.
    package mutating func write(_ values: [String]) {
        self.write(UInt32(values.count))
        for value in values { self.write(value) }
    }

    /// Fills in a number that was not known when its place was written.
    package mutating func overwrite(_ value: UInt32, at offset: Int) {
        withUnsafeBytes(of: value.littleEndian) { source in
            for index in 0..<source.count { self.bytes[offset + index] = source[index] }
        }
    }

    /// Appends bytes that are already encoded.
    package mutating func writeEncoded(_ encoded: [UInt8]) {
        self.bytes.append(contentsOf: encoded)
    }

    private mutating func append(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { self.bytes.append(contentsOf: $0) }
    }
}
