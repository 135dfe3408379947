/// What is wrong with a JSON text.
///
/// The messages are those that Go's decoder gives, since clients show them to people who look them up.
package struct JSONError: Error, Equatable, Sendable {
    /// One line, free of control characters.
    package let message: String
    /// The byte at which the text stopped being acceptable.
    package let offset: Int

    package init(message: String, offset: Int) {
        self.message = message
        self.offset = offset
    }

    static func endOfInput(at offset: Int) -> JSONError {
        JSONError(message: "unexpected end of JSON input", offset: offset)
    }

    static func tooDeep(at offset: Int) -> JSONError {
        JSONError(message: "exceeded max depth", offset: offset)
    }

    static func invalidUTF8(at offset: Int) -> JSONError {
        JSONError(message: "invalid UTF-8 in string literal", offset: offset)
    }

    static func unexpected(_ byte: UInt8, _ context: String, at offset: Int) -> JSONError {
        JSONError(message: "invalid character \(Self.quoted(byte)) \(context)", offset: offset)
    }

    private static func quoted(_ byte: UInt8) -> String {
        switch byte {
        case UInt8(ascii: "'"): "'\\''"
        case UInt8(ascii: "\\"): "'\\\\'"
        case UInt8(ascii: "\n"): "'\\n'"
        case UInt8(ascii: "\r"): "'\\r'"
        case UInt8(ascii: "\t"): "'\\t'"
        case 0x20..<0x7F, 0xA1..<0xAD, 0xAE...0xFF: "'\(Unicode.Scalar(byte))'"
        default: "'\\x\(HexadecimalDigits.text(of: byte))'"
        }
    }
}
