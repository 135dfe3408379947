package import NIOCore

extension ByteBuffer {
    /// Appends `+text`; a line break in it would end the reply early and is written as a space.
    package mutating func writeSimpleReply(_ text: String) {
        self.writeInteger(UInt8(ascii: "+"))
        self.writeOneLine(text)
        self.writeStaticString("\r\n")
    }

    /// Appends `+OK`.
    package mutating func writeOKReply() {
        self.writeStaticString("+OK\r\n")
    }

    /// Appends `-code text`; line breaks, which can come from a client's own words, are written as spaces.
    ///
    /// Some clients raise for `ERR` only and return any other code as a value, so other codes are for outcomes that
    /// a client is meant to tell apart, such as `NOTUNIQUE`.
    package mutating func writeErrorReply(code: String = "ERR", _ text: String) {
        self.writeInteger(UInt8(ascii: "-"))
        self.writeOneLine(code)
        self.writeInteger(UInt8(ascii: " "))
        self.writeOneLine(text)
        self.writeStaticString("\r\n")
    }

    /// Appends `bytes` as a bulk string, whatever they are.
    package mutating func writeBulkReply(_ bytes: some Collection<UInt8>) {
        self.writeBulkHeader(byteCount: bytes.count)
        self.writeBytes(bytes)
        self.writeStaticString("\r\n")
    }

    /// Appends what can be read of `content` as a bulk string.
    package mutating func writeBulkReply(_ content: ByteBuffer) {
        self.writeBulkHeader(byteCount: content.readableBytes)
        self.writeImmutableBuffer(content)
        self.writeStaticString("\r\n")
    }

    /// Appends the null bulk string.
    package mutating func writeNullReply() {
        self.writeStaticString("$-1\r\n")
    }

    private mutating func writeBulkHeader(byteCount: Int) {
        self.writeInteger(UInt8(ascii: "$"))
        self.writeString(String(byteCount))
        self.writeStaticString("\r\n")
    }

    private mutating func writeOneLine(_ text: String) {
        if text.utf8.contains(where: Self.isLineBreak) {
            self.writeBytes(text.utf8.map { Self.isLineBreak($0) ? UInt8(ascii: " ") : $0 })
        } else {
            self.writeString(text)
        }
    }

    private static func isLineBreak(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\r") || byte == UInt8(ascii: "\n")
    }
}
