/// A message with a name for files and for what a test prints.
struct Sample<Message: Sendable>: Sendable, CustomStringConvertible {
    let name: String
    let message: Message

    init(_ name: String, _ message: Message) {
        self.name = name
        self.message = message
    }

    var description: String { self.name }
}
