/// A pattern with the rules of Redis: `*`, `?`, `[a-z]`, `[^a-z]`, and `\` before a character that means itself.
///
/// All places of the pattern where the text may have got to are followed at once, as the bits of a few words. Each byte
/// of the text is looked at once and costs a step for every 64 characters of the pattern, whatever they are: nothing is ever
/// tried again. The pattern's own length is bounded.
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
    /// How many tokens match one byte each; the text has got to place n when it has matched n of them.
    private let length: Int
    /// How many words hold a bit for each place, the last one included.
    private let wordCount: Int
    /// For each byte, words with the bits of the places that it leads on from.
    private var steps: [UInt64]
    /// The bits of the places in front of which stands a `*`, so that any byte may be passed over there.
    private var loops: [UInt64]

    /// How many steps a byte of a text takes.
    package var stepsPerByte: Int { self.wordCount }

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
        self.length = tokens.count { $0 != .anyRun }
        self.wordCount = self.length / 64 + 1
        self.steps = [UInt64](repeating: 0, count: 256 * self.wordCount)
        self.loops = [UInt64](repeating: 0, count: self.wordCount)
        var place = 0
        for token in tokens {
            if token == .anyRun {
                self.loops[place / 64] |= 1 << UInt64(place % 64)
            } else {
                self.addSteps(of: token, from: place)
                place += 1
            }
        }
    }

    private mutating func addSteps(of token: Token, from place: Int) {
        let bit: UInt64 = 1 << UInt64(place % 64)
        for byte in UInt8.min ... .max where Self.matches(token, byte) {
            self.steps[Int(byte) * self.wordCount + place / 64] |= bit
        }
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
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: self.wordCount) { places in
            places.initialize(repeating: 0)
            places[0] = 1
            let endWord = self.length / 64
            let endBit: UInt64 = 1 << UInt64(self.length % 64)
            let isOpenEnded = self.loops[endWord] & endBit != 0
            for byte in text {
                guard self.step(by: byte, places) else { return false }
                // Whatever follows is passed over.
                if isOpenEnded, places[endWord] & endBit != 0 { return true }
            }
            return places[endWord] & endBit != 0
        }
    }

    /// Goes on by a byte; false when that leads to no place.
    private func step(by byte: UInt8, _ places: UnsafeMutableBufferPointer<UInt64>) -> Bool {
        let row = Int(byte) * self.wordCount
        var carried: UInt64 = 0
        var found: UInt64 = 0
        for word in 0..<self.wordCount {
            let advancing = places[word] & self.steps[row + word]
            places[word] = advancing << 1 | carried | places[word] & self.loops[word]
            carried = advancing >> 63
            found |= places[word]
        }
        return found != 0
    }

    private static func matches(_ token: Token, _ byte: UInt8) -> Bool {
        switch token {
        case .anyRun, .anyByte: true
        case .byte(let expected): expected == byte
        case .oneOf(let set): set.contains(byte)
        }
    }
}
