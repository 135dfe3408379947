package import ClusterLink
import Synchronization
package import ZeroMQ

/// A front's end of the link, as a DEALER without a thread of its own.
///
/// Event loops share the socket under a lock, which orders their uses of it as ZeroMQ asks for.
package final class ZeroMQPolledPeerLink: PolledPeerLink {
    /// Messages that may wait to leave; one more is dropped, and its sender will send it again.
    package static let outgoingBound = ZeroMQLeaderLink.highWaterMark

    private struct State: ~Copyable {
        var socket: ZeroMQSocket?
        var hasMessages: (@Sendable () -> Void)?
    }

    private let endpoint: String
    private let context: ZeroMQContext
    private let state: Mutex<State>

    package init(endpoint: String, in context: ZeroMQContext) {
        self.endpoint = endpoint
        self.context = context
        self.state = Mutex(State())
    }

    package func open(_ hasMessages: @escaping @Sendable () -> Void) throws(LinkError) -> CInt {
        try self.state.withLock { state throws(LinkError) in
            guard state.socket == nil else { throw .failed("the link is open already") }
            let socket = try PeerSocket.open(endpoint: self.endpoint, in: self.context)
            do {
                let descriptor = try socket.duplicateReadiness()
                state.socket = consume socket
                state.hasMessages = hasMessages
                return descriptor
            } catch {
                throw .failed("\(error)")
            }
        }
    }

    package func send(_ message: [UInt8]) {
        let notify = self.state.withLock { state -> (@Sendable () -> Void)? in
            do {
                // Without a leader, ZeroMQ keeps messages up to the bound; what it does not take is lost, and its
                // sender will send it again.
                _ = try state.socket?.send(message, wait: false)
                return try state.socket?.hasMessages == true ? state.hasMessages : nil
            } catch {
                // A message beyond the bound of bytes, or the end of the context: nobody is there to hear of it.
                return nil
            }
        }
        notify?()
    }

    package func receive(afterReading count: UInt64, _ body: (UnsafeRawBufferPointer) -> Void) {
        if count > 0 { self.state.withLock { $0.socket?.restoreReadiness(count) } }
        // The lock is not held while a message is used: that may send.
        while let message = self.take() {
            guard !message.more else { continue }
            message.withUnsafeBytes(body)
        }
    }

    package func close() {
        // Closing waits for nothing: what still has to leave does so in ZeroMQ's own thread.
        let socket = self.state.withLock { state in
            state.hasMessages = nil
            return state.socket.take()
        }
        _ = consume socket
    }

    private func take() -> ZeroMQMessage? {
        self.state.withLock { state in try? state.socket?.receive(wait: false) }
    }
}
