import JobCore
import JobStorage

/// A table's record: a ``SealedRecord`` of the end in nanoseconds, the greatest number for none, and the feature's bytes.
extension TableRecord {
    var record: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(8 + self.body.count)
        bytes.append(littleEndian: self.end?.nanosecondsSinceEpoch ?? .max)
        bytes += self.body
        return SealedRecord.sealing(bytes)
    }

    /// Reads a record; nil when it is none or does not match its checksum.
    init?(reading bytes: [UInt8]) {
        let parts = bytes.withUnsafeBytes { bytes -> (end: Int64, body: [UInt8])? in
            guard let body = SealedRecord.body(of: bytes) else { return nil }
            var reader = BodyReader(body)
            return reader.next(Int64.self).map { ($0, Array(reader.rest)) }
        }
        guard let parts else { return nil }
        self.init(parts.body, end: parts.end == .max ? nil : WallTime(nanosecondsSinceEpoch: parts.end))
    }
}
