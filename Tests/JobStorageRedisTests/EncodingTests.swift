import JobCore
import JobStorage
import Testing

@testable import JobStorageRedis

@Suite("What stands in Redis")
struct EncodingTests {
    private static let reservation = StoredReservation(
        worker: "w1",
        reservedAt: WallTime(nanosecondsSinceEpoch: 1),
        expiresAt: WallTime(nanosecondsSinceEpoch: -2),
        lane: LaneKey(session: SessionID(high: 3, low: 4), lane: 5),
        offer: 6,
        request: 7
    )

    @Test(
        "has the checksums that the Castagnoli polynomial gives",
        arguments: [
            ([], 0), (Array("123456789".utf8), 0xE306_9283), ([UInt8](repeating: 0, count: 32), 0x8A91_36AA),
            ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43), ((0..<32).map { UInt8($0) }, 0x46DD_794E),
        ] as [([UInt8], UInt32)]
    )
    func checksum(bytes: [UInt8], expected: UInt32) {
        for split in 0...bytes.count {
            var crc = CRC32C()
            bytes[..<split].withUnsafeBytes { crc.update(with: $0) }
            bytes[split...].withUnsafeBytes { crc.update(with: $0) }
            #expect(crc.checksum == expected, "split at \(split)")
        }
    }

    @Test("feeds a number to a checksum as its bytes")
    func checksumOfNumber() {
        var byNumber = CRC32C()
        byNumber.update(with: 0x0807_0605_0403_0201)
        var byBytes = CRC32C()
        ([1, 2, 3, 4, 5, 6, 7, 8] as [UInt8]).withUnsafeBytes { byBytes.update(with: $0) }

        #expect(byNumber.checksum == byBytes.checksum)
    }

    @Test("is, for a job, a version, a checksum, a token and the payload")
    func jobRecord() {
        let job = StoredJob(token: 0x0102, payload: Array("{}".utf8))

        #expect(Self.bytes(of: job).hex == "01 e000b95c 0201000000000000 7b7d".filter { $0 != " " })
        #expect(Self.read(Self.bytes(of: job)) == .job(job))
    }

    @Test("is, for a reservation, the times, the offer, the request, the lane and the worker")
    func reservationRecord() {
        let record = Self.reservation.record
        let golden = """
            01 eb0dc6d9 0100000000000000 feffffffffffffff 0600000000000000 0700000000000000
            01 0300000000000000 0400000000000000 0500 7731
            """

        #expect(record.hex == golden.filter { !$0.isWhitespace })
        #expect(record.withUnsafeBytes { StoredReservation(reading: $0) } == Self.reservation)
    }

    @Test("is, for a reservation that says where its job came from, the token and the queue before the worker")
    func reservationRecordWithOrigin() throws {
        var reservation = Self.reservation
        reservation.origin = StoredReservation.Origin(queue: try QueueName(parsing: "q.1"), token: 0x0809)
        let golden = """
            0100000000000000 feffffffffffffff 0600000000000000 0700000000000000
            03 0300000000000000 0400000000000000 0500 0908000000000000 03 712e31 7731
            """

        let record = reservation.record
        #expect(Array(record.dropFirst(5)).hex == golden.filter { !$0.isWhitespace })
        #expect(record.withUnsafeBytes { StoredReservation(reading: $0) } == reservation)
    }

    @Test(
        "is, for a reservation that has a lock, its end and name before the worker",
        arguments: [(nil, "ffffffffffffff7f"), (2, "0200000000000000")] as [(Int64?, String)]
    )
    func reservationRecordWithLock(end: Int64?, text: String) {
        var reservation = Self.reservation
        reservation.lane = nil
        let until = end.map { WallTime(nanosecondsSinceEpoch: $0) }
        reservation.lock = ReservedLock([0x0A, 0, 0xFF], until: until)
        let golden = """
            0100000000000000 feffffffffffffff 0600000000000000 0700000000000000 04 \(text) 03 0a00ff 7731
            """

        let record = reservation.record
        #expect(Array(record.dropFirst(5)).hex == golden.filter { !$0.isWhitespace })
        #expect(record.withUnsafeBytes { StoredReservation(reading: $0) } == reservation)
    }

    @Test("is, for a table, the end and the feature's bytes", arguments: [1, nil] as [Int64?])
    func tableRecord(end: Int64?) {
        let record = TableRecord([9, 0], end: end.map { WallTime(nanosecondsSinceEpoch: $0) })
        let golden = end == nil ? "ffffffffffffff7f 0900" : "0100000000000000 0900"

        #expect(Array(record.record.dropFirst(5)).hex == golden.filter { $0 != " " })
        #expect(TableRecord(reading: record.record) == record)
        for bit in 0..<(record.record.count * 8) {
            var damaged = record.record
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(TableRecord(reading: damaged) == nil, "bit \(bit)")
        }
        #expect(TableRecord(reading: SealedRecord.sealing([1, 2])) == nil)
    }

    @Test("is, for a lane, its numbers and the replies")
    func laneRecord() {
        let lane = LaneRecord(batch: 1, offered: 2, settled: 3, replies: [9])
        let golden = "01 461b51ed 0100000000000000 0200000000000000 0300000000000000 09"

        #expect(lane.record.hex == golden.filter { $0 != " " })
        #expect(lane.record.withUnsafeBytes { LaneRecord(reading: $0) } == lane)
    }

    @Test("shows any flipped bit, and anything cut off")
    func damage() {
        let job = StoredJob(token: 77, payload: Array("{\"jid\":\"12345678\"}".utf8))
        let records = [Self.bytes(of: job), Self.reservation.record]
        for record in records {
            for bit in 0..<(record.count * 8) {
                var damaged = record
                damaged[bit / 8] ^= 1 << UInt8(bit % 8)
                #expect(Self.read(damaged) == .corrupt(damaged), "bit \(bit)")
                #expect(damaged.withUnsafeBytes { StoredReservation(reading: $0) } == nil, "bit \(bit)")
                #expect(damaged.withUnsafeBytes { LaneRecord(reading: $0) } == nil, "bit \(bit)")
            }
            for length in 0..<record.count {
                let cut = Array(record.prefix(length))
                #expect(Self.read(cut) == .corrupt(cut), "\(length) bytes")
            }
        }
    }

    @Test("is never a sealed body that is too short for what it should be")
    func shortBodies() {
        let sealed = SealedRecord.sealing([1, 2, 3])

        #expect(Self.read(sealed) == .corrupt(sealed))
        #expect(sealed.withUnsafeBytes { StoredReservation(reading: $0) } == nil)
        #expect(sealed.withUnsafeBytes { LaneRecord(reading: $0) } == nil)
    }

    @Test(
        "is, for an entry of a queue, a token, a colon and the jid",
        arguments: [
            ("0:a", 0, "a"), ("18446744073709551615:b:c", .max, "b:c"), ("7:", 7, ""),
        ] as [(String, UInt64, String)]
    )
    func queueEntry(text: String, token: UInt64, jobID: String) {
        let read = Array(text.utf8).withUnsafeBytes { QueueEntry(reading: $0) }

        #expect(read == QueueEntry(token: token, jobID: JobID(jobID)))
    }

    @Test("takes nothing else for an entry", arguments: ["", ":a", "a", "-1:a", "1 :a", "18446744073709551616:a", "7"])
    func foreignEntry(text: String) {
        #expect(Array(text.utf8).withUnsafeBytes { QueueEntry(reading: $0) } == nil)
    }

    private static func bytes(of job: StoredJob) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: job.recordByteCount) { buffer, count in
            job.writeRecord(
                to: UnsafeMutableRawBufferPointer(
                    rebasing: UnsafeMutableRawBufferPointer(buffer)[..<job.recordByteCount]
                )
            )
            count = job.recordByteCount
        }
    }

    private static func read(_ record: [UInt8]) -> JobRecord {
        record.withUnsafeBytes { JobRecord(reading: $0) }
    }
}

extension [UInt8] {
    /// Two hexadecimal digits for each byte.
    fileprivate var hex: String {
        self.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
