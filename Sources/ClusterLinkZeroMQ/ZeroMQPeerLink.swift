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
    private let security: PeerSecurity?
    private let wakeup: Wakeup
    private let state = Mutex(State())

    /// - Parameter security: the keys for an encrypted connection; nil for a plain one.
    package init(
        endpoint: String,
        in context: ZeroMQContext,
        security: PeerSecurity? = nil
    ) throws(LinkError) {
        self.endpoint = endpoint
        self.context = context
        self.security = security
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
        let opened = OpenedSocket(
            try PeerSocket.open(
                endpoint: self.endpoint,
                in: self.context,
                security: self.security,
                whileAbsent: .queue
            )
        )
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
        var reconnection = PeerReconnection()
        do {
            while true {
                let (messages, isClosed) = self.takeOutgoing()
                // Without a leader, ZeroMQ keeps messages up to its own bound; what it does not take is lost.
                for message in messages {
                    guard try !socket.send(message, wait: false), reconnection.isDue() else { continue }
                    try socket.connectAnew(to: self.endpoint)
                }
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
