extension JSONScanner {
    /// Walks over a document that is one object, without building anything of it.
    ///
    /// - Parameter body: gets the text between a key's quotes, and the value with its quotes or brackets.
    /// - Returns: whether the document was an object.
    package static func forEachMember(
        of document: UnsafeBufferPointer<UInt8>,
        _ body: (_ key: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) -> Void
    ) throws(JSONError) -> Bool {
        var scanner = JSONScanner(document)
        scanner.skipWhitespace()
        guard try scanner.current() == UInt8(ascii: "{") else {
            try scanner.skipValue(insideDepth: 0)
            try scanner.finish()
            return false
        }
        if try scanner.open(closedBy: UInt8(ascii: "}")) {
            repeat {
                let key = try scanner.scanKey()
                let start = scanner.position
                try scanner.skipValue(insideDepth: 1)
                body(
                    UnsafeBufferPointer(rebasing: document[key]),
                    UnsafeBufferPointer(rebasing: document[start..<scanner.position])
                )
            } while try scanner.continueObject()
        }
        try scanner.finish()
        return true
    }
}
