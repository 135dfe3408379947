import JobCore

/// Writes a JSON value down in the one form that all texts of the same value share.
///
/// The members of an object are in the order of their names' bytes, the last of those with one name counts, and a number
/// counts by its value: `1`, `1.0` and `10e-1` are the same, and no digit is lost.
struct CanonicalJSON {
    private(set) var bytes: [UInt8] = []

    init(_ value: JSONValue) {
        self.append(value)
    }

    private mutating func append(_ value: JSONValue) {
        switch value {
        case .null: self.bytes += "null".utf8
        case .bool(let isTrue): self.bytes += (isTrue ? "true" : "false").utf8
        case .number(let text): self.bytes += Self.canonical(number: text).utf8
        case .string(let text): JSONText.appendQuoted(text, to: &self.bytes)
        case .array(let elements): self.append(elements)
        case .object(let members): self.append(members)
        }
    }

    private mutating func append(_ elements: [JSONValue]) {
        self.bytes.append(UInt8(ascii: "["))
        for (index, element) in elements.enumerated() {
            if index > 0 { self.bytes.append(UInt8(ascii: ",")) }
            self.append(element)
        }
        self.bytes.append(UInt8(ascii: "]"))
    }

    private mutating func append(_ members: [JSONValue.Member]) {
        // By their bytes: `String` takes texts for equal that only look alike.
        let named = Dictionary(members.map { (Array($0.key.utf8), $0.value) }, uniquingKeysWith: { _, last in last })
        self.bytes.append(UInt8(ascii: "{"))
        for (index, (name, value)) in named.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }).enumerated() {
            if index > 0 { self.bytes.append(UInt8(ascii: ",")) }
            JSONText.appendQuoted(String(decoding: name, as: UTF8.self), to: &self.bytes)
            self.bytes.append(UInt8(ascii: ":"))
            self.append(value)
        }
        self.bytes.append(UInt8(ascii: "}"))
    }

    /// The digits that count, without zeros at either end, and the power of ten behind them.
    static func canonical(number text: String) -> String {
        let isNegative = text.utf8.first == UInt8(ascii: "-")
        let parts = text.split(whereSeparator: { $0 == "e" || $0 == "E" })
        let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        let fraction = mantissa.count > 1 ? mantissa[1] : ""
        let digits = mantissa[0].drop { $0 == "-" } + fraction
        let significant = digits.drop { $0 == "0" }
        guard !significant.isEmpty else { return "0" }
        let zeroCount = significant.reversed().prefix { $0 == "0" }.count
        // An exponent that no machine has is as good as the greatest that there is.
        let written = parts.count > 1 ? Int(parts[1]) ?? (parts[1].hasPrefix("-") ? -(.max / 2) : .max / 2) : 0
        let exponent = min(max(written, -(.max / 2)), .max / 2) - fraction.utf8.count + zeroCount
        return (isNegative ? "-" : "") + significant.dropLast(zeroCount) + (exponent == 0 ? "" : "e\(exponent)")
    }
}
