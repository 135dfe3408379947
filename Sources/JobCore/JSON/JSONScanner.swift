/// A strict walker over JSON bytes that checks everything, and builds nothing.
///
/// It accepts exactly the grammar of RFC 8259 in valid UTF-8; a lone surrogate escape is accepted, as Go does.
/// It allocates nothing unless it throws, and never recurses, so that no input can overflow the stack.
///
/// The buffer must outlive the scanner: use it inside `withUnsafeBufferPointer` only.
package struct JSONScanner {
    /// How many arrays and objects may be open at once.
    package static let maximumDepth = 512

    let bytes: UnsafeBufferPointer<UInt8>
    /// The next byte to be looked at.
    package private(set) var position: Int
    /// Whether a CR or LF stood between two tokens so far.
    private(set) var sawLineBreak = false

    package init(_ bytes: UnsafeBufferPointer<UInt8>, at position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    // MARK: Walking

    /// Looks at the next byte, which has to be there.
    @inline(__always)
    package func current() throws(JSONError) -> UInt8 {
        guard self.position < self.bytes.count else { throw .endOfInput(at: self.position) }
        return self.bytes[self.position]
    }

    /// Steps over one byte that the caller has looked at.
    @inline(__always)
    mutating func advance() {
        self.position += 1
    }

    /// Goes on at a place that the caller has found.
    @inline(__always)
    mutating func move(to position: Int) {
        self.position = position
    }

    /// Steps over white space.
    @inline(__always)
    package mutating func skipWhitespace() {
        while self.position < self.bytes.count {
            switch self.bytes[self.position] {
            case UInt8(ascii: " "), UInt8(ascii: "\t"): break
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"): self.sawLineBreak = true
            default: return
            }
            self.position += 1
        }
    }

    /// Steps over white space and makes sure that nothing comes after it.
    package mutating func finish() throws(JSONError) {
        self.skipWhitespace()
        guard self.position == self.bytes.count else { throw self.unexpected("after top-level value") }
    }

    /// Enters the object or array whose opening byte is next, and says whether it has something in it.
    package mutating func open(closedBy closing: UInt8) throws(JSONError) -> Bool {
        self.advance()
        self.skipWhitespace()
        guard try self.current() == closing else { return true }
        self.advance()
        return false
    }

    /// Steps over a key and its colon up to the value; answers where the key's text stands between its quotes.
    @inline(__always)
    package mutating func scanKey() throws(JSONError) -> Range<Int> {
        guard try self.current() == UInt8(ascii: "\"") else {
            throw self.unexpected("looking for beginning of object key string")
        }
        let key = try self.scanString()
        self.skipWhitespace()
        guard try self.current() == UInt8(ascii: ":") else { throw self.unexpected("after object key") }
        self.advance()
        self.skipWhitespace()
        return key
    }

    /// After a member's value: true when another member follows, false when the object has been closed.
    @inline(__always)
    package mutating func continueObject() throws(JSONError) -> Bool {
        try self.continueContainer(closedBy: UInt8(ascii: "}"), or: "after object key:value pair")
    }

    /// After an element: true when another element follows, false when the array has been closed.
    @inline(__always)
    package mutating func continueArray() throws(JSONError) -> Bool {
        try self.continueContainer(closedBy: UInt8(ascii: "]"), or: "after array element")
    }

    @inline(__always)
    private mutating func continueContainer(closedBy closing: UInt8, or context: StaticString) throws(JSONError) -> Bool
    {
        self.skipWhitespace()
        let byte = try self.current()
        guard byte == UInt8(ascii: ",") || byte == closing else { throw self.unexpected("\(context)") }
        self.advance()
        guard byte != closing else { return false }
        self.skipWhitespace()
        return true
    }

    // MARK: Values

    /// Steps over one whole value, checking all of it.
    ///
    /// - Parameter depth: how many objects and arrays are open around it.
    /// - Returns: the kind of the value.
    @discardableResult
    package mutating func skipValue(insideDepth depth: Int) throws(JSONError) -> JSONKind {
        let byte = try self.current()
        switch byte {
        case UInt8(ascii: "\""):
            _ = try self.scanString()
            return .string
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            try self.skipContainer(insideDepth: depth)
            return byte == UInt8(ascii: "{") ? .object : .array
        default:
            return try self.skipScalar(byte)
        }
    }

    private mutating func skipContainer(insideDepth outerDepth: Int) throws(JSONError) {
        var nesting = Nesting(outerDepth: outerDepth)
        nextValue: while true {
            switch try self.current() {
            case UInt8(ascii: "{"):
                guard nesting.enter(.object) else { throw .tooDeep(at: self.position) }
                if try self.open(closedBy: UInt8(ascii: "}")) {
                    _ = try self.scanKey()
                    continue nextValue
                }
                nesting.leave()
            case UInt8(ascii: "["):
                guard nesting.enter(.array) else { throw .tooDeep(at: self.position) }
                if try self.open(closedBy: UInt8(ascii: "]")) { continue nextValue }
                nesting.leave()
            case UInt8(ascii: "\""):
                _ = try self.scanString()
            case let byte:
                _ = try self.skipScalar(byte)
            }

            while nesting.isOpen {
                if nesting.isInObject {
                    if try self.continueObject() {
                        _ = try self.scanKey()
                        continue nextValue
                    }
                } else if try self.continueArray() {
                    continue nextValue
                }
                nesting.leave()
            }
            return
        }
    }

    private mutating func skipScalar(_ byte: UInt8) throws(JSONError) -> JSONKind {
        switch byte {
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            try self.skipNumber()
            return .number
        case UInt8(ascii: "n"):
            try self.skipLiteral("null")
            return .null
        case UInt8(ascii: "t"):
            try self.skipLiteral("true")
            return .bool
        case UInt8(ascii: "f"):
            try self.skipLiteral("false")
            return .bool
        default:
            throw self.unexpected("looking for beginning of value")
        }
    }

    private mutating func skipLiteral(_ literal: StaticString) throws(JSONError) {
        for index in 0..<literal.utf8CodeUnitCount {
            let expected = literal.utf8Start[index]
            guard try self.current() == expected else {
                throw self.unexpected("in literal \(literal) (expecting '\(Unicode.Scalar(expected))')")
            }
            self.advance()
        }
    }

    private mutating func skipNumber() throws(JSONError) {
        if self.bytes[self.position] == UInt8(ascii: "-") { self.advance() }
        if try self.current() == UInt8(ascii: "0") {
            self.advance()
        } else {
            try self.skipDigits(or: "in numeric literal")
        }
        if self.position < self.bytes.count, self.bytes[self.position] == UInt8(ascii: ".") {
            self.advance()
            try self.skipDigits(or: "after decimal point in numeric literal")
        }
        if self.position < self.bytes.count, self.bytes[self.position] | 0x20 == UInt8(ascii: "e") {
            self.advance()
            let sign = try self.current()
            if sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { self.advance() }
            try self.skipDigits(or: "in exponent of numeric literal")
        }
    }

    private mutating func skipDigits(or context: StaticString) throws(JSONError) {
        guard Self.isDigit(try self.current()) else { throw self.unexpected("\(context)") }
        repeat { self.advance() } while self.position < self.bytes.count && Self.isDigit(self.bytes[self.position])
    }

    @inline(__always)
    private static func isDigit(_ byte: UInt8) -> Bool {
        byte &- UInt8(ascii: "0") < 10
    }

    @inline(never)
    func unexpected(_ context: String) -> JSONError {
        guard self.position < self.bytes.count else { return .endOfInput(at: self.position) }
        return .unexpected(self.bytes[self.position], context, at: self.position)
    }
}

extension JSONScanner {
    /// Which of the open containers are objects: one bit each, so that no depth costs an allocation.
    private struct Nesting {
        private var objects = SIMD8<UInt64>()
        private var depth: Int
        private let outerDepth: Int

        init(outerDepth: Int) {
            self.outerDepth = outerDepth
            self.depth = outerDepth
        }

        var isOpen: Bool { self.depth > self.outerDepth }

        var isInObject: Bool {
            let index = self.depth - 1
            return self.objects[index >> 6] & (1 << UInt64(index & 63)) != 0
        }

        /// Goes one container deeper, unless that is too deep.
        mutating func enter(_ kind: JSONKind) -> Bool {
            guard self.depth < JSONScanner.maximumDepth else { return false }
            let bit: UInt64 = 1 << UInt64(self.depth & 63)
            if kind == .object {
                self.objects[self.depth >> 6] |= bit
            } else {
                self.objects[self.depth >> 6] &= ~bit
            }
            self.depth += 1
            return true
        }

        mutating func leave() {
            self.depth -= 1
        }
    }
}
