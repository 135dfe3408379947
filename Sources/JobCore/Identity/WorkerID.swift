/// The name that a worker process gave itself (`wid` on the wire); empty for a connection that named none.
///
/// Two names are the same when their bytes are.
public struct WorkerID: Hashable, Sendable, CustomStringConvertible {
    public let text: String

    public init(_ text: String) {
        self.text = text
    }

    public var description: String { self.text }

    public static func == (left: WorkerID, right: WorkerID) -> Bool {
        left.text.hasSameBytes(as: right.text)
    }

    public func hash(into hasher: inout Hasher) {
        self.text.hashBytes(into: &hasher)
    }
}
