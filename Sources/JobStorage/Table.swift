package import JobCore

/// A table of the data that a feature has: names of any bytes, each with a record.
///
/// A table is declared here alone. The transaction, both stores, what FLUSH does and the conformance suite go by the
/// declaration.
package enum Table: String, Hashable, Sendable, CaseIterable {
    /// Who holds the lock of a unique job, by the key of the lock.
    case locks

    /// Whether a flush empties it.
    package var isFlushed: Bool {
        switch self {
        case .locks: true
        }
    }

    /// Whether its records have an end, by which they are found when they are to go.
    package var hasEnds: Bool {
        switch self {
        case .locks: true
        }
    }
}

/// A record of a table.
package struct TableRecord: Hashable, Sendable {
    /// What the feature keeps, in a form of its own.
    package var body: [UInt8]
    /// When the record counts no longer; nil in a table whose records have no end.
    package var end: WallTime?

    package init(_ body: [UInt8], end: WallTime? = nil) {
        self.body = body
        self.end = end
    }
}
