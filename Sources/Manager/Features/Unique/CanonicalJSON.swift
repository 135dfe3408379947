import JobCore

/// Writes a JSON value down in the one form that all texts of the same value share; made to be hashed, not to be read.
///
/// The members of an object are in the order of their names' bytes, the last of those with one name counts, a string counts
/// by its characters, and a number by its value: `1`, `1.0` and `10e-1` are the same, and no digit is lost. Numbers with an
/// exponent of more than 17 digits count by their text.
struct CanonicalJSON {
    /// The form of a whole value.
    ///
    /// - Parameter bound: how many values there may be.
    /// - Returns: nil when there are more, or more than so many levels.
    static func bytes(of value: ArraySlice<UInt8>, atMost bound: Int) -> [UInt8]? {
        let form = value.withUnsafeBufferPointer { bytes -> [UInt8]? in
            var writer = CanonicalJSON(bytes, left: bound)
            writer.scanner.skipWhitespace()
            var form: [UInt8] = []
            form.reserveCapacity(bytes.count + bytes.count / 2)
            do throws(JSONError) {
                try writer.append(to: &form, insideDepth: 0)
                return form
            } catch {
                return nil
            }
        }
        return form
    }

    private let bytes: UnsafeBufferPointer<UInt8>
    private var scanner: JSONScanner
    private var left: Int

    private init(_ bytes: UnsafeBufferPointer<UInt8>, left: Int) {
        self.bytes = bytes
        self.scanner = JSONScanner(bytes)
        self.left = left
    }

    private mutating func append(to form: inout [UInt8], insideDepth depth: Int) throws(JSONError) {
        let start = self.scanner.position
        self.left -= 1
        guard self.left >= 0, depth <= JSONValue.maximumDepth else {
            throw JSONError(message: "too large", offset: start)
        }
        switch try self.scanner.current() {
        case UInt8(ascii: "["): try self.appendArray(to: &form, insideDepth: depth)
        case UInt8(ascii: "{"): try self.appendObject(to: &form, insideDepth: depth)
        default: try self.appendScalar(to: &form, insideDepth: depth)
        }
    }

    private mutating func appendScalar(to form: inout [UInt8], insideDepth depth: Int) throws(JSONError) {
        let start = self.scanner.position
        switch try self.scanner.skipValue(insideDepth: depth) {
        case .string:
            let text = UnsafeBufferPointer(rebasing: self.bytes[(start + 1)..<(self.scanner.position - 1)])
            Self.append("s", Self.characters(of: text), to: &form)
        case .number:
            let text = UnsafeBufferPointer(rebasing: self.bytes[start..<self.scanner.position])
            Self.append("#", Self.canonical(number: text), to: &form)
        default:
            // The first letter tells `null`, `true` and `false` apart.
            form.append(self.bytes[start])
        }
    }

    private mutating func appendArray(to form: inout [UInt8], insideDepth depth: Int) throws(JSONError) {
        form.append(UInt8(ascii: "["))
        if try self.scanner.open(closedBy: UInt8(ascii: "]")) {
            repeat { try self.append(to: &form, insideDepth: depth + 1) } while try self.scanner.continueArray()
        }
        form.append(UInt8(ascii: "]"))
    }

    private mutating func appendObject(to form: inout [UInt8], insideDepth depth: Int) throws(JSONError) {
        var members: [(name: [UInt8], value: [UInt8])] = []
        if try self.scanner.open(closedBy: UInt8(ascii: "}")) {
            repeat {
                let key = try self.scanner.scanKey()
                var value: [UInt8] = []
                try self.append(to: &value, insideDepth: depth + 1)
                let name = Self.characters(of: UnsafeBufferPointer(rebasing: self.bytes[key]))
                members.append((name: name, value: value))
            } while try self.scanner.continueObject()
        }
        // Of those with one name, the last comes first, and the others are passed over.
        let order = members.indices.sorted { first, second in
            if members[first].name == members[second].name { return first > second }
            return members[first].name.lexicographicallyPrecedes(members[second].name)
        }
        form.append(UInt8(ascii: "{"))
        var before: [UInt8]?
        for index in order where members[index].name != before {
            before = members[index].name
            Self.append("s", members[index].name, to: &form)
            form += members[index].value
        }
        form.append(UInt8(ascii: "}"))
    }

