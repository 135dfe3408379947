/// The six kinds of JSON value, which the first byte tells apart.
package enum JSONKind: Sendable {
    case null
    case bool
    case number
    case string
    case array
    case object

    /// The name that Go's decoder uses in its error texts.
    package var name: String {
        switch self {
        case .null: "null"
        case .bool: "bool"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }

    /// The kind of a value that has already been checked and starts with `byte`.
    @inline(__always)
    package init(startingWith byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): self = .string
        case UInt8(ascii: "{"): self = .object
        case UInt8(ascii: "["): self = .array
        case UInt8(ascii: "n"): self = .null
        case UInt8(ascii: "t"), UInt8(ascii: "f"): self = .bool
        default: self = .number
        }
    }
}
