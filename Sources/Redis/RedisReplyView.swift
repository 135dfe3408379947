import CHiredis

/// A look at an answer of Redis, or at one element of it; good only while the `RedisReply` that it is part of lives.
package struct RedisReplyView {
    /// What an answer can be.
    package enum Kind: Sendable {
        /// A short text without line ends, such as `OK`.
        case status
        /// Bytes.
        case bulk
        case integer
        /// No such thing; also the answer of an `EXEC` whose `WATCH` failed.
        case null
        case array
        case error
    }

    private let raw: UnsafePointer<redisReply>

    init(_ raw: UnsafePointer<redisReply>) {
        self.raw = raw
    }

    package var kind: Kind {
        switch self.raw.pointee.type {
        case REDIS_REPLY_STATUS: .status
        case REDIS_REPLY_STRING: .bulk
        case REDIS_REPLY_INTEGER: .integer
        case REDIS_REPLY_NIL: .null
        case REDIS_REPLY_ARRAY: .array
        default: .error
        }
    }

    package var isNull: Bool { self.kind == .null }

    /// The number, if it is one.
    package var integer: Int? {
        self.kind == .integer ? Int(self.raw.pointee.integer) : nil
    }

    /// The text, code first, if it is an error.
    package var error: String? {
        self.kind == .error ? self.withText { String(decoding: $0, as: UTF8.self) } : nil
    }

    /// How many elements an array has; 0 for everything else.
    package var count: Int {
        self.kind == .array ? self.raw.pointee.elements : 0
    }

    /// Lends the bytes of a bulk or status for the time of the call; nil for everything else.
    package func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        guard self.kind == .bulk || self.kind == .status else { return nil }
        return try self.withText(body)
    }

    /// A copy of the bytes of a bulk or status; nil for everything else.
    package var bytes: [UInt8]? {
        self.withBytes { Array($0) }
    }

    /// The bytes of a bulk or status as text, with what is not UTF-8 repaired; nil for everything else.
    package var string: String? {
        self.withBytes { String(decoding: $0, as: UTF8.self) }
    }

    /// Lends an element of an array for the time of the call.
    package func withElement<Result, Failure: Error>(
        _ index: Int,
        _ body: (RedisReplyView) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        precondition(self.count > index && index >= 0, "no element \(index) among \(self.count)")
        guard let element = self.raw.pointee.element[index] else {
            preconditionFailure("element \(index) of \(self.count) was never read")
        }
        return try body(RedisReplyView(element))
    }

    private func withText<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(start: self.raw.pointee.str, count: self.raw.pointee.len))
    }
}
