import Synchronization
import ZeroMQ

/// What a peer's thread has received, for a test to wait for.
final class Mailbox: Sendable {
    private let messages = Mutex<[[UInt8]]>([])
    private let wakeup: Wakeup

    init() throws {
        self.wakeup = try Wakeup()
    }

    func put(_ message: UnsafeRawBufferPointer) {
        self.messages.withLock { $0.append(Array(message)) }
        self.wakeup.signal()
    }

    var isEmpty: Bool { self.messages.withLock { $0.isEmpty } }

    /// Takes as many messages as are asked for; fewer when they have not come within the patience.
    func take(_ count: Int, within patience: Duration = LinkFixture.patience) throws -> [[UInt8]] {
        var poller = Poller()
        _ = poller.add(self.wakeup)
        let end = ContinuousClock.now + patience
        while self.messages.withLock({ $0.count }) < count, ContinuousClock.now < end {
            _ = try poller.wait(upTo: ContinuousClock.now.duration(to: end))
            self.wakeup.drain()
        }
        return self.messages.withLock { messages in
            defer { messages.removeFirst(min(count, messages.count)) }
            return Array(messages.prefix(count))
        }
    }
}
