import FaktoryWire
import JobCore
import NIOCore

/// One line for the server, and whether it does no harm when the server gets it twice.
struct Command: Sendable {
    /// The line, its end included.
    let line: ByteBuffer
    /// Whether it may be sent again when it is unknown what became of it.
    let isRepeatable: Bool

    /// - Parameters:
    ///   - verb: the verb, and its sub-command if it has one.
    ///   - argument: what follows; it must hold no line break.
    init(_ verb: StaticString, _ argument: some Collection<UInt8> = [UInt8](), isRepeatable: Bool) {
        var line = ByteBuffer()
        line.writeStaticString(verb)
        if !argument.isEmpty {
            line.writeInteger(UInt8(ascii: " "))
            line.writeBytes(argument)
        }
        line.writeStaticString("\r\n")
        self.line = line
        self.isRepeatable = isRepeatable
    }

    init(_ verb: StaticString, _ argument: JSONValue, isRepeatable: Bool) {
        self.init(verb, argument.encoded, isRepeatable: isRepeatable)
    }

    /// A command whose argument is the names of queues.
    ///
    /// - Throws: ``FaktoryError/Code/invalidName``: a name with a space or a line break would be another command.
    init(_ verb: StaticString, queues: [String], isRepeatable: Bool) throws(FaktoryError) {
        guard !queues.isEmpty else { throw FaktoryError(.invalidName, "no queue is named") }
        for name in queues where !Self.isQueueName(name) {
            throw FaktoryError(
                .invalidName,
                "a queue's name has letters, digits, '.', '_' and '-' only: \(name.debugDescription)"
            )
        }
        self.init(verb, queues.joined(separator: " ").utf8, isRepeatable: isRepeatable)
    }

    private static func isQueueName(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}
