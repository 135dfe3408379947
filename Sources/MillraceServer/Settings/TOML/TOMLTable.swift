/// A table while its document is being read.
///
/// What may still be added to a table depends on how it came to be, which nobody needs to know once the document has
/// been read to its end.
final class TOMLTable {
    /// What brought the table into being.
    enum Source {
        /// A header of its own: it may not have another.
        case header
        /// The header of a table inside it: its own may still follow.
        case innerHeader
        /// A dotted key: more dotted keys may add to it, and no header.
        case dottedKey
    }

    /// What a key stands for.
    enum Member {
        case value(SettingValue)
        case table(TOMLTable)
        /// An array of tables, to which each `[[header]]` adds one; never empty.
        case tables([TOMLTable])
    }

    var source: Source
    var members: [String: Member] = [:]

    init(_ source: Source) {
        self.source = source
    }

    /// The finished table.
    var values: [String: SettingValue] {
        self.members.mapValues { member in
            switch member {
            case .value(let value): value
            case .table(let table): .table(table.values)
            case .tables(let tables): .list(tables.map { .table($0.values) })
            }
        }
    }
}
