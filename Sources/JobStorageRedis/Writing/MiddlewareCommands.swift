import JobStorage

/// What middleware may send inside a transaction.
enum MiddlewareCommands {
    /// Commands that would end the transaction early, or change what the connection is.
    private static let forbidden: Set<String> = [
        "AUTH", "CLIENT", "DISCARD", "EXEC", "HELLO", "MONITOR", "MULTI", "PSUBSCRIBE", "PSYNC", "QUIT", "RESET",
        "SELECT", "SSUBSCRIBE", "SUBSCRIBE", "SYNC", "UNWATCH", "WATCH",
    ]

    /// Refuses commands that a transaction cannot hold, before anything is sent.
    static func check(_ commands: [[[UInt8]]]) throws(StorageError) {
        for command in commands {
            guard let verb = command.first else { throw .refused("a command of middleware is empty") }
            let name = String(decoding: verb, as: UTF8.self).uppercased()
            guard !Self.forbidden.contains(name) else { throw .refused("middleware may not send \(name)") }
        }
    }
}
