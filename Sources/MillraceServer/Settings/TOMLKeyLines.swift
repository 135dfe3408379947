/// On which line of a TOML document each table and each key stands.
///
/// The library that parses TOML does not tell, and an error message without its line is of little use. This scanner
/// understands exactly as much as it needs: headers, keys, and how long a value is. It is only asked about documents
/// that the library has accepted. What stands inside an inline table counts as standing at its key.
package struct TOMLKeyLines: Sendable, Equatable {
    private var lines: [[String]: Int] = [:]
    /// The first thing that is never TOML and at which the library would stop the whole process.
    ///
    /// The library asserts what it has not made sure of, and must not get to see it.
    package private(set) var mistake: Mistake?

    /// What is wrong with a document, and where.
    package struct Mistake: Sendable, Equatable {
        package let line: Int
        package let reason: String
    }
    private var bytes: [UInt8] = []
    private var position = 0
    private var line = 1

    /// Scans a document.
    package init(_ document: String) {
        self.bytes = Array(document.utf8)
        self.scan()
        self.bytes = []
    }

    /// The line of a key or table, or of the nearest one round it; 1 when nothing round it is known.
    package func line(of path: [String]) -> Int {
        var path = path[...]
        while !path.isEmpty {
            if let line = self.lines[Array(path)] { return line }
            path.removeLast()
        }
        return 1
    }

    private var next: UInt8? { self.position < self.bytes.count ? self.bytes[self.position] : nil }

    private mutating func advance() {
        if self.next == UInt8(ascii: "\n") { self.line += 1 }
        self.position += 1
    }

    private mutating func scan() {
        var table: [String] = []
        while let byte = self.next {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"):
                self.advance()
            case UInt8(ascii: "#"):
                self.skipLine()
            case UInt8(ascii: "["):
                self.advance()
                if self.next == UInt8(ascii: "[") { self.advance() }
                self.checkTableName()
                table = self.key(endingAt: UInt8(ascii: "]"))
                self.note(table)
                self.skipLine()
            default:
                let start = self.line
                let key = self.key(endingAt: UInt8(ascii: "="))
                self.note(table + key, at: start)
                self.skipValue()
            }
        }
    }

    /// Makes sure that a name begins after the brackets of a header, or that they are closed, which the library refuses.
    private mutating func checkTableName() {
        while self.next == UInt8(ascii: " ") || self.next == UInt8(ascii: "\t") { self.advance() }
        switch self.next ?? UInt8(ascii: "\n") {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "\""),
            UInt8(ascii: "'"), UInt8(ascii: "]"):
            break
        default: self.refuse("expected the name of a table")
        }
    }

    private mutating func refuse(_ reason: String) {
        if self.mistake == nil { self.mistake = Mistake(line: self.line, reason: reason) }
    }

    /// Remembers a path, and every dotted part of it, where it was first seen.
    private mutating func note(_ path: [String], at line: Int? = nil) {
        for count in 1..<max(path.count + 1, 1) where self.lines[Array(path.prefix(count))] == nil {
            self.lines[Array(path.prefix(count))] = line ?? self.line
        }
    }

    /// Reads a key with its dots and quotes up to a byte that ends it, and passes that byte.
    private mutating func key(endingAt end: UInt8) -> [String] {
        var parts: [String] = []
        var part: [UInt8] = []
        while let byte = self.next, byte != UInt8(ascii: "\n") {
            if byte == end {
                self.advance()
                break
            }
            switch byte {
            case UInt8(ascii: "."):
                parts.append(String(decoding: part, as: UTF8.self))
                part = []
                self.advance()
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                let start = self.position + 1
                self.skipString()
                part += self.bytes[start..<max(start, self.position - 1)]
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"):
                self.advance()
            default:
                part.append(byte)
                self.advance()
            }
        }
        parts.append(String(decoding: part, as: UTF8.self))
        return parts
    }

    /// Passes a value to the end of its last line, whatever strings, arrays and tables it consists of.
    private mutating func skipValue() {
        var depth = 0
        while let byte = self.next {
            switch byte {
            case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                self.skipString()
                continue
            case UInt8(ascii: "#"):
                self.skipLine()
                continue
            case UInt8(ascii: "\n") where depth <= 0:
                self.advance()
                return
            case UInt8(ascii: "T"), UInt8(ascii: "t"), UInt8(ascii: " "):
                if self.isAtBrokenTime { self.refuse("expected a time behind the date") }
            default: break
            }
            self.advance()
        }
    }

    /// Whether a date ends here, and neither an hour with its colon nor the end of the value comes after the next byte.
    ///
    /// Only a date may have a digit after a space, so that before a space nothing else is looked at: the library takes
    /// for a date what only has the shape of one.
    private var isAtBrokenTime: Bool {
        guard self.position >= 10, self.position + 1 < self.bytes.count else { return false }
        let following = self.bytes[self.position + 1]
        let isSpace = self.next == UInt8(ascii: " ")
        let canHaveTime =
            isSpace && Self.isDigit(following)
            ? !" \t\r\n[{,=.".utf8.contains(self.bytes[self.position - 1]) : self.isBehindDate
        guard canHaveTime, !" \t\r\n,]}#".utf8.contains(following) else { return false }
        let hour = self.bytes[(self.position + 1)...].prefix(3)
        return !(hour.count == 3 && hour.prefix(2).allSatisfy(Self.isDigit) && hour.last == UInt8(ascii: ":"))
    }

    private var isBehindDate: Bool {
        self.bytes[self.position - 10..<self.position].enumerated().allSatisfy { index, byte in
            index == 4 || index == 7 ? byte == UInt8(ascii: "-") : Self.isDigit(byte)
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    /// Passes a string of any of the four kinds.
    private mutating func skipString() {
        guard let quote = self.next else { return }
        let isLong = self.bytes[self.position...].starts(with: [quote, quote, quote])
        let isEscaping = quote == UInt8(ascii: "\"")
        for _ in 0..<(isLong ? 3 : 1) { self.advance() }
        while let byte = self.next {
            if byte == UInt8(ascii: "\\"), isEscaping {
                self.advance()
                self.advance()
            } else if !isLong, byte == quote || byte == UInt8(ascii: "\n") {
                if byte == quote { self.advance() }
                return
            } else if isLong, self.bytes[self.position...].starts(with: [quote, quote, quote]) {
                while self.next == quote { self.advance() }
                return
            } else {
                self.advance()
            }
        }
    }

    /// Passes the rest of the line but not its end, which also ends a value.
    private mutating func skipLine() {
        while let byte = self.next, byte != UInt8(ascii: "\n") { self.advance() }
    }
}
