import Election
import JobCore
import Testing

@Suite("A message between members")
struct PeerMessageTests {
    private static let epoch = Epoch(0x0102_0304_0506_0708)
    private static let position = Position(epoch: Epoch(0x1112_1314_1516_1718), sequence: 0x2122_2324_2526_2728)

    /// Each kind of message, and its bytes in version 1, which never change.
    static let samples: [(PeerMessage, [UInt8])] = [
        (
            .announce(Self.epoch, as: ReplicaName(high: 0x1112_1314_1516_1718, low: 9)),
            [1, 7, 8, 7, 6, 5, 4, 3, 2, 1, 0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11, 9, 0, 0, 0, 0, 0, 0, 0]
        ),
        (.cut(Self.epoch), [1, 1, 8, 7, 6, 5, 4, 3, 2, 1]),
        (
            .cutAnswer(Self.epoch, position: Self.position, isVoter: true),
            [1, 2, 8, 7, 6, 5, 4, 3, 2, 1, 0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11]
                + [0x28, 0x27, 0x26, 0x25, 0x24, 0x23, 0x22, 0x21, 1]
        ),
        (
            .cutAnswer(Self.epoch, position: Position(epoch: Epoch(1), sequence: 2), isVoter: false),
            [1, 2, 8, 7, 6, 5, 4, 3, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0]
        ),
        (
            .cutRefused(Self.epoch, promised: Self.position.epoch),
            [1, 3, 8, 7, 6, 5, 4, 3, 2, 1, 0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11]
        ),
        (.follow(Self.epoch), [1, 4, 8, 7, 6, 5, 4, 3, 2, 1]),
        (.heartbeat(Self.epoch), [1, 5, 8, 7, 6, 5, 4, 3, 2, 1]),
        (.suspect(Self.epoch), [1, 6, 8, 7, 6, 5, 4, 3, 2, 1]),
    ]

    @Test("has the bytes that version 1 describes", arguments: Self.samples)
    func bytes(message: PeerMessage, bytes: [UInt8]) throws {
        #expect(message.encoded() == bytes)
        #expect(try PeerMessage(decoding: bytes) == message)
        #expect(bytes.count <= PeerMessage.greatestByteCount)
    }

    @Test("is refused when a byte is missing or left over", arguments: Self.samples)
    func length(message: PeerMessage, bytes: [UInt8]) {
        for count in 0..<bytes.count {
            #expect(throws: PeerMessageError.length(count)) { try PeerMessage(decoding: Array(bytes[..<count])) }
        }
        #expect(throws: PeerMessageError.length(bytes.count + 1)) { try PeerMessage(decoding: bytes + [0]) }
    }

    @Test("is refused in another version, of another kind, and with a truth value that is none")
    func strange() {
        let bytes = PeerMessage.cut(Self.epoch).encoded()
        #expect(throws: PeerMessageError.version(0)) { try PeerMessage(decoding: [0] + bytes[1...]) }
        #expect(throws: PeerMessageError.version(2)) { try PeerMessage(decoding: [2] + bytes[1...]) }
        for kind in [0, 8, 255] as [UInt8] {
            #expect(throws: PeerMessageError.kind(kind)) { try PeerMessage(decoding: [1, kind] + bytes[2...]) }
        }
        let answer = PeerMessage.cutAnswer(Self.epoch, position: Self.position, isVoter: true).encoded()
        #expect(throws: PeerMessageError.truth(2)) { try PeerMessage(decoding: answer[..<26] + [2]) }
    }
}
