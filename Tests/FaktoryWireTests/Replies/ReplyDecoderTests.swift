import FaktoryWire
import NIOCore
import Testing

@Suite("Reply decoder")
struct ReplyDecoderTests {
    private static let stream =
        "+OK\r\n-ERR no such job\r\n-SHUTDOWN\r\n:42\r\n$5\r\na\r\nb\r\r\n$0\r\n\r\n$-1\r\n+\r\n"
    private static let replies: [Reply] = [
        .simple("OK"), .error(code: "ERR", text: "no such job"), .error(code: "SHUTDOWN", text: ""), .integer(42),
        .bulk(ByteBuffer(string: "a\r\nb\r")), .bulk(ByteBuffer()), .null, .simple(""),
    ]

    private func decodeAll(_ pieces: [ArraySlice<UInt8>], maximumBulkByteCount: Int = 1 << 20) throws -> [Reply] {
        var decoder = ReplyDecoder(maximumBulkByteCount: maximumBulkByteCount)
        var buffer = ByteBuffer()
        var replies: [Reply] = []
        for piece in pieces {
            buffer.writeBytes(piece)
            while let reply = try decoder.decode(from: &buffer) { replies.append(reply) }
        }
        return replies
    }

    private func decodeFirst(_ text: String, maximumBulkByteCount: Int = 1 << 20) throws -> Reply? {
        var decoder = ReplyDecoder(maximumBulkByteCount: maximumBulkByteCount)
        var buffer = ByteBuffer(string: text)
        return try decoder.decode(from: &buffer)
    }

    @Test("replies are the same in whatever pieces they come", arguments: 1...Self.stream.utf8.count)
    func pieces(byteCount: Int) throws {
        let bytes = Array(Self.stream.utf8)
        let pieces = stride(from: 0, to: bytes.count, by: byteCount).map {
            bytes[$0..<min($0 + byteCount, bytes.count)]
        }
        #expect(try self.decodeAll(pieces) == Self.replies)
    }

    @Test(
        "a reply that is not whole is waited for",
        arguments: ["", "+", "+OK", "+OK\r", "$3", "$3\r\n", "$3\r\nabc\r"]
    )
    func incomplete(text: String) throws {
        #expect(try self.decodeFirst(text) == nil)
    }

    @Test(
        "bytes that are no reply are refused",
        arguments: [
            ("*1\r\n", ReplyDecodingError.unknownKind(UInt8(ascii: "*"))),
            ("OK\r\n", .unknownKind(UInt8(ascii: "O"))),
            ("\r\n", .unknownKind(UInt8(ascii: "\r"))),
            ("+OK\n", .missingLineEnd),
            ("\n", .missingLineEnd),
            ("$2\r\nabc\r\n", .missingLineEnd),
            ("$-2\r\n", .invalidNumber),
            ("$\r\n", .invalidNumber),
            ("$1x\r\n", .invalidNumber),
            ("$+1\r\n", .invalidNumber),
            (":99999999999999999999\r\n", .invalidNumber),
        ]
    )
    func refused(text: String, error: ReplyDecodingError) {
        #expect(throws: error) { try self.decodeFirst(text) }
    }

    @Test("a bulk string up to the bound is taken, and one byte more is refused before it comes")
    func bulkBound() throws {
        #expect(try self.decodeFirst("$3\r\nabc\r\n", maximumBulkByteCount: 3) == .bulk(ByteBuffer(string: "abc")))
        #expect(throws: ReplyDecodingError.bulkTooLong(4)) {
            try self.decodeFirst("$4\r\n", maximumBulkByteCount: 3)
        }
    }

    @Test("a line up to the bound is taken, and one byte more is refused, with or without its end")
    func lineBound() throws {
        let longest = String(repeating: "x", count: ReplyDecoder.maximumLineByteCount - 1)
        #expect(try self.decodeFirst("+\(longest)\r\n") == .simple(longest))
        #expect(try self.decodeFirst("+\(longest)\r") == nil)
        #expect(throws: ReplyDecodingError.lineTooLong) { try self.decodeFirst("+\(longest)x\r\n") }
        #expect(throws: ReplyDecodingError.lineTooLong) { try self.decodeFirst("+\(longest)x\r") }
    }
}
