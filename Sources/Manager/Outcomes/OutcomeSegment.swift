import JobCore

/// Jobs that have ended, one record behind the other, and a table that finds each by the bytes of its jid.
///
/// A record is the second of its end as four bytes, the least significant first, one byte for the length of the jid, and the
/// jid. The store keeps the same bytes. Nothing is ever removed but all of it at once.
struct OutcomeSegment {
    /// Bytes of a record besides its jid.
    static let headerByteCount = 5

    private(set) var bytes: [UInt8] = []
    private(set) var count = 0
    /// Half a hash in the upper half, and in the lower one where the record begins, plus 1; 0 where there is none.
    private var slots: [UInt64] = []
    /// How many bytes were read into the table.
    private var readByteCount = 0

    /// The second of the first record's end; nil when there is none.
    var firstSecond: UInt32? { self.bytes.count < 4 ? nil : self.second(at: 0) }

    mutating func removeAll() {
        self = OutcomeSegment()
    }

    /// Adds a record behind the others.
    ///
    /// - Parameter jobID: of 255 bytes at the most.
    mutating func append(_ jobID: JobID, at second: UInt32) {
        let hash = Self.hash(of: jobID)
        let start = self.bytes.count
        var text = jobID.text
        text.withUTF8 { name in
            withUnsafeBytes(of: second.littleEndian) { self.bytes.append(contentsOf: $0) }
            self.bytes.append(UInt8(name.count))
            self.bytes.append(contentsOf: name)
        }
        self.readByteCount = self.bytes.count
        self.insert(recordAt: start, hash: hash)
    }

    /// Adds bytes that the store has, which may end within a record.
    mutating func load(_ more: [UInt8]) {
        self.bytes += more
        while self.readByteCount + Self.headerByteCount <= self.bytes.count {
            let start = self.readByteCount
            let end = start + Self.headerByteCount + Int(self.bytes[start + 4])
            guard end <= self.bytes.count else { return }
            let name = self.bytes[(start + Self.headerByteCount)..<end]
            self.insert(recordAt: start, hash: Self.hash(of: JobID(String(decoding: name, as: UTF8.self))))
            self.readByteCount = end
        }
    }

    /// The second of this job's last end; nil when it has none here.
    ///
    /// - Parameter hash: what ``hash(of:)`` makes of the jid.
    func second(of jobID: JobID, hash: UInt32) -> UInt32? {
        guard self.count > 0 else { return nil }
        let mask = self.slots.count - 1
        var index = Int(hash) & mask
        var last: UInt32?
        while self.slots[index] != 0 {
            let slot = self.slots[index]
            let start = Int(UInt32(truncatingIfNeeded: slot)) - 1
            if UInt32(truncatingIfNeeded: slot >> 32) == hash, self.has(jobID, at: start) {
                last = max(last ?? 0, self.second(at: start))
            }
            index = (index + 1) & mask
        }
        return last
    }

    private func second(at start: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(self.bytes[start + $1]) << UInt32(8 * $1) }
    }

    private func has(_ jobID: JobID, at start: Int) -> Bool {
        var text = jobID.text
        return text.withUTF8 { name in
            guard name.count == Int(self.bytes[start + 4]) else { return false }
            let begin = start + Self.headerByteCount
            return name.elementsEqual(self.bytes[begin..<(begin + name.count)])
        }
    }

    private mutating func insert(recordAt start: Int, hash: UInt32) {
        if self.count * 4 >= self.slots.count * 3 { self.grow() }
        self.count += 1
        self.place(UInt64(hash) << 32 | UInt64(start + 1))
    }

    private mutating func place(_ slot: UInt64) {
        let mask = self.slots.count - 1
        var index = Int(slot >> 32) & mask
        while self.slots[index] != 0 { index = (index + 1) & mask }
        self.slots[index] = slot
    }

    private mutating func grow() {
        let old = self.slots
        self.slots = Array(repeating: 0, count: max(1_024, old.count * 2))
        for slot in old where slot != 0 { self.place(slot) }
    }

    static func hash(of jobID: JobID) -> UInt32 {
        UInt32(truncatingIfNeeded: jobID.hashValue)
    }
}
