/// A value as its source gave it, before the setting that it is for has had a look.
package enum SettingValue: Sendable, Equatable {
    case text(String)
    case integer(Int)
    case decimal(Double)
    case boolean(Bool)
    case list([SettingValue])
    case table([String: SettingValue])
    /// Something that no setting takes, by the name of its type.
    case other(String)

    /// The value for an error message, with its type where that is what may be wrong.
    package var description: String {
        switch self {
        case .text(let text): "\"\(text)\""
        case .integer(let number): "\(number)"
        case .decimal(let number): "\(number)"
        case .boolean(let value): "the boolean \(value)"
        case .list: "an array"
        case .table: "a table"
        case .other(let type): "a \(type)"
        }
    }
}
