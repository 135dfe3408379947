import Glibc

/// A copy of a socket's descriptor for readiness, for whoever waits for it by reading it.
package struct ReadinessDescriptor: ~Copyable {
    private let raw: CInt

    /// - Parameter raw: what ``ZeroMQSocket/duplicateReadiness()`` gave; it is closed with this value.
    package init(owning raw: CInt) {
        self.raw = raw
    }

    deinit {
        close(self.raw)
    }

    /// Gives back what somebody has read from the descriptor, because ZeroMQ expects to find it there.
    ///
    /// NIO reads a descriptor to wait for it. ZeroMQ counts its counter up once and then not before it has read it
    /// itself, so that between the two nobody else can have used what was taken. It goes by the counter after the socket
    /// was closed as well, until the socket has ended; without what was taken, that would be never.
    package borrowing func restore(_ count: UInt64) {
        var count = count
        while write(self.raw, &count, MemoryLayout<UInt64>.size) == -1 && errno == EINTR {}
    }
}
