extension RedisReplyView {
    /// Throws `.refused` if this is an error.
    package func requireSuccess() throws(RedisError) {
        if let error { throw .refused(error) }
    }

    /// Throws unless this is the status `OK`.
    package func requireOK(to command: String) throws(RedisError) {
        try self.requireSuccess()
        guard self.kind == .status, self.string == "OK" else { throw .unexpectedReply(to: command) }
    }

    /// The number, which is all that `command` may answer.
    package func requireInteger(to command: String) throws(RedisError) -> Int {
        try self.requireSuccess()
        guard let integer else { throw .unexpectedReply(to: command) }
        return integer
    }

    /// The number of elements of the array, which is all that `command` may answer.
    package func requireArray(to command: String) throws(RedisError) -> Int {
        try self.requireSuccess()
        guard self.kind == .array else { throw .unexpectedReply(to: command) }
        return self.count
    }
}
