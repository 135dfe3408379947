import CZeroMQ
import Glibc

/// How an event loop that is not ZeroMQ's waits for a socket.
///
/// A socket has a descriptor, an event counter, that becomes readable when something has happened to it and stays so
/// until a call on the socket has looked. What happened is known only after that: see "ZMQ_FD" in zmq_getsockopt(3).
extension ZeroMQSocket {
    /// A copy of the descriptor, which the caller closes.
    package func duplicateReadiness() throws(ZeroMQError) -> CInt {
        let copy = fcntl(try self.readiness, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { throw ZeroMQError(code: errno) }
        return copy
    }

    /// What can be done now without waiting; takes notice of whatever the descriptor told.
    ///
    /// A dealer that is `immediate` can be written to exactly when it has a connection that is not full.
    package var ready: Poller.Events {
        get throws(ZeroMQError) { Poller.Events(rawValue: Int16(truncatingIfNeeded: try self.option(ZMQ_EVENTS))) }
    }

    /// Waits until the socket may have a message or somebody wakes the thread.
    ///
    /// To be called when `receive(wait: false)` has just found nothing, and at no other time: the descriptor tells of
    /// changes. It costs one system call where a `Poller` needs four.
    ///
    /// - Parameter timeout: counts in milliseconds, rounded up.
    /// - Returns: false when the time is over, or a signal has ended the wait.
    package func wait(for wakeup: Wakeup, upTo timeout: Duration) throws(ZeroMQError) -> Bool {
        let events = Int16(POLLIN)
        var descriptors = (
            pollfd(fd: try self.readiness, events: events, revents: 0),
            pollfd(fd: wakeup.fileDescriptor, events: events, revents: 0)
        )
        let milliseconds = Int32(clamping: timeout.millisecondsRoundedUp)
        let readyCount = withUnsafeMutableBytes(of: &descriptors) { bytes in
            bytes.withMemoryRebound(to: pollfd.self) { poll($0.baseAddress, 2, milliseconds) }
        }
        guard readyCount == -1 else { return readyCount > 0 }
        guard errno == EINTR else { throw ZeroMQError(code: errno) }
        return false
    }

    private var readiness: CInt {
        get throws(ZeroMQError) { try self.option(ZMQ_FD) }
    }

    private func option(_ name: Int32) throws(ZeroMQError) -> Int32 {
        var value: Int32 = 0
        var byteCount = MemoryLayout<Int32>.size
        while zmq_getsockopt(self.raw, name, &value, &byteCount) == -1 {
            let code = zmq_errno()
            guard code == EINTR else { throw ZeroMQError(code: code) }
        }
        return value
    }
}
