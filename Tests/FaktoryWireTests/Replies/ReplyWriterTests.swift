import FaktoryWire
import NIOCore
import Testing

@Suite("Reply writer")
struct ReplyWriterTests {
    private func written(_ write: (inout ByteBuffer) -> Void) -> String {
        var buffer = ByteBuffer()
        write(&buffer)
        return String(buffer: buffer)
    }

    @Test("replies have the bytes that clients expect")
    func golden() {
        #expect(self.written { $0.writeOKReply() } == "+OK\r\n")
        #expect(self.written { $0.writeSimpleReply("OK") } == "+OK\r\n")
        #expect(self.written { $0.writeNullReply() } == "$-1\r\n")
        #expect(self.written { $0.writeErrorReply("Job not found j1") } == "-ERR Job not found j1\r\n")
        let notUnique = self.written { $0.writeErrorReply(code: "NOTUNIQUE", "Job not unique") }
        #expect(notUnique == "-NOTUNIQUE Job not unique\r\n")
        #expect(self.written { $0.writeErrorReply("unknown command ") } == "-ERR unknown command \r\n")
    }

    @Test("the length of a bulk string counts bytes, not characters")
    func bulk() {
        #expect(self.written { $0.writeBulkReply("{}".utf8) } == "$2\r\n{}\r\n")
        #expect(self.written { $0.writeBulkReply("".utf8) } == "$0\r\n\r\n")
        #expect(self.written { $0.writeBulkReply("é".utf8) } == "$2\r\né\r\n")
        #expect(self.written { $0.writeBulkReply(ByteBuffer(string: "a\r\nb")) } == "$4\r\na\r\nb\r\n")
    }

    @Test("a client's words can never end a reply's line early")
    func injection() {
        #expect(self.written { $0.writeErrorReply("a\r\n+OK\nb\r") } == "-ERR a  +OK b \r\n")
        #expect(self.written { $0.writeErrorReply(code: "E\n", "x") } == "-E  x\r\n")
        #expect(self.written { $0.writeSimpleReply("a\r\nb") } == "+a  b\r\n")
    }
}
