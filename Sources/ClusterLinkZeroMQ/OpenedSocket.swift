import ZeroMQ

/// Carries a socket from the thread that opened it to the one that uses it.
///
/// Unchecked, because ZeroMQ lets a socket move between threads behind a full fence, which starting a thread is; it is
/// used by one thread before and by another after.
final class OpenedSocket: @unchecked Sendable {
    private var socket: ZeroMQSocket?

    init(_ socket: consuming ZeroMQSocket) {
        self.socket = consume socket
    }

    /// Uses the socket, and closes it behind.
    func withSocket(_ body: (borrowing ZeroMQSocket) -> Void) {
        guard let socket = self.socket.take() else { return }
        body(socket)
    }
}
