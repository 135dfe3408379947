/// A pattern with the rules of Redis: `*`, `?`, `[a-z]`, `[^a-z]`, and `\` before a character that means itself.
///
/// Matching takes at most as many steps as the pattern has bytes times the text has (only the last `*` is ever tried
/// again), however many stars there are; the pattern's own length is bounded.
package struct Glob: Equatable, Sendable {
    /// The longest pattern in bytes.
    package static let maximumByteCount = 1024

    private enum Token: Equatable, Sendable {
        case anyRun
        case anyByte
        case byte(UInt8)
        case oneOf(ByteSet)
    }

    private struct ByteSet: Equatable, Sendable {
        private var words = SIMD4<UInt64>()

        func contains(_ byte: UInt8) -> Bool {
            self.words[Int(byte >> 6)] & (1 << UInt64(byte & 63)) != 0
        }

        mutating func insert(_ byte: UInt8) {
            self.words[Int(byte >> 6)] |= 1 << UInt64(byte & 63)
        }

        mutating func invert() {
            self.words = ~self.words
        }
    }

    /// The pattern as it was written.
    package let text: String
    private let tokens: [Token]

    /// Nil when the pattern is too long; every other text is a pattern.
    package init?(_ pattern: String) {
        guard pattern.utf8.count <= Self.maximumByteCount else { return nil }
        var tokens: [Token] = []
        var rest = Array(pattern.utf8)[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "*"): if tokens.last != .anyRun { tokens.append(.anyRun) }
            case UInt8(ascii: "?"): tokens.append(.anyByte)
            case UInt8(ascii: "["): tokens.append(.oneOf(Self.set(from: &rest)))
            case UInt8(ascii: "\\"): tokens.append(.byte(rest.popFirst() ?? byte))
            default: tokens.append(.byte(byte))
            }
        }
        self.text = pattern
        self.tokens = tokens
    }

    /// Reads up to the closing bracket, or to the end when there is none.
    private static func set(from rest: inout ArraySlice<UInt8>) -> ByteSet {
        var set = ByteSet()
        let isInverted = rest.first == UInt8(ascii: "^")
        if isInverted { rest.removeFirst() }
        while let byte = rest.popFirst(), byte != UInt8(ascii: "]") {
            if byte == UInt8(ascii: "\\"), let escaped = rest.popFirst() {
                set.insert(escaped)
            } else if rest.count >= 2, rest.first == UInt8(ascii: "-") {
                rest.removeFirst()
                let other = rest.removeFirst()
                for member in min(byte, other)...max(byte, other) { set.insert(member) }
            } else {
                set.insert(byte)
            }
        }
        if isInverted { set.invert() }
        return set
    }

    /// Whether the pattern matches the whole text.
    package func matches(_ text: [UInt8]) -> Bool {
        text.withUnsafeBufferPointer { self.matches($0) }
    }

    package func matches(_ text: String) -> Bool {
        self.matches(Array(text.utf8))
    }

    private func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        var tokenIndex = 0
        var textIndex = 0
        var lastRun: (token: Int, text: Int)?
        while textIndex < text.count {
            if tokenIndex < self.tokens.count {
                if self.tokens[tokenIndex] == .anyRun {
                    lastRun = (tokenIndex, textIndex)
                    tokenIndex += 1
                    continue
                }
                if Self.matches(self.tokens[tokenIndex], text[textIndex]) {
                    tokenIndex += 1
                    textIndex += 1
                    continue
                }
            }
            guard let run = lastRun else { return false }
            lastRun = (run.token, run.text + 1)
            tokenIndex = run.token + 1
            textIndex = run.text + 1
        }
        return self.tokens[tokenIndex...].allSatisfy { $0 == .anyRun }
    }

    private static func matches(_ token: Token, _ byte: UInt8) -> Bool {
        switch token {
        case .anyRun, .anyByte: true
        case .byte(let expected): expected == byte
        case .oneOf(let set): set.contains(byte)
        }
    }
}
