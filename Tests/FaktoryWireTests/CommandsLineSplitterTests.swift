import FaktoryWire
import NIOCore
import Testing

@Suite("Line splitter")
struct CommandsLineSplitterTests {
    private static let stream = "END\nPUSH {}\r\n\r\n\nlast\r one\r\r\nunfinished"
    private static let lines = ["END", "PUSH {}", "", "", "last\r one\r"]

    @Test("lines are the same whatever pieces they come in", arguments: 1...45)
    func pieces(byteCount: Int) throws {
        var splitter = LineSplitter()
        var lines: [String] = []
        var rest = ByteBuffer(string: Self.stream)
        while let piece = rest.readSlice(length: min(byteCount, rest.readableBytes)), piece.readableBytes > 0 {
            splitter.append(piece)
            while let line = try splitter.next() { lines.append(String(buffer: line)) }
        }
        #expect(lines == Self.lines)
        #expect(splitter.pendingByteCount == "unfinished".utf8.count)
    }

    @Test("lines that are taken late are not lost")
    func late() throws {
        var splitter = LineSplitter()
        var expected: [String] = []
        var lines: [String] = []
        for index in 0..<1_000 {
            splitter.append(ByteBuffer(string: "line \(index)\nli"))
            splitter.append(ByteBuffer(string: "ne \(index)b\n"))
            expected += ["line \(index)", "line \(index)b"]
            if let line = try splitter.next() { lines.append(String(buffer: line)) }
        }
        while let line = try splitter.next() { lines.append(String(buffer: line)) }
        #expect(lines == expected)
        #expect(splitter.pendingByteCount == 0)
    }

    @Test("a line as long as the bound is a line, and a longer one is an error once", arguments: ["\n", "\r\n"])
    func bound(end: String) throws {
        var splitter = LineSplitter(maximumByteCount: 5)
        splitter.append(ByteBuffer(string: "12345" + end + "12345"))
        #expect(try splitter.next().map { String(buffer: $0) } == "12345")
        #expect(try splitter.next() == nil)
        splitter.append(ByteBuffer(string: "6" + end + "END\n"))
        let error = #expect(throws: LineSplitter.LineTooLong.self) { try splitter.next() }
        #expect(error?.message == "line is longer than 5 bytes")
        #expect(try splitter.next() == nil)
        splitter.append(ByteBuffer(string: "END\n"))
        #expect(try splitter.next() == nil)
        #expect(splitter.pendingByteCount == 0)
    }

    @Test("a line that does not end is an error as soon as it is too long")
    func endless() throws {
        var splitter = LineSplitter(maximumByteCount: 5)
        splitter.append(ByteBuffer(string: "12345\r"))
        #expect(try splitter.next() == nil)
        splitter.append(ByteBuffer(string: "6"))
        #expect(throws: LineSplitter.LineTooLong.self) { try splitter.next() }
    }

    @Test("the room of a long line is let go with the line")
    func room() throws {
        var splitter = LineSplitter()
        for _ in 0..<100 { splitter.append(ByteBuffer(repeating: UInt8(ascii: "x"), count: 10_000)) }
        #expect(try splitter.next() == nil)
        #expect(splitter.reservedByteCount >= 1_000_000)
        splitter.append(ByteBuffer(string: "\n"))
        #expect(try splitter.next()?.readableBytes == 1_000_000)
        #expect(splitter.reservedByteCount == 0)
    }
}
