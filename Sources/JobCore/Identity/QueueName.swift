/// The name of a queue: letters, digits, `.`, `_` and `-`.
public struct QueueName: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The longest name in bytes.
    public static let maximumByteCount = 255

    /// The queue of jobs that name none.
    public static let `default` = QueueName(checked: "default")

    public let text: String

    /// Takes a name that is not empty, not too long, and has no other characters than those allowed.
    public init(parsing text: String) throws(JobRejection) {
        guard !text.isEmpty, text.utf8.allSatisfy(Self.isAllowed) else { throw .illegalQueueName(text) }
        guard text.utf8.count <= Self.maximumByteCount else { throw .overlongQueueName(byteCount: text.utf8.count) }
        self.text = text
    }

    private init(checked text: String) {
        self.text = text
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default:
            false
        }
    }

    public var description: String { self.text }

    public static func < (first: QueueName, second: QueueName) -> Bool {
        first.text < second.text
    }
}
