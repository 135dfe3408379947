import Logging

/// One line of the log, as bytes with its line end.
///
/// No line is longer than ``longest`` bytes, so that a single write of it stays whole even in a pipe that several
/// processes share. What does not fit is cut, and the line then says `truncated`. No value can begin a new line or
/// disturb a terminal: control characters, and those that reorder text, are escaped.
struct LogLine {
    /// `PIPE_BUF` of Linux: the most bytes that a pipe takes in one piece.
    static let longest = 4_096
    static let longestMessage = 2_048
    static let longestValue = 1_024
    /// Room for the mark of a cut line and the line end.
    private static let reserve = 24

    private(set) var bytes: [UInt8] = []
    private let format: LogSection.Format
    private var isTruncated = false

    init(
        _ message: String,
        level: Logger.Level,
        metadata: [(key: String, value: String)],
        milliseconds: Int,
        format: LogSection.Format,
        isColoured: Bool
    ) {
        self.format = format
        self.bytes.reserveCapacity(256)
        switch format {
        case .text: self.appendTextHead(level: level, milliseconds: milliseconds, isColoured: isColoured)
        case .json: self.appendJSONHead(level: level, milliseconds: milliseconds)
        }
        self.appendEscaped(message, longest: Self.longestMessage)
        if format == .json { self.append("\"") }
        for (key, value) in metadata where !self.appendPair(key, value) { break }
        self.appendEnd()
    }

    private mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { self.bytes.append(contentsOf: $0) }
    }

    private mutating func appendTextHead(level: Logger.Level, milliseconds: Int, isColoured: Bool) {
        if isColoured { self.append(level.colour) }
        self.bytes.append(level.letter)
        if isColoured { self.append("\u{1B}[0m") }
        self.append(" ")
        LogTimestamp.append(milliseconds: milliseconds, to: &self.bytes)
        self.append(" ")
    }

    private mutating func appendJSONHead(level: Logger.Level, milliseconds: Int) {
        self.append("{\"time\":\"")
        LogTimestamp.append(milliseconds: milliseconds, to: &self.bytes)
        self.append("\",\"level\":\"")
        self.bytes.append(contentsOf: level.rawValue.utf8)
        self.append("\",\"message\":\"")
    }

    /// Appends a pair if it fits; otherwise leaves the line as it was and marks it as cut.
    private mutating func appendPair(_ key: String, _ value: String) -> Bool {
        let before = self.bytes.count
        switch self.format {
        case .text:
            self.append(" ")
            self.appendWord(key)
            self.append("=")
            self.appendWord(value)
        case .json:
            self.append(",\"")
            self.appendEscaped(key, longest: Self.longestValue)
            self.append("\":\"")
            self.appendEscaped(value, longest: Self.longestValue)
            self.append("\"")
        }
        guard self.bytes.count + Self.reserve > Self.longest else { return true }
        self.bytes.removeSubrange(before...)
        self.isTruncated = true
        return false
    }

    private mutating func appendEnd() {
        switch (self.format, self.isTruncated) {
        case (.text, false): self.append("\n")
        case (.text, true): self.append(" truncated=true\n")
        case (.json, false): self.append("}\n")
        case (.json, true): self.append(",\"truncated\":true}\n")
        }
    }

    /// Appends a key or value of a text line, in quotes when it is not one plain word.
    private mutating func appendWord(_ text: String) {
        let isPlain =
            !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x22 && $0 != 0x3D && $0 != 0x5C && $0 < 0x7F }
        if !isPlain { self.append("\"") }
        self.appendEscaped(text, longest: Self.longestValue, isQuoted: !isPlain)
        if !isPlain { self.append("\"") }
    }

    /// Appends text with what could disturb a reader escaped, up to a number of bytes.
    private mutating func appendEscaped(_ text: String, longest: Int, isQuoted: Bool = false) {
        let limit = self.bytes.count + longest
        let escapesQuotes = isQuoted || self.format == .json
        for scalar in text.unicodeScalars {
            let before = self.bytes.count
            switch scalar {
            case "\n": self.append("\\n")
            case "\r": self.append("\\r")
            case "\t": self.append("\\t")
            case "\"" where escapesQuotes: self.append("\\\"")
            case "\\" where escapesQuotes: self.append("\\\\")
            case _ where scalar.disturbsALine: self.appendHexadecimal(scalar.value)
            default: self.bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            }
            if self.bytes.count > limit {
                self.bytes.removeSubrange(before...)
                self.isTruncated = true
                return
            }
        }
    }

    /// Appends `\u` and four digits; what disturbs a line lies below `U+FFFF`.
    private mutating func appendHexadecimal(_ value: UInt32) {
        self.append("\\u")
        for shift in [12, 8, 4, 0] {
            let digit = UInt8(truncatingIfNeeded: value >> UInt32(shift) & 0xF)
            self.bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }
}

extension Unicode.Scalar {
    /// Control characters, line separators, and marks that change the direction of text.
    fileprivate var disturbsALine: Bool {
        switch self.value {
        case 0x00...0x1F, 0x7F...0x9F, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF: true
        default: false
        }
    }
}

extension Logger.Level {
    /// Faktory's letter for the level.
    var letter: UInt8 {
        switch self {
        case .trace, .debug: UInt8(ascii: "D")
        case .info, .notice: UInt8(ascii: "I")
        case .warning: UInt8(ascii: "W")
        case .error: UInt8(ascii: "E")
        case .critical: UInt8(ascii: "F")
        }
    }

    fileprivate var colour: StaticString {
        switch self {
        case .trace, .debug: "\u{1B}[37m"
        case .info, .notice: "\u{1B}[34m"
        case .warning: "\u{1B}[33m"
        case .error, .critical: "\u{1B}[31m"
        }
    }
}
