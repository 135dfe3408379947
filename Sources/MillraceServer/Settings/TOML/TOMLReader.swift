/// Reads a TOML document from its first byte to its last.
///
/// This file has the structure: lines, headers, keys and the tables that they make. Values are in extensions.
struct TOMLReader {
    /// The most parts of one key, and the most arrays and inline tables inside each other.
    static let maximumDepth = 64

    /// Where each table and each key was first seen.
    private(set) var lines: [[String]: Int] = [:]
    var depth = 0
    private let bytes: [UInt8]
    private var position = 0
    private(set) var line = 1

    /// A reader at the beginning of a document.
    init(_ text: String) {
        self.bytes = Array(text.utf8)
    }

    /// Reads the whole document.
    mutating func readDocument() throws(TOMLMistake) -> TOMLTable {
        let root = TOMLTable(.header)
        var table = root
        var path: [String] = []
        while true {
            try self.skipBlankLines()
            guard let byte = self.next else { return root }
            if byte == UInt8(ascii: "[") {
                (table, path) = try self.readHeader(in: root)
            } else {
                try self.readPair(into: table, at: path)
            }
            try self.expectEndOfLine()
        }
    }

    // MARK: Bytes

    /// The byte that comes next; nil at the end.
    var next: UInt8? { self.byte(after: 0) }

    /// The byte that comes after some others.
    func byte(after count: Int) -> UInt8? {
        self.position + count < self.bytes.count ? self.bytes[self.position + count] : nil
    }

    /// Whether these bytes come next.
    func isAt(_ text: StaticString) -> Bool {
        text.withUTF8Buffer { self.bytes[self.position...].starts(with: $0) }
    }

    /// Whether a line ends here, as LF or as CR LF.
    var isAtLineEnd: Bool { self.isAt("\n") || self.isAt("\r\n") }

    /// Passes bytes, of which none may be beyond the end.
    mutating func advance(by count: Int = 1) {
        for byte in self.bytes[self.position..<self.position + count] where byte == UInt8(ascii: "\n") {
            self.line += 1
        }
        self.position += count
    }

    /// Passes the longest run of bytes of a kind, and returns it.
    mutating func take(while belongs: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        let run = self.bytes[self.position...].prefix(while: belongs)
        self.advance(by: run.count)
        return run
    }

