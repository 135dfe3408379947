import JobCore
import JobStorage

/// A reservation's record: a ``SealedRecord`` of the times in nanoseconds, the offer, the request, the lane if there
/// is one, and the worker's name to the end.
extension StoredReservation {
    var record: [UInt8] {
        var body: [UInt8] = []
        body.reserveCapacity(51 + self.worker.utf8.count)
        body.append(littleEndian: self.reservedAt.nanosecondsSinceEpoch)
        body.append(littleEndian: self.expiresAt.nanosecondsSinceEpoch)
        body.append(littleEndian: self.offer)
        body.append(littleEndian: self.request)
        body.append(self.lane == nil ? 0 : 1)
        if let lane = self.lane {
            body.append(littleEndian: lane.session.high)
            body.append(littleEndian: lane.session.low)
            body.append(littleEndian: lane.lane)
        }
        body += self.worker.utf8
        return SealedRecord.sealing(body)
    }

    /// Reads a record; nil when it is none or does not match its checksum.
    init?(reading bytes: UnsafeRawBufferPointer) {
        guard let body = SealedRecord.body(of: bytes) else { return nil }
        var reader = BodyReader(body)
        guard let reservedAt = reader.next(Int64.self), let expiresAt = reader.next(Int64.self),
            let offer = reader.next(UInt64.self), let request = reader.next(UInt64.self),
            let hasLane = reader.next(UInt8.self), hasLane <= 1
        else { return nil }
        var lane: LaneKey?
        if hasLane == 1 {
            guard let high = reader.next(UInt64.self), let low = reader.next(UInt64.self),
                let number = reader.next(UInt16.self)
            else { return nil }
            lane = LaneKey(session: SessionID(high: high, low: low), lane: number)
        }
        self.init(
            worker: String(decoding: reader.rest, as: UTF8.self),
            reservedAt: WallTime(nanosecondsSinceEpoch: reservedAt),
            expiresAt: WallTime(nanosecondsSinceEpoch: expiresAt),
            lane: lane,
            offer: offer,
            request: request
        )
    }
}
