import CHiredis

/// An answer of Redis, in the memory in which it was read.
package struct RedisReply: ~Copyable {
    private let raw: UnsafeMutablePointer<redisReply>

    /// Takes over an answer from the reader.
    init(adopting raw: UnsafeMutablePointer<redisReply>) {
        self.raw = raw
    }

    deinit {
        freeReplyObject(self.raw)
    }

    /// Lends the answer in the form that its elements have, for the time of the call.
    package func withView<Result, Failure: Error>(
        _ body: (RedisReplyView) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(self.view)
    }

    /// It must not leave this file: nothing but the reply keeps it alive.
    private var view: RedisReplyView { RedisReplyView(self.raw) }
}

/// What `RedisReplyView` says about the answer as a whole.
extension RedisReply {
    package var kind: RedisReplyView.Kind { self.view.kind }
    package var isNull: Bool { self.view.isNull }
    package var integer: Int? { self.view.integer }
    package var error: String? { self.view.error }
    package var count: Int { self.view.count }
    package var bytes: [UInt8]? { self.view.bytes }
    package var string: String? { self.view.string }

    package func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        try self.view.withBytes(body)
    }

    package func withElement<Result, Failure: Error>(
        _ index: Int,
        _ body: (RedisReplyView) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try self.view.withElement(index, body)
    }

    package func requireSuccess() throws(RedisError) { try self.view.requireSuccess() }

    package func requireOK(to command: String) throws(RedisError) { try self.view.requireOK(to: command) }

    package func requireInteger(to command: String) throws(RedisError) -> Int {
        try self.view.requireInteger(to: command)
    }

    package func requireArray(to command: String) throws(RedisError) -> Int {
        try self.view.requireArray(to: command)
    }
}
