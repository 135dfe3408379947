import JobCore

/// A lane's record: a ``SealedRecord`` of its three numbers and the replies.
extension LaneRecord {
    var record: [UInt8] {
        var body: [UInt8] = []
        body.reserveCapacity(24 + self.replies.count)
        body.append(littleEndian: self.batch)
        body.append(littleEndian: self.offered)
        body.append(littleEndian: self.settled)
        body += self.replies
        return SealedRecord.sealing(body)
    }

    /// Reads a record; nil when it is none or does not match its checksum.
    init?(reading bytes: UnsafeRawBufferPointer) {
        guard let body = SealedRecord.body(of: bytes) else { return nil }
        var reader = BodyReader(body)
        guard let batch = reader.next(UInt64.self), let offered = reader.next(UInt64.self),
            let settled = reader.next(UInt64.self)
        else { return nil }
        self.init(batch: batch, offered: offered, settled: settled, replies: Array(reader.rest))
    }
}
