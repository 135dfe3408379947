/// Very many jids one behind the other, as one array of bytes.
///
/// A command may name a million jobs. Whoever passes it on, or works through it a few at a time, need not make a million
/// strings for that.
package struct JobIDList: Hashable, Sendable {
    /// Each jid behind its length, which takes four bytes, the least significant first.
    package private(set) var bytes: [UInt8]
    package private(set) var count: Int

    package init() {
        self.bytes = []
        self.count = 0
    }

    package init(_ texts: some Sequence<String>) {
        self.init()
        for text in texts { self.append(text) }
    }

    /// Takes bytes of the form of ``bytes``; nil when they are not `count` jids exactly.
    package init?(_ bytes: UnsafeRawBufferPointer, count: Int) {
        var offset = 0
        for _ in 0..<count {
            guard let text = Self.text(at: offset, of: bytes) else { return nil }
            offset += 4 + text.count
        }
        guard offset == bytes.count else { return nil }
        self.bytes = Array(bytes)
        self.count = count
    }

    package var isEmpty: Bool { self.count == 0 }

    package mutating func reserveCapacity(bytes count: Int) {
        self.bytes.reserveCapacity(count)
    }

    package mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { self.append(UnsafeRawBufferPointer($0)) }
    }

    /// Appends a jid in UTF-8.
    package mutating func append(_ text: UnsafeRawBufferPointer) {
        withUnsafeBytes(of: UInt32(text.count).littleEndian) { self.bytes.append(contentsOf: $0) }
        self.bytes.append(contentsOf: text)
        self.count += 1
    }

    /// The jids from a place in the bytes on, at the most so many; the place moves behind them.
    package func next(_ count: Int, from offset: inout Int) -> [JobID] {
        self.bytes.withUnsafeBytes { bytes in
            var jobIDs: [JobID] = []
            while jobIDs.count < count, let text = Self.text(at: offset, of: bytes) {
                jobIDs.append(JobID(String(decoding: text, as: UTF8.self)))
                offset += 4 + text.count
            }
            return jobIDs
        }
    }

    /// Moves a place in the bytes behind so many jids.
    package func skip(_ count: Int, from offset: inout Int) {
        self.bytes.withUnsafeBytes { bytes in
            for _ in 0..<count {
                guard let text = Self.text(at: offset, of: bytes) else { return }
                offset += 4 + text.count
            }
        }
    }

    /// All of them.
    package var jobIDs: [JobID] {
        var offset = 0
        return self.next(.max, from: &offset)
    }

    /// Whether it has this jid; looks at one after the other.
    package func contains(_ jobID: JobID) -> Bool {
        self.bytes.withUnsafeBytes { bytes in
            var offset = 0
            while let text = Self.text(at: offset, of: bytes) {
                if text.elementsEqual(jobID.text.utf8) { return true }
                offset += 4 + text.count
            }
            return false
        }
    }

    private static func text(at offset: Int, of bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard bytes.count - offset >= 4 else { return nil }
        let count = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
        guard bytes.count - offset - 4 >= count else { return nil }
        return UnsafeRawBufferPointer(rebasing: bytes[offset + 4..<offset + 4 + count])
    }
}

extension JobIDList: ExpressibleByArrayLiteral {
    package init(arrayLiteral elements: String...) {
        self.init(elements)
    }
}
