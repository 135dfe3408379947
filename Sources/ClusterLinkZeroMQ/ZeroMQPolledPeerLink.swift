package import ClusterLink
import Synchronization
package import ZeroMQ

/// A front's end of the link to one manager, as a DEALER without a thread of its own.
///
/// Event loops share the socket under a lock, which orders their uses of it as ZeroMQ asks for.
package final class ZeroMQPolledPeerLink: PolledPeerLink {
    /// Messages that may wait to leave; one more is dropped, and its sender will send it again.
    package static let outgoingBound = ZeroMQLeaderLink.highWaterMark

    private struct State: ~Copyable {
        var socket: ZeroMQSocket?
        /// A copy of the socket's descriptor of our own, which outlives the socket.
        var readiness: ReadinessDescriptor?
        var notify: (@Sendable () -> Void)?
        var isConnected = false
        var reconnection = PeerReconnection()

        /// Sends, or loses the message: its sender will send it again.
        mutating func send(_ message: [UInt8], to endpoint: String) throws(ZeroMQError) {
            guard try self.socket?.send(message, wait: false) == false, self.reconnection.isDue() else { return }
            try self.socket?.connectAnew(to: endpoint)
        }

        /// Looks at the socket; whether messages are there, and whether the connection has come or gone.
        mutating func look() throws(ZeroMQError) -> (hasMessages: Bool, hasChanged: Bool) {
            guard let ready = try self.socket?.ready else { return (hasMessages: false, hasChanged: false) }
            let wasConnected = self.isConnected
            self.isConnected = ready.contains(.writable)
            return (hasMessages: ready.contains(.readable), hasChanged: self.isConnected != wasConnected)
        }
    }

    private let endpoint: String
    private let context: ZeroMQContext
    private let security: PeerSecurity?
    private let state: Mutex<State>

    /// - Parameter security: the keys for an encrypted connection; nil for a plain one.
    package init(endpoint: String, in context: ZeroMQContext, security: PeerSecurity? = nil) {
        self.endpoint = endpoint
        self.context = context
        self.security = security
        self.state = Mutex(State())
    }

    package func open(_ notify: @escaping @Sendable () -> Void) throws(LinkError) -> CInt {
        try self.state.withLock { state throws(LinkError) in
            guard state.socket == nil else { throw .failed("the link is open already") }
            let socket = try PeerSocket.open(
                endpoint: self.endpoint,
                in: self.context,
                security: self.security,
                whileAbsent: .drop
            )
            do {
                let own = ReadinessDescriptor(owning: try socket.duplicateReadiness())
                let descriptor = try socket.duplicateReadiness()
                state.readiness = consume own
                state.socket = consume socket
                state.notify = notify
                return descriptor
            } catch {
                throw .failed("\(error)")
            }
        }
    }

    package var isConnected: Bool { self.state.withLock { $0.isConnected } }

    package func send(_ message: [UInt8]) {
        let notify = self.state.withLock { state -> (@Sendable () -> Void)? in
            do {
                try state.send(message, to: self.endpoint)
                let (hasMessages, hasChanged) = try state.look()
                return hasMessages || hasChanged ? state.notify : nil
            } catch {
                // A message beyond the bound of bytes, or the end of the context: nobody is there to hear of it.
                return nil
            }
        }
        notify?()
    }

    package func receive(afterReading count: UInt64, _ body: (UnsafeRawBufferPointer) -> Void) {
        // Also behind `close()`: ZeroMQ ends a socket by the same descriptor, and would wait for ever for what was taken.
        if count > 0 { self.state.withLock { $0.readiness?.restore(count) } }
        repeat {
            // The lock is not held while a message is used: that may send.
            while let message = self.take() {
                guard !message.more else { continue }
                message.withUnsafeBytes(body)
            }
            // Looking takes notice of what the descriptor told, of messages too: they must be taken here.
        } while self.state.withLock { state in (try? state.look())?.hasMessages ?? false }
    }

    package func close() {
        // Closing waits for nothing: what still has to leave does so in ZeroMQ's own thread.
        let socket = self.state.withLock { state in
            state.notify = nil
            state.isConnected = false
            return state.socket.take()
        }
        _ = consume socket
    }

    private func take() -> ZeroMQMessage? {
        self.state.withLock { state in try? state.socket?.receive(wait: false) }
    }
}
