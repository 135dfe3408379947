extension TOMLReader {
    /// Reads a value, at whose first byte the reader is; the path is that of its key.
    mutating func readValue(at path: [String]) throws(TOMLMistake) -> SettingValue {
        switch self.next {
        case UInt8(ascii: "\""):
            return .text(self.isAt("\"\"\"") ? try self.readLongString() : try self.readLineString())
        case UInt8(ascii: "'"):
            return .text(self.isAt("'''") ? try self.readLongString() : try self.readLineString())
        case UInt8(ascii: "["):
            try self.enter()
            defer { self.depth -= 1 }
            return .list(try self.readArray(at: path))
        case UInt8(ascii: "{"):
            try self.enter()
            defer { self.depth -= 1 }
            return .table(try self.readInlineTable(at: path))
        default:
            return try self.readScalar()
        }
    }

    /// Passes the bracket that opens an array or a table.
    private mutating func enter() throws(TOMLMistake) {
        guard self.depth < Self.maximumDepth else {
            throw self.mistake("no more than \(Self.maximumDepth) arrays and tables may be inside each other")
        }
        self.depth += 1
        self.advance()
    }

    /// Reads the elements after `[`, over as many lines as they have, and the `]`.
    private mutating func readArray(at path: [String]) throws(TOMLMistake) -> [SettingValue] {
        var elements: [SettingValue] = []
        while true {
            try self.skipBlankLines()
            if self.next != UInt8(ascii: "]") {
                elements.append(try self.readValue(at: path))
                try self.skipBlankLines()
            }
            switch self.next {
            case UInt8(ascii: "]"):
                self.advance()
                return elements
            case UInt8(ascii: ","): self.advance()
            default: throw self.mistake("expected \",\" or \"]\" in an array, found \(self.nextDescription)")
            }
        }
    }

    /// Reads the pairs after `{`, which are on one line, and the `}`.
    private mutating func readInlineTable(at path: [String]) throws(TOMLMistake) -> [String: SettingValue] {
        let table = TOMLTable(.header)
        self.skipSpaces()
        if self.next == UInt8(ascii: "}") {
            self.advance()
            return [:]
        }
        while true {
            try self.readPair(into: table, at: path)
            self.skipSpaces()
            switch self.next {
            case UInt8(ascii: "}"):
                self.advance()
                return table.values
            case UInt8(ascii: ","): self.advance()
            default: throw self.mistake("expected \",\" or \"}\" in a table, found \(self.nextDescription)")
            }
        }
    }

    /// Reads a number, a boolean, a date or a time.
    private mutating func readScalar() throws(TOMLMistake) -> SettingValue {
        var token = Array(self.take(while: Self.belongsToScalar))
        guard !token.isEmpty else { throw self.mistake("expected a value, found \(self.nextDescription)") }
        // A date and its time may have a space between them; after no other value may a digit follow one.
        if self.next == UInt8(ascii: " "), self.byte(after: 1).map(Self.isDigit) ?? false {
            self.advance()
            token += [UInt8(ascii: " ")] + self.take(while: Self.belongsToScalar)
        }
        let text = String(decoding: token, as: UTF8.self)
        guard let value = TOMLScalar.value(of: text) else { throw self.mistake("\"\(text)\" is not a value") }
        return value
    }

    private static func belongsToScalar(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "+"),
            UInt8(ascii: "."), UInt8(ascii: ":"):
            true
        default: false
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
