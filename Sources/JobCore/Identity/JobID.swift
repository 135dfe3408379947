/// The name that a client gave its job (`jid` on the wire).
///
/// A job that was accepted has one of 8 to 255 bytes; an acknowledgement may name anything. Two names are the same
/// when their bytes are, as they are to the store and to clients; Unicode's equivalences do not count.
public struct JobID: Hashable, Sendable, CustomStringConvertible {
    public let text: String

    public init(_ text: String) {
        self.text = text
    }

    public var description: String { self.text }

    public static func == (left: JobID, right: JobID) -> Bool {
        left.text.hasSameBytes(as: right.text)
    }

    public func hash(into hasher: inout Hasher) {
        self.text.hashBytes(into: &hasher)
    }
}
