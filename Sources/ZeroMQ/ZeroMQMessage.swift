import CZeroMQ

/// One frame as it was received, in the memory in which ZeroMQ received it.
package struct ZeroMQMessage: ~Copyable {
    private let raw: zmq_msg_t

    /// Takes over a message that has been initialised; it must not be used elsewhere afterwards.
    init(adopting raw: zmq_msg_t) {
        self.raw = raw
    }

    deinit {
        // The bytes of a message may be moved freely, as ZeroMQ itself does it; only one copy may be closed.
        var raw = self.raw
        zmq_msg_close(&raw)
    }

    /// The number of bytes.
    package var count: Int {
        withUnsafePointer(to: self.raw) { zmq_msg_size($0) }
    }

    /// Whether another frame of the same message follows; it can be received without waiting.
    package var more: Bool {
        withUnsafePointer(to: self.raw) { zmq_msg_more($0) } != 0
    }

    /// Lends the bytes for the time of the call.
    package func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // A short message holds its bytes within itself, so they have an address only as long as it has.
        try withUnsafePointer(to: self.raw) { pointer throws(Failure) in
            let data = zmq_msg_data(UnsafeMutablePointer(mutating: pointer))
            return try body(UnsafeRawBufferPointer(start: data, count: zmq_msg_size(pointer)))
        }
    }

    /// Whom the handler of ZAP took the sender for; nil where nobody was asked.
    package var userID: String? {
        withUnsafePointer(to: self.raw) { pointer in zmq_msg_gets(pointer, "User-Id").map { String(cString: $0) } }
    }

    /// A copy of the bytes.
    package var bytes: [UInt8] {
        self.withUnsafeBytes { Array($0) }
    }
}
