/// The name that a client gave its job (`jid` on the wire).
///
/// A job that was accepted has one of 8 to 255 bytes; an acknowledgement may name anything.
public struct JobID: Hashable, Sendable, CustomStringConvertible {
    public let text: String

    public init(_ text: String) {
        self.text = text
    }

    public var description: String { self.text }
}
