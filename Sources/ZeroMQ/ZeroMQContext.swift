import CZeroMQ
import Glibc

/// The I/O threads that sockets share, and the space of their `inproc` names.
///
/// Every socket keeps its context alive, so that it ends after the last of them, in whatever order they are
/// let go. Its end waits until the messages that sockets were told to linger for have left.
///
/// `@unchecked Sendable` holds because ZeroMQ's contexts are thread safe by its documentation, and the pointer
/// never changes. Sockets are not, and are not `Sendable`.
package final class ZeroMQContext: @unchecked Sendable {
    let raw: UnsafeMutableRawPointer

    /// Makes a context; its I/O threads start with the first socket.
    ///
    /// One I/O thread serves about a gigabyte a second.
    package init(ioThreadCount: Int = 1) throws(ZeroMQError) {
        guard let raw = zmq_ctx_new() else { throw .latest() }
        guard zmq_ctx_set(raw, ZMQ_IO_THREADS, Int32(clamping: ioThreadCount)) == 0 else {
            let error = ZeroMQError.latest()
            zmq_ctx_term(raw)
            throw error
        }
        self.raw = raw
    }

    deinit {
        while zmq_ctx_term(self.raw) != 0 && zmq_errno() == EINTR {}
    }

    /// Makes every call on a socket of this context throw `.terminated`, those that wait now included.
    ///
    /// It is how another thread ends a loop that waits on a socket without a `Wakeup`.
    package func shutDown() {
        zmq_ctx_shutdown(self.raw)
    }
}
