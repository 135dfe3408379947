import CZeroMQ
import Glibc
import Synchronization

/// Wakes a thread that waits in a `Poller`, from any other thread.
///
/// Put the work where the waiting thread looks for it, then call `signal()`. That thread calls `drain()` first and
/// looks for work afterwards; then nothing is missed. Any number of signals before a drain cost one system call.
package final class Wakeup: Sendable {
    let fileDescriptor: Int32
    private let isPending = Atomic(false)

    package init() throws(ZeroMQError) {
        let descriptor = eventfd(0, millrace_eventfd_flags)
        guard descriptor >= 0 else { throw ZeroMQError(code: errno) }
        self.fileDescriptor = descriptor
    }

    deinit {
        close(self.fileDescriptor)
    }

    /// Makes the descriptor readable until the next drain.
    package func signal() {
        guard !self.isPending.exchange(true, ordering: .acquiringAndReleasing) else { return }
        var one: UInt64 = 1
        // A write of eight bytes to an eventfd can only fail for a signal, or when it is readable already.
        while write(self.fileDescriptor, &one, MemoryLayout<UInt64>.size) == -1 && errno == EINTR {}
    }

    /// Makes the descriptor unreadable again; what was signalled before is visible to the caller now.
    package func drain() {
        var count: UInt64 = 0
        while read(self.fileDescriptor, &count, MemoryLayout<UInt64>.size) == -1 && errno == EINTR {}
        _ = self.isPending.exchange(false, ordering: .acquiringAndReleasing)
    }
}
