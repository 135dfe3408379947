extension JSONScanner {
    /// Steps over a string whose opening quote is next; answers where its text stands between the quotes.
    @inline(__always)
    mutating func scanString() throws(JSONError) -> Range<Int> {
        let start = self.position + 1
        var index = start
        while true {
            index = self.endOfPlainRun(from: index)
            guard index < self.bytes.count else { throw .endOfInput(at: index) }
            let byte = self.bytes[index]
            if byte == UInt8(ascii: "\"") {
                self.move(to: index + 1)
                return start..<index
            }
            index = byte >= 0x80 ? try self.endOfCharacter(at: index) : try self.endOfEscape(at: index)
        }
    }

    /// The first byte from `start` that is a quote, a backslash, a control character or not ASCII.
    @inline(__always)
    private func endOfPlainRun(from start: Int) -> Int {
        var index = start
        while index &+ 8 <= self.bytes.count {
            let word = UInt64(
                littleEndian: UnsafeRawBufferPointer(self.bytes).loadUnaligned(fromByteOffset: index, as: UInt64.self)
            )
            let ones: UInt64 = 0x0101_0101_0101_0101
            let highs: UInt64 = 0x8080_8080_8080_8080
            let quotes = word ^ (ones &* 0x22)
            let slashes = word ^ (ones &* 0x5C)
            let special =
                (word | (word &- ones &* 0x20) | ((quotes &- ones) & ~quotes) | ((slashes &- ones) & ~slashes)) & highs
            // The lowest marked byte is exact; those above it may be marked by a borrow.
            guard special == 0 else { return index &+ special.trailingZeroBitCount >> 3 }
            index &+= 8
        }
        while index < self.bytes.count {
            let byte = self.bytes[index]
            if byte == 0x22 || byte == 0x5C || byte < 0x20 || byte >= 0x80 { break }
            index &+= 1
        }
        return index
    }

    /// Checks the escape (or finds the control character) at `index`.
    private func endOfEscape(at index: Int) throws(JSONError) -> Int {
        guard self.bytes[index] == UInt8(ascii: "\\") else {
            throw .unexpected(self.bytes[index], "in string literal", at: index)
        }
        guard index + 1 < self.bytes.count else { throw .endOfInput(at: index + 1) }
        switch self.bytes[index + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return index + 2
        case UInt8(ascii: "u"):
            for digit in index + 2..<index + 6 {
                guard digit < self.bytes.count else { throw .endOfInput(at: digit) }
                guard HexadecimalDigits.value(of: self.bytes[digit]) != nil else {
                    throw .unexpected(self.bytes[digit], "in \\u hexadecimal character escape", at: digit)
                }
            }
            return index + 6
        default:
            throw .unexpected(self.bytes[index + 1], "in string escape code", at: index + 1)
        }
    }

    /// Checks one character of two to four bytes: well formed, shortest form, no surrogate, no higher than U+10FFFF.
    private func endOfCharacter(at index: Int) throws(JSONError) -> Int {
        let lead = self.bytes[index]
        let count: Int
        let second: ClosedRange<UInt8>
        switch lead {
        case 0xC2...0xDF: (count, second) = (2, 0x80...0xBF)
        case 0xE0: (count, second) = (3, 0xA0...0xBF)
        case 0xED: (count, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: (count, second) = (3, 0x80...0xBF)
        case 0xF0: (count, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: (count, second) = (4, 0x80...0xBF)
        case 0xF4: (count, second) = (4, 0x80...0x8F)
        default: throw .invalidUTF8(at: index)
        }
        guard index + count <= self.bytes.count, second.contains(self.bytes[index + 1]) else {
            throw .invalidUTF8(at: index)
        }
        for offset in 2..<max(count, 2) {
            guard self.bytes[index + offset] & 0xC0 == 0x80 else { throw .invalidUTF8(at: index) }
        }
        return index + count
    }
}