    mutating func skipSpaces() {
        _ = self.take { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
    }

    /// Passes spaces, line ends and comments.
    mutating func skipBlankLines() throws(TOMLMistake) {
        while true {
            self.skipSpaces()
            if self.isAtLineEnd {
                self.advance(by: self.next == UInt8(ascii: "\r") ? 2 : 1)
            } else if self.next == UInt8(ascii: "#") {
                try self.skipComment()
            } else {
                return
            }
        }
    }

    private mutating func skipComment() throws(TOMLMistake) {
        _ = self.take { !Self.isControl($0) }
        guard self.next == nil || self.isAtLineEnd else {
            throw self.mistake("a comment cannot hold \(self.nextDescription)")
        }
    }

    private mutating func expectEndOfLine() throws(TOMLMistake) {
        self.skipSpaces()
        if self.next == UInt8(ascii: "#") { try self.skipComment() }
        guard self.next == nil || self.isAtLineEnd else {
            throw self.mistake("expected the end of the line, found \(self.nextDescription)")
        }
    }

    // MARK: Mistakes

    /// A mistake on the line that is being read.
    func mistake(_ reason: String) -> TOMLMistake {
        TOMLMistake(line: self.line, reason: reason)
    }

    /// What comes next, for a message of one line.
    var nextDescription: String {
        guard let byte = self.next else { return "the end of the file" }
        if self.isAtLineEnd { return "the end of the line" }
        if Self.isControl(byte) { return "the control character \(byte)" }
        return String(decoding: self.bytes[self.position...].prefix(4), as: UTF8.self).first.map { "\"\($0)\"" } ?? ""
    }

    /// Whether a byte is a control character that may stand nowhere; a tab may.
    static func isControl(_ byte: UInt8) -> Bool {
        byte < 0x20 && byte != UInt8(ascii: "\t") || byte == 0x7F
    }

    // MARK: Keys and tables

    /// Reads `[a.b]` or `[[a.b]]`, and returns the table that it opens with its path.
    private mutating func readHeader(in root: TOMLTable) throws(TOMLMistake) -> (TOMLTable, [String]) {
        let isElement = self.isAt("[[")
        self.advance(by: isElement ? 2 : 1)
        let path = try self.readKey("the name of a table")
        guard isElement ? self.isAt("]]") : self.isAt("]") else {
            throw self.mistake("expected \(isElement ? "\"]]\"" : "\"]\""), found \(self.nextDescription)")
        }
        let table = try self.openTable(path, isElement: isElement, in: root)
        self.note(path)
        self.advance(by: isElement ? 2 : 1)
        return (table, path)
    }

    private func openTable(_ path: [String], isElement: Bool, in root: TOMLTable) throws(TOMLMistake) -> TOMLTable {
        var table = root
        for (index, part) in path.dropLast().enumerated() {
            switch table.members[part] {
            case nil:
                let inner = TOMLTable(.innerHeader)
                table.members[part] = .table(inner)
                table = inner
            case .table(let inner): table = inner
            case .tables(let elements): table = elements[elements.count - 1]
            case .value: throw self.clash(path.prefix(index + 1), "is a value and no table")
            }
        }
        let name = path[path.count - 1]
        switch table.members[name] {
        case nil:
            let opened = TOMLTable(.header)
            table.members[name] = isElement ? .tables([opened]) : .table(opened)
            return opened
        case .tables(var elements) where isElement:
            let opened = TOMLTable(.header)
            // Taken out first, so that the array is not copied for each element.
            table.members[name] = nil
            elements.append(opened)
            table.members[name] = .tables(elements)
            return opened
        case .table(let known) where known.source == .innerHeader && !isElement:
            known.source = .header
            return known
        default:
            throw self.clash(path[...], "is there already")
        }
    }

    /// Reads `key = value` into a table.
    mutating func readPair(into table: TOMLTable, at path: [String]) throws(TOMLMistake) {
        let key = try self.readKey("a key")
        var table = table
        for (index, part) in key.dropLast().enumerated() {
            switch table.members[part] {
            case nil:
                let inner = TOMLTable(.dottedKey)
                table.members[part] = .table(inner)
                table = inner
            case .table(let inner) where inner.source == .dottedKey: table = inner
            default: throw self.clash((path + key).prefix(path.count + index + 1), "is there already")
            }
        }
        let name = key[key.count - 1]
        guard table.members[name] == nil else { throw self.clash((path + key)[...], "is there already") }
        guard self.next == UInt8(ascii: "=") else {
            throw self.mistake("expected \"=\" after the key, found \(self.nextDescription)")
        }
        self.note(path + key)
        self.advance()
        self.skipSpaces()
        table.members[name] = .value(try self.readValue(at: path + key))
    }

    /// Reads a key with its dots and quotes, and the spaces after it.
    private mutating func readKey(_ expected: String) throws(TOMLMistake) -> [String] {
        var parts: [String] = []
        while true {
            self.skipSpaces()
            switch self.next {
            case UInt8(ascii: "\""), UInt8(ascii: "'"): parts.append(try self.readLineString())
            default:
                let part = self.take(while: Self.belongsToBareKey)
                guard !part.isEmpty else { throw self.mistake("expected \(expected), found \(self.nextDescription)") }
                parts.append(String(decoding: part, as: UTF8.self))
            }
            guard parts.count <= Self.maximumDepth else {
                throw self.mistake("a key has no more than \(Self.maximumDepth) parts")
            }
            self.skipSpaces()
            guard self.next == UInt8(ascii: ".") else { return parts }
            self.advance()
        }
    }

    private static func isBareKey(_ part: String) -> Bool {
        !part.isEmpty && part.utf8.allSatisfy(Self.belongsToBareKey)
    }

    private static func belongsToBareKey(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    /// Remembers a path, and every beginning of it, where it was first seen.
    private mutating func note(_ path: [String]) {
        for count in 1...path.count where self.lines[Array(path.prefix(count))] == nil {
            self.lines[Array(path.prefix(count))] = self.line
        }
    }

    private func clash(_ path: ArraySlice<String>, _ reason: String) -> TOMLMistake {
        let name = path.map { Self.isBareKey($0) ? $0 : $0.debugDescription }.joined(separator: ".")
        return TOMLMistake(line: self.line, reason: "\(name) \(reason)", earlierLine: self.lines[Array(path)])
    }
}
