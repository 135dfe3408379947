/// What a parser promised and did not keep.
package struct BrokenPromise: Error, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }

    /// Throws when a promise was not kept.
    static func unless(
        _ isKept: Bool,
        _ promise: @autoclosure () -> String
    ) throws(BrokenPromise) {
        guard isKept else { throw BrokenPromise(promise()) }
    }

    /// Throws unless a text may follow `-ERR `: one line without control characters, of bounded length.
    static func unlessOneLine(_ message: String) throws(BrokenPromise) {
        let isOneLine = message.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
        try Self.unless(isOneLine, "an error is one line: \(message.debugDescription)")
        try Self.unless(
            message.utf8.count <= Self.maximumMessageByteCount,
            "an error of \(message.utf8.count) bytes is too long"
        )
    }

    /// The text of a client that is repeated, and the words around it.
    private static let maximumMessageByteCount = 1_200
}
