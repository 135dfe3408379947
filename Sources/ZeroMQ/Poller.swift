import CZeroMQ
import Glibc

/// Waits for the first of several sockets and file descriptors.
///
/// What it waits for is known by the number that `add` answered. A poller does not own what it watches: whoever
/// made it closes a socket or a descriptor only when the poller is no longer used.
package struct Poller: ~Copyable {
    /// What can be waited for.
    package struct Events: OptionSet, Sendable {
        package let rawValue: Int16

        package init(rawValue: Int16) {
            self.rawValue = rawValue
        }

        package static let readable = Events(rawValue: Int16(ZMQ_POLLIN))
        package static let writable = Events(rawValue: Int16(ZMQ_POLLOUT))
        /// A descriptor broke; it is reported without being asked for.
        package static let failed = Events(rawValue: Int16(ZMQ_POLLERR))
    }

    private var items: [zmq_pollitem_t] = []

    package init() {}

    /// Watches a socket as well.
    package mutating func add(_ socket: borrowing ZeroMQSocket, for events: Events = .readable) -> Int {
        self.add(zmq_pollitem_t(socket: socket.raw, fd: -1, events: events.rawValue, revents: 0))
    }

    /// Watches a wake-up as well.
    package mutating func add(_ wakeup: Wakeup) -> Int {
        self.add(fileDescriptor: wakeup.fileDescriptor)
    }

    /// Watches a plain file descriptor as well.
    package mutating func add(fileDescriptor: Int32, for events: Events = .readable) -> Int {
        self.add(zmq_pollitem_t(socket: nil, fd: fileDescriptor, events: events.rawValue, revents: 0))
    }

    /// Waits for other events from now on; for none, if `events` is empty.
    package mutating func watch(_ number: Int, for events: Events) {
        self.items[number].events = events.rawValue
    }

    /// Blocks until something is ready or the time is over, and answers how many are ready.
    ///
    /// Milliseconds count, rounded up; nil waits without end. A signal may end the wait early, with nothing ready.
    package mutating func wait(upTo timeout: Duration?) throws(ZeroMQError) -> Int {
        let milliseconds = timeout.map { Int(clamping: $0.millisecondsRoundedUp) } ?? -1
        let readyCount = zmq_poll(&self.items, Int32(self.items.count), milliseconds)
        guard readyCount == -1 else { return Int(readyCount) }
        let code = zmq_errno()
        guard code == EINTR else { throw ZeroMQError(code: code) }
        for index in self.items.indices { self.items[index].revents = 0 }
        return 0
    }

    /// What the last wait found.
    package func ready(_ number: Int) -> Events {
        Events(rawValue: self.items[number].revents)
    }

    private mutating func add(_ item: zmq_pollitem_t) -> Int {
        self.items.append(item)
        return self.items.count - 1
    }
}
