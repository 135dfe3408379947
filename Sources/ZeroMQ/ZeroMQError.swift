import CZeroMQ
import Glibc

/// Everything that can go wrong in a call to ZeroMQ.
///
/// That a call would have to wait is no error: `send` answers false then, and `receive` nil.
package enum ZeroMQError: Error, Equatable {
    /// A router that must know its peers knows none of this identity.
    case hostUnreachable
    /// The context was shut down: close the sockets and go.
    case terminated
    /// The message is longer than the socket was told to take.
    case messageTooLarge(byteCount: Int, limit: Int)
    /// The text is not a key in Z85: 40 characters of its alphabet.
    case invalidKey
    /// Any other error, with its `errno` and what ZeroMQ says about it.
    case system(code: Int32, text: String)

    /// The error of the call that just failed on this thread.
    static func latest() -> ZeroMQError {
        ZeroMQError(code: zmq_errno())
    }

    init(code: Int32) {
        switch code {
        case EHOSTUNREACH: self = .hostUnreachable
        case millrace_zmq_terminated: self = .terminated
        default: self = .system(code: code, text: String(cString: zmq_strerror(code)))
        }
    }
}
