import FaktoryWire
import JobCore

/// An argument of MUTATE is a mutation or an error, and its pattern matches what the rules of Redis say.
enum MutationPromises {
    /// The longest text that a pattern is tried on, in bytes: the second opinion takes a step for each pair of bytes.
    private static let maximumTextByteCount = 512

    /// The first line is the argument, the rest a text for its pattern.
    static func check(_ input: [UInt8]) throws(BrokenPromise) {
        let parts = input.split(separator: UInt8(ascii: "\n"), maxSplits: 1, omittingEmptySubsequences: false)
        let text = parts.count > 1 ? [UInt8](parts[1].prefix(self.maximumTextByteCount)) : []
        switch Command.parse(line: Array("MUTATE ".utf8)[...] + parts[0]) {
        case .rejected(let message):
            try BrokenPromise.unlessOneLine(message)
        case .mutate(let mutation):
            guard let pattern = mutation.filter?.pattern else { return }
            try self.check(pattern, on: text)
        case let other:
            throw BrokenPromise("MUTATE is no \(other)")
        }
        try self.checkLiteral(text)
    }

    private static func check(_ pattern: Glob, on text: [UInt8]) throws(BrokenPromise) {
        let byteCount = pattern.text.utf8.count
        try BrokenPromise.unless(byteCount <= Glob.maximumByteCount, "a pattern of \(byteCount) bytes is not taken")
        let isMatch = pattern.matches(text)
        let bytes = Array(pattern.text.utf8)
        guard !bytes.contains(where: { $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "\\") }) else { return }
        try BrokenPromise.unless(
            isMatch == self.secondOpinion(bytes, text),
            "\(pattern.text.debugDescription) matches \(text) or not"
        )
    }

    /// A text with each of its bytes escaped is a pattern for itself alone.
    private static func checkLiteral(_ bytes: [UInt8]) throws(BrokenPromise) {
        let text = String(decoding: bytes, as: UTF8.self)
        let escaped = text.unicodeScalars.map { $0.isASCII ? "\\\($0)" : "\($0)" }.joined()
        guard let literal = Glob(escaped) else { return }
        try BrokenPromise.unless(literal.matches(text), "a literal pattern matches its text")
        try BrokenPromise.unless(!literal.matches(text + "*"), "a literal pattern matches nothing longer")
    }

    /// Whether a pattern of `*`, `?` and plain bytes matches: for each start of it, which starts of the text do.
    private static func secondOpinion(_ pattern: [UInt8], _ text: [UInt8]) -> Bool {
        var matches = [Bool](repeating: false, count: text.count + 1)
        matches[0] = true
        for token in pattern {
            if token == UInt8(ascii: "*") {
                for end in 0..<text.count where matches[end] { matches[end + 1] = true }
            } else {
                for end in (0..<text.count).reversed() {
                    matches[end + 1] = matches[end] && (token == UInt8(ascii: "?") || token == text[end])
                }
                matches[0] = false
            }
        }
        return matches[text.count]
    }
}
