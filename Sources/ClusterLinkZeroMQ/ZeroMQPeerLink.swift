package import ClusterLink
import Synchronization
import ThreadConfinement
package import ZeroMQ

/// A scheduler's end of the link, or an inquirer's, as a DEALER on a thread of its own.
///
/// ZeroMQ connects again whenever the leader comes back, at the same endpoint.
package final class ZeroMQPeerLink: PeerLink {
    /// Messages that may wait to leave; one more is dropped, and its sender will send it again.
    package static let outgoingBound = 10_000

    private struct State {
        var outgoing: [[UInt8]] = []
        var isClosed = false
        var thread: DedicatedThread<Void>?
    }

    private let endpoint: String
    private let context: ZeroMQContext
    private let wakeup: Wakeup
    private let state = Mutex(State())

    package init(endpoint: String, in context: ZeroMQContext) throws(LinkError) {
        self.endpoint = endpoint
        self.context = context
        do {
            self.wakeup = try Wakeup()
        } catch {
            throw .failed("\(error)")
        }
    }

    package func send(_ message: [UInt8]) {
        let wasEmpty = self.state.withLock { state in
            guard !state.isClosed, state.outgoing.count < Self.outgoingBound else { return false }
            state.outgoing.append(message)
            return state.outgoing.count == 1
        }
        if wasEmpty { self.wakeup.signal() }
    }

    package func start(_ receive: @escaping @Sendable (UnsafeRawBufferPointer) -> Void) throws(LinkError) {
        // The socket is made here, so that a bad endpoint is the caller's error, and moves to its thread once.
        let opened = OpenedSocket(try PeerSocket.open(endpoint: self.endpoint, in: self.context, whileAbsent: .queue))
        let thread = DedicatedThread(name: "link") { [self] in
            opened.withSocket { self.run($0, receive) }
        }
        self.state.withLock { $0.thread = thread }
    }

    package func close() {
        let thread = self.state.withLock { state in
            state.isClosed = true
            return state.thread
        }
        self.wakeup.signal()
        thread?.join()
    }

    private func run(_ socket: borrowing ZeroMQSocket, _ receive: (UnsafeRawBufferPointer) -> Void) {
        var poller = Poller()
        _ = poller.add(socket)
        _ = poller.add(self.wakeup)
        do {
            while true {
                let (messages, isClosed) = self.takeOutgoing()
                // Without a leader, ZeroMQ keeps messages up to its own bound; what it does not take is lost.
                for message in messages { _ = try socket.send(message, wait: false) }
                if isClosed && messages.isEmpty { return }
                var receivedAny = false
                while let message = try socket.receive(wait: false) {
                    receivedAny = true
                    guard !message.more else { continue }
                    message.withUnsafeBytes(receive)
                }
                if receivedAny || !messages.isEmpty { continue }
                _ = try poller.wait(upTo: nil)
                self.wakeup.drain()
            }
        } catch {
            // Only the end of the context gets here: there is nothing left to talk through.
            self.state.withLock { $0.isClosed = true }
        }
    }

    private func takeOutgoing() -> (messages: [[UInt8]], isClosed: Bool) {
        self.state.withLock { state in
            defer { state.outgoing = [] }
            return (messages: state.outgoing, isClosed: state.isClosed)
        }
    }
}

/// Carries a socket from the thread that opened it to the one that uses it.
///
/// Unchecked, because ZeroMQ lets a socket move between threads behind a full fence, which starting a thread is; it is
/// used by one thread before and by another after.
private final class OpenedSocket: @unchecked Sendable {
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
