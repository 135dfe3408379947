/// A password, which never shows itself.
///
/// Printing, interpolating, dumping or reflecting it gives `********`; only ``value`` gives the text.
package struct Secret: Sendable, Equatable {
    /// What stands for every secret in what is printed.
    package static let mask = "********"

    package let value: String

    package init(_ value: String) {
        self.value = value
    }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { Self.mask }
    package var debugDescription: String { Self.mask }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
