import ClusterLink
import Synchronization

/// Counts of all event loops together.
package final class ConnectionCounters: Sendable {
    private let sockets = Atomic<Int>(0)
    private let identified = Atomic<Int>(0)
    private let commands = Atomic<UInt64>(0)

    package init() {}

    /// Clients that have said HELLO.
    package var identifiedCount: Int { self.identified.load(ordering: .relaxed) }
    /// Open sockets, whatever has been said on them.
    package var socketCount: Int { self.sockets.load(ordering: .relaxed) }
    /// Commands that were understood since the start.
    package var commandCount: UInt64 { self.commands.load(ordering: .relaxed) }

    /// Counts a socket unless there are `bound` already.
    func admitSocket(bound: Int) -> Bool {
        guard self.sockets.add(1, ordering: .relaxed).newValue <= bound else {
            self.releaseSocket()
            return false
        }
        return true
    }

    func releaseSocket() {
        self.sockets.subtract(1, ordering: .relaxed)
    }

    /// Counts a client that has said HELLO, and says how many there are with it.
    func identify() -> Int {
        self.identified.add(1, ordering: .relaxed).newValue
    }

    func forgetIdentified() {
        self.identified.subtract(1, ordering: .relaxed)
    }

    func countCommand() {
        self.commands.add(1, ordering: .relaxed)
    }
}
