import Glibc
import Synchronization

/// What one thread has to do, in order; it may wait for more of it and for a descriptor at the same time.
final class AgentQueue<Work: Sendable>: Sendable {
    /// Why a wait was over.
    enum Reason {
        /// There may be work, or the queue was closed.
        case work
        /// The descriptor became readable.
        case descriptor
        /// The time was over.
        case time
    }

    private struct State {
        var work: [Work] = []
        var isClosed = false
    }

    private let state = Mutex(State())
    private let readEnd: Int32
    private let writeEnd: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        precondition(pipe(&ends) == 0, "no pipe: \(String(cString: strerror(errno)))")
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        self.readEnd = ends[0]
        self.writeEnd = ends[1]
    }

    deinit {
        close(self.readEnd)
        close(self.writeEnd)
    }

    var isEmpty: Bool { self.state.withLock { $0.work.isEmpty } }

    /// Whether it was closed, and everything that was put in before has been taken.
    var hasEnded: Bool { self.state.withLock { $0.isClosed && $0.work.isEmpty } }

    /// Adds work; what comes after `end()` is dropped.
    func put(_ work: Work) {
        self.state.withLock { state in
            if !state.isClosed { state.work.append(work) }
        }
        self.wake()
    }

    func end() {
        self.state.withLock { $0.isClosed = true }
        self.wake()
    }

    /// The oldest work, if there is any.
    func take() -> Work? {
        self.state.withLock { $0.work.isEmpty ? nil : $0.work.removeFirst() }
    }

    /// Blocks until there is work, the descriptor is readable or the time is over.
    ///
    /// - Parameter timeout: counts in milliseconds; nil waits without end.
    func wait(for descriptor: Int32? = nil, upTo timeout: Duration? = nil) -> Reason {
        guard self.isEmpty, !self.hasEnded else { return .work }
        var polled = [pollfd(fd: self.readEnd, events: Int16(POLLIN), revents: 0)]
        if let descriptor { polled.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)) }
        let milliseconds = timeout.map { Int32(clamping: $0.wholeMilliseconds) } ?? -1
        guard poll(&polled, nfds_t(polled.count), milliseconds) > 0 else { return .time }
        if polled[0].revents != 0 {
            var bytes = [UInt8](repeating: 0, count: 64)
            while read(self.readEnd, &bytes, bytes.count) > 0 {}
            return .work
        }
        return .descriptor
    }

    private func wake() {
        var byte: UInt8 = 0
        // A pipe that is full is readable already.
        _ = write(self.writeEnd, &byte, 1)
    }
}
