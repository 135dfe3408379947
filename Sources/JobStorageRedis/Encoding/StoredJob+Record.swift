import JobStorage

/// A job's record: a ``SealedRecord`` of the token (8 bytes) and the payload.
extension StoredJob {
    /// Bytes of a record before the payload.
    static let recordHeaderByteCount = SealedRecord.headerByteCount + 8

    var recordByteCount: Int { Self.recordHeaderByteCount + self.payload.count }

    /// Writes the record to memory that has ``recordByteCount`` bytes.
    func writeRecord(to memory: UnsafeMutableRawBufferPointer) {
        precondition(memory.count == self.recordByteCount, "\(memory.count) bytes for \(self.recordByteCount)")
        self.payload.withUnsafeBytes { payload in
            var crc = CRC32C()
            crc.update(with: self.token)
            crc.update(with: payload)
            memory[0] = SealedRecord.version
            memory.storeBytes(of: crc.checksum.littleEndian, toByteOffset: 1, as: UInt32.self)
            memory.storeBytes(of: self.token.littleEndian, toByteOffset: SealedRecord.headerByteCount, as: UInt64.self)
            UnsafeMutableRawBufferPointer(rebasing: memory[Self.recordHeaderByteCount...]).copyMemory(from: payload)
        }
    }
}

extension JobRecord {
    /// Reads a record, or finds that it is none.
    init(reading bytes: UnsafeRawBufferPointer) {
        guard let body = SealedRecord.body(of: bytes) else {
            self = .corrupt(Array(bytes))
            return
        }
        var reader = BodyReader(body)
        guard let token = reader.next(UInt64.self) else {
            self = .corrupt(Array(bytes))
            return
        }
        self = .job(StoredJob(token: token, payload: Array(reader.rest)))
    }
}
