extension TOMLReader {
    /// Reads a string on one line, at whose quote the reader is.
    mutating func readLineString() throws(TOMLMistake) -> String {
        let isBasic = self.next == UInt8(ascii: "\"")
        let quote = isBasic ? UInt8(ascii: "\"") : UInt8(ascii: "'")
        var content: [UInt8] = []
        self.advance()
        while let byte = self.next, !Self.isControl(byte) {
            if byte == quote {
                self.advance()
                return String(decoding: content, as: UTF8.self)
            }
            if byte == UInt8(ascii: "\\"), isBasic {
                content += try self.readEscape()
            } else {
                content.append(byte)
                self.advance()
            }
        }
        throw self.mistake("a string is not closed: expected \(isBasic ? "\"" : "'"), found \(self.nextDescription)")
    }

    /// Reads a string over several lines, at whose three quotes the reader is.
    mutating func readLongString() throws(TOMLMistake) -> String {
        let isBasic = self.next == UInt8(ascii: "\"")
        let quote = isBasic ? UInt8(ascii: "\"") : UInt8(ascii: "'")
        let opening = self.line
        var content: [UInt8] = []
        self.advance(by: 3)
        // A line end right after the quotes is not part of the string.
        if self.isAtLineEnd { self.advance(by: self.next == UInt8(ascii: "\r") ? 2 : 1) }
        while let byte = self.next {
            if byte == quote {
                let count = self.countQuotes(quote)
                self.advance(by: count)
                guard count < 3 else {
                    content += [UInt8](repeating: quote, count: count - 3)
                    return String(decoding: content, as: UTF8.self)
                }
                content += [UInt8](repeating: quote, count: count)
            } else if byte == UInt8(ascii: "\\"), isBasic {
                content += try self.readEscapeOrLineEnd()
            } else if Self.isControl(byte), !self.isAtLineEnd {
                throw self.mistake("a string cannot hold \(self.nextDescription)")
            } else {
                let count = self.isAt("\r\n") ? 2 : 1
                content += count == 2 ? [UInt8(ascii: "\r"), UInt8(ascii: "\n")] : [byte]
                self.advance(by: count)
            }
        }
        throw TOMLMistake(line: opening, reason: "a string of several lines is not closed")
    }

    /// How many quotes come next, of which a string can end with five: two of its own and the three that close it.
    private func countQuotes(_ quote: UInt8) -> Int {
        var count = 0
        while count < 5, self.byte(after: count) == quote { count += 1 }
        return count
    }

    /// Reads an escape, or passes a backslash at the end of a line with all the white space after it.
    private mutating func readEscapeOrLineEnd() throws(TOMLMistake) -> [UInt8] {
        var end = 1
        while let byte = self.byte(after: end), byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") { end += 1 }
        let isLineEnd =
            self.byte(after: end) == UInt8(ascii: "\n")
            || self.byte(after: end) == UInt8(ascii: "\r") && self.byte(after: end + 1) == UInt8(ascii: "\n")
        guard isLineEnd else { return try self.readEscape() }
        self.advance(by: end)
        while self.isAtLineEnd {
            self.advance(by: self.next == UInt8(ascii: "\r") ? 2 : 1)
            self.skipSpaces()
        }
        return []
    }

    /// Reads a backslash and what it stands for.
    private mutating func readEscape() throws(TOMLMistake) -> [UInt8] {
        self.advance()
        guard let byte = self.next else { throw self.mistake("a string is not closed") }
        let plain: UInt8
        switch byte {
        case UInt8(ascii: "u"): return try self.readScalarEscape(digitCount: 4)
        case UInt8(ascii: "U"): return try self.readScalarEscape(digitCount: 8)
        case UInt8(ascii: "b"): plain = 0x08
        case UInt8(ascii: "t"): plain = UInt8(ascii: "\t")
        case UInt8(ascii: "n"): plain = UInt8(ascii: "\n")
        case UInt8(ascii: "f"): plain = 0x0C
        case UInt8(ascii: "r"): plain = UInt8(ascii: "\r")
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): plain = byte
        default: throw self.mistake("a backslash cannot stand before \(self.nextDescription)")
        }
        self.advance()
        return [plain]
    }

    private mutating func readScalarEscape(digitCount: Int) throws(TOMLMistake) -> [UInt8] {
        self.advance()
        var value: UInt32 = 0
        for _ in 0..<digitCount {
            guard let digit = self.next.flatMap({ Character(Unicode.Scalar($0)).hexDigitValue }) else {
                throw self.mistake("expected \(digitCount) hexadecimal digits, found \(self.nextDescription)")
            }
            value = value << 4 | UInt32(digit)
            self.advance()
        }
        guard let scalar = Unicode.Scalar(value) else {
            throw self.mistake("no character has the number \(String(value, radix: 16))")
        }
        return Array(String(scalar).utf8)
    }
}
