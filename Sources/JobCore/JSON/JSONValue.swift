/// A JSON document as a tree, for the cold documents: HELLO, BEAT, FAIL, MUTATE and replies.
///
/// Numbers keep their text, and objects the order of their members and their duplicates, so that nothing that was
/// read is altered when it is written again. Jobs do not pass through it: they stay bytes.
package indirect enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    /// The number as it was written.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([Member])

    /// One key of an object and its value.
    package struct Member: Equatable, Sendable {
        package let key: String
        package let value: JSONValue

        package init(key: String, value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    /// How many arrays and objects may be open at once; the tree is built by recursion, hence less than a scanner takes.
    package static let maximumDepth = 64

    /// How many values a document may have unless it is read with another bound.
    ///
    /// What a client sends is read where others wait for it, and each value takes some hundred nanoseconds.
    package static let maximumCount = 100_000

    /// Reads a whole document, white space around it allowed.
    package init(
        parsing bytes: UnsafeBufferPointer<UInt8>,
        atMost count: Int = Self.maximumCount
    ) throws(JSONError) {
        var scanner = JSONScanner(bytes)
        scanner.skipWhitespace()
        var left = count
        self = try Self.read(from: &scanner, insideDepth: 0, left: &left)
        try scanner.finish()
    }

    /// Reads a whole document, white space around it allowed.
    package init(
        parsing bytes: some Collection<UInt8>,
        atMost count: Int = Self.maximumCount
    ) throws(JSONError) {
        let parsed = bytes.withContiguousStorageIfAvailable { Result.parsing($0, atMost: count) }
        self = try (parsed ?? Array(bytes).withUnsafeBufferPointer { Result.parsing($0, atMost: count) }).get()
    }

    /// Reads a whole document, white space around it allowed.
    package init(parsing text: String) throws(JSONError) {
        try self.init(parsing: text.utf8)
    }

    private static func read(
        from scanner: inout JSONScanner,
        insideDepth depth: Int,
        left: inout Int
    ) throws(JSONError) -> JSONValue {
        let start = scanner.position
        left -= 1
        guard left >= 0 else { throw JSONError(message: "too many values", offset: start) }
        switch try scanner.current() {
        case UInt8(ascii: "\""):
            let text = try scanner.scanString()
            return .string(JSONText.decode(UnsafeBufferPointer(rebasing: scanner.bytes[text])))
        case UInt8(ascii: "{"):
            guard depth < Self.maximumDepth else { throw .tooDeep(at: start) }
            return .object(try Self.readMembers(from: &scanner, insideDepth: depth + 1, left: &left))
        case UInt8(ascii: "["):
            guard depth < Self.maximumDepth else { throw .tooDeep(at: start) }
            return .array(try Self.readElements(from: &scanner, insideDepth: depth + 1, left: &left))
        case let byte:
            switch try scanner.skipValue(insideDepth: depth) {
            case .null: return .null
            case .bool: return .bool(byte == UInt8(ascii: "t"))
            default: return .number(String(decoding: scanner.bytes[start..<scanner.position], as: UTF8.self))
            }
        }
    }

    private static func readMembers(
        from scanner: inout JSONScanner,
        insideDepth depth: Int,
        left: inout Int
    ) throws(JSONError) -> [Member] {
        var members: [Member] = []
        guard try scanner.open(closedBy: UInt8(ascii: "}")) else { return members }
        repeat {
            let key = try scanner.scanKey()
            let value = try Self.read(from: &scanner, insideDepth: depth, left: &left)
            let name = JSONText.decode(UnsafeBufferPointer(rebasing: scanner.bytes[key]))
            members.append(Member(key: name, value: value))
        } while try scanner.continueObject()
        return members
    }

    private static func readElements(
        from scanner: inout JSONScanner,
        insideDepth depth: Int,
        left: inout Int
    ) throws(JSONError) -> [JSONValue] {
        var elements: [JSONValue] = []
        guard try scanner.open(closedBy: UInt8(ascii: "]")) else { return elements }
        repeat {
            elements.append(try Self.read(from: &scanner, insideDepth: depth, left: &left))
        } while try scanner.continueArray()
        return elements
    }
}

extension JSONValue {
    /// The value of the last member with this key whatever the case of its letters, as Go matches keys.
    ///
    /// Nil when there is none, when it is null, or when this value is no object.
    package func field(_ name: String) -> JSONValue? {
        guard case .object(let members) = self,
            let member = members.last(where: { JSONText.keysMatch($0.key, name) }),
            member.value != .null
        else { return nil }
        return member.value
    }

    /// The text of a string.
    package var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// The value of a number written as an integer that fits.
    package var integer: Int? {
        guard case .number(let text) = self else { return nil }
        return Int(text)
    }

    /// The texts of an array that holds strings only; a null among them counts as empty, as in Go.
    package var strings: [String]? {
        guard case .array(let elements) = self else { return nil }
        let strings = elements.compactMap { $0 == .null ? "" : $0.string }
        return strings.count == elements.count ? strings : nil
    }

    /// The kind of the value.
    package var kind: JSONKind {
        switch self {
        case .null: .null
        case .bool: .bool
        case .number: .number
        case .string: .string
        case .array: .array
        case .object: .object
        }
    }
}

extension JSONValue {
    /// The compact text of the document: no white space, members in their order.
    package var encoded: [UInt8] {
        var bytes: [UInt8] = []
        self.append(to: &bytes)
        return bytes
    }

    /// Appends the compact text of the document.
    package func append(to bytes: inout [UInt8]) {
        switch self {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
        case .number(let text): bytes.append(contentsOf: text.utf8)
        case .string(let text): JSONText.appendQuoted(text, to: &bytes)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                element.append(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                JSONText.appendQuoted(member.key, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                member.value.append(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral, ExpressibleByBooleanLiteral
{
    package init(stringLiteral value: String) {
        self = .string(value)
    }

    package init(integerLiteral value: Int) {
        self = .number(String(value))
    }

    package init(booleanLiteral value: Bool) {
        self = .bool(value)
    }

    package init(arrayLiteral elements: JSONValue...) {
        self = .array(elements)
    }

    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(elements.map { Member(key: $0.0, value: $0.1) })
    }
}

extension Result where Success == JSONValue, Failure == JSONError {
    fileprivate static func parsing(_ bytes: UnsafeBufferPointer<UInt8>, atMost count: Int) -> Self {
        do throws(JSONError) {
            return .success(try JSONValue(parsing: bytes, atMost: count))
        } catch {
            return .failure(error)
        }
    }
}
