/// The name that a worker process gave itself (`wid` on the wire); empty for a connection that named none.
public struct WorkerID: Hashable, Sendable, CustomStringConvertible {
    public let text: String

    public init(_ text: String) {
        self.text = text
    }

    public var description: String { self.text }
}
