/// Text of a client as it may be repeated to it in an error, which is one line of bounded length.
package struct EchoedText: Sendable, Equatable, CustomStringConvertible {
    /// How many bytes are repeated at most; what is cut off is marked with `...`.
    package static let maximumByteCount = 1000

    /// The text without control characters, each of which has become a `?`.
    package let description: String

    package init(_ text: String) {
        self.init(cut: text, wasCut: false)
    }

    package init(_ bytes: some Collection<UInt8>) {
        // A little more than the bound is decoded, so that the cut falls between characters.
        let decoded = String(decoding: bytes.prefix(Self.maximumByteCount + 4), as: UTF8.self)
        self.init(cut: decoded, wasCut: bytes.count > Self.maximumByteCount)
    }

    private init(cut text: String, wasCut: Bool) {
        let kept = text.cut(toByteCount: Self.maximumByteCount)
        var scalars = String.UnicodeScalarView()
        for scalar in kept.unicodeScalars {
            let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
            scalars.append(isControl ? "?" : scalar)
        }
        if wasCut || kept.utf8.count < text.utf8.count { scalars.append(contentsOf: "...".unicodeScalars) }
        self.description = String(scalars)
    }
}

extension String {
    /// The longest start of the text that has at most so many bytes and ends between two characters (scalars).
    package func cut(toByteCount byteCount: Int) -> String {
        guard self.utf8.count > byteCount else { return self }
        var end = self.utf8.index(self.utf8.startIndex, offsetBy: byteCount)
        while end > self.utf8.startIndex, self.utf8[end] & 0xC0 == 0x80 { end = self.utf8.index(before: end) }
        return String(self[..<end])
    }
}