    /// A part with its length, so that no two lists of parts look alike.
    private static func append(_ kind: Unicode.Scalar, _ bytes: [UInt8], to form: inout [UInt8]) {
        form.append(UInt8(ascii: kind))
        withUnsafeBytes(of: UInt32(bytes.count).littleEndian) { form.append(contentsOf: $0) }
        form += bytes
    }

    // MARK: Strings

    /// The characters between two quotes, as UTF-8; a lone surrogate as the three bytes that it would have.
    static func characters(of text: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        guard text.contains(UInt8(ascii: "\\")) else { return Array(text) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var index = 0
        while index < text.count {
            guard text[index] == UInt8(ascii: "\\") else {
                bytes.append(text[index])
                index += 1
                continue
            }
            index += Self.appendEscape(at: index, of: text, to: &bytes)
        }
        return bytes
    }

    /// Appends what an escape stands for; how many bytes it takes.
    private static func appendEscape(at index: Int, of text: UnsafeBufferPointer<UInt8>, to bytes: inout [UInt8]) -> Int
    {
        switch text[index + 1] {
        case UInt8(ascii: "b"): bytes.append(0x08)
        case UInt8(ascii: "f"): bytes.append(0x0C)
        case UInt8(ascii: "n"): bytes.append(0x0A)
        case UInt8(ascii: "r"): bytes.append(0x0D)
        case UInt8(ascii: "t"): bytes.append(0x09)
        case UInt8(ascii: "u"):
            let unit = Self.codeUnit(at: index + 2, of: text)
            if unit & 0xFC00 == 0xD800, index + 12 <= text.count, text[index + 6] == UInt8(ascii: "\\"),
                text[index + 7] == UInt8(ascii: "u"),
                case let low = Self.codeUnit(at: index + 8, of: text), low & 0xFC00 == 0xDC00
            {
                Self.append(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00), to: &bytes)
                return 12
            }
            Self.append(unit, to: &bytes)
            return 6
        case let byte: bytes.append(byte)
        }
        return 2
    }

    private static func codeUnit(at index: Int, of text: UnsafeBufferPointer<UInt8>) -> UInt32 {
        (index..<index + 4).reduce(0) { $0 << 4 | (HexadecimalDigits.value(of: text[$1]) ?? 0) }
    }

    private static func append(_ point: UInt32, to bytes: inout [UInt8]) {
        func tail(_ shift: UInt32) -> UInt8 { 0x80 | UInt8(point >> shift & 0x3F) }
        switch point {
        case ..<0x80: bytes.append(UInt8(point))
        case ..<0x800: bytes += [0xC0 | UInt8(point >> 6), tail(0)]
        case ..<0x10000: bytes += [0xE0 | UInt8(point >> 12), tail(6), tail(0)]
        default: bytes += [0xF0 | UInt8(point >> 18), tail(12), tail(6), tail(0)]
        }
    }

    // MARK: Numbers

    /// The digits that count, without zeros at either end, and the power of ten behind them.
    static func canonical(number text: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        let isNegative = text.first == UInt8(ascii: "-")
        let mantissaEnd = text.firstIndex { $0 | 0x20 == UInt8(ascii: "e") } ?? text.endIndex
        let mantissa = text[(isNegative ? 1 : 0)..<mantissaEnd]
        let point = mantissa.firstIndex(of: UInt8(ascii: "."))
        let fractionCount = point.map { mantissaEnd - $0 - 1 } ?? 0
        let digits = mantissa.filter { $0 != UInt8(ascii: ".") }
        guard let first = digits.firstIndex(where: { $0 != UInt8(ascii: "0") }),
            let last = digits.lastIndex(where: { $0 != UInt8(ascii: "0") })
        else { return [UInt8(ascii: "0")] }
        let written = text[mantissaEnd...].dropFirst()
        guard written.count <= 18, let power = written.isEmpty ? 0 : Int(String(decoding: written, as: UTF8.self))
        else { return Array(text) }
        let exponent = power - fractionCount + (digits.count - 1 - last)
        var form = isNegative ? [UInt8(ascii: "-")] : []
        form += digits[first...last]
        if exponent != 0 { form += "e\(exponent)".utf8 }
        return form
    }
}
