import JobCore
import JobStorage

/// A reservation's record: a ``SealedRecord`` of the times in nanoseconds, the offer, the request, a byte that says
/// whether a lane (1), an origin (2) and a lock (4) follow, these, and the worker's name to the end.
extension StoredReservation {
    var record: [UInt8] {
        var body: [UInt8] = []
        body.reserveCapacity(60 + (self.origin?.queue.text.utf8.count ?? 0) + self.worker.utf8.count)
        body.append(littleEndian: self.reservedAt.nanosecondsSinceEpoch)
        body.append(littleEndian: self.expiresAt.nanosecondsSinceEpoch)
        body.append(littleEndian: self.offer)
        body.append(littleEndian: self.request)
        let lockFlag = self.lock == nil ? 0 : Self.lockFlag
        body.append((self.lane == nil ? 0 : Self.laneFlag) | (self.origin == nil ? 0 : Self.originFlag) | lockFlag)
        if let lane = self.lane {
            body.append(littleEndian: lane.session.high)
            body.append(littleEndian: lane.session.low)
            body.append(littleEndian: lane.lane)
        }
        if let origin = self.origin {
            body.append(littleEndian: origin.token)
            body.append(UInt8(origin.queue.text.utf8.count))
            body += origin.queue.text.utf8
        }
        if let lock = self.lock {
            body.append(littleEndian: lock.until?.nanosecondsSinceEpoch ?? .max)
            body.append(UInt8(lock.name.count))
            body += lock.name
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
            let flags = reader.next(UInt8.self), flags & ~(Self.laneFlag | Self.originFlag | Self.lockFlag) == 0
        else { return nil }
        var lane: LaneKey?
        if flags & Self.laneFlag != 0 {
            guard let high = reader.next(UInt64.self), let low = reader.next(UInt64.self),
                let number = reader.next(UInt16.self)
            else { return nil }
            lane = LaneKey(session: SessionID(high: high, low: low), lane: number)
        }
        var origin: Origin?
        if flags & Self.originFlag != 0 {
            guard let token = reader.next(UInt64.self), let byteCount = reader.next(UInt8.self),
                let text = reader.next(byteCount: Int(byteCount)),
                let queue = try? QueueName(parsing: String(decoding: text, as: UTF8.self))
            else { return nil }
            origin = Origin(queue: queue, token: token)
        }
        var lock: ReservedLock?
        if flags & Self.lockFlag != 0 {
            guard let end = reader.next(Int64.self), let byteCount = reader.next(UInt8.self),
                let name = reader.next(byteCount: Int(byteCount))
            else { return nil }
            let until = end == .max ? nil : WallTime(nanosecondsSinceEpoch: end)
            lock = ReservedLock(Array(name), until: until)
        }
        self.init(
            worker: String(decoding: reader.rest, as: UTF8.self),
            reservedAt: WallTime(nanosecondsSinceEpoch: reservedAt),
            expiresAt: WallTime(nanosecondsSinceEpoch: expiresAt),
            lane: lane,
            offer: offer,
            request: request,
            origin: origin,
            lock: lock
        )
    }

    private static var laneFlag: UInt8 { 1 }
    private static var originFlag: UInt8 { 2 }
    private static var lockFlag: UInt8 { 4 }
}
