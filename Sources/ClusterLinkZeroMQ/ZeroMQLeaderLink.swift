package import ClusterLink
package import ZeroMQ

/// The leader's end of the link, as a ROUTER.
///
/// Open it on the thread that uses it. A peer that comes back has a new identity; it introduces itself again.
package final class ZeroMQLeaderLink: LeaderLink {
    /// Messages that may wait on each peer's connection.
    ///
    /// A front has one batch a lane under way, so that few ever wait.
    static let highWaterMark = 10_000

    private let socket: ZeroMQSocket
    private let security: ServerSecurity?
    private let wakeup: Wakeup

    /// Binds the endpoint.
    ///
    /// - Parameter security: who may connect, encrypted; nil lets everybody connect who reaches the endpoint.
    package init(
        endpoint: String,
        in context: ZeroMQContext,
        security: ServerSecurity? = nil
    ) throws(LinkError) {
        do {
            var options = ZeroMQSocketOptions()
            options.sendHighWaterMark = Self.highWaterMark
            options.receiveHighWaterMark = Self.highWaterMark
            options.maximumMessageByteCount = LinkBound.messageByteCount
            options.routerMandatory = true
            options.keepAlive = PeerSocket.keepAlive
            options.handshakeInterval = LinkHandshake.limit
            if let security { options.secure(security) }
            let socket = try ZeroMQSocket(.router, in: context, options: options)
            try socket.bind(to: endpoint)
            self.socket = socket
            self.security = security
            self.wakeup = try Wakeup()
        } catch {
            throw .endpoint(endpoint, reason: "\(error)")
        }
    }

    package var waker: any LinkWaker { ZeroMQWaker(wakeup: self.wakeup) }

    /// Where peers connect to; tells the port when the endpoint asked for any.
    package var endpoint: String {
        get throws(LinkError) {
            do { return try self.socket.lastEndpoint } catch { throw .failed("\(error)") }
        }
    }

    package func receive(
        waitingAtMost wait: Duration,
        bound: Int,
        _ body: (LinkPeer, UnsafeRawBufferPointer) -> Void
    ) throws(LinkError) {
        do {
            var count = 0
            while count < bound, try self.receiveOne(body) { count += 1 }
            guard count == 0, wait > .zero, try self.socket.wait(for: self.wakeup, upTo: wait) else { return }
            self.wakeup.drain()
            while count < bound, try self.receiveOne(body) { count += 1 }
        } catch {
            throw .failed("\(error)")
        }
    }

    /// Hands over one message of two frames; anything else is no message of this link and is dropped.
    private func receiveOne(_ body: (LinkPeer, UnsafeRawBufferPointer) -> Void) throws(ZeroMQError) -> Bool {
        guard let identity = try self.socket.receive(wait: false) else { return false }
        guard identity.more, let payload = try self.socket.receive(wait: true) else { return true }
        guard payload.more else {
            var owner: LinkOwner?
            if let security {
                owner = security.owner(of: payload)
                guard owner != nil else { return true }
            }
            let peer = LinkPeer(identity: identity.bytes, owner: owner)
            payload.withUnsafeBytes { body(peer, $0) }
            return true
        }
        var more = true
        while more, let frame = try self.socket.receive(wait: true) { more = frame.more }
        return true
    }

    package func send(_ message: [UInt8], to peer: LinkPeer) throws(LinkError) {
        do {
            // A peer whose buffer is full loses the message: it will ask again.
            _ = try self.socket.send(to: peer.identity, message, wait: false)
        } catch .hostUnreachable {
            // It is gone, and so is its interest.
        } catch .messageTooLarge(let byteCount, _) {
            throw .tooLarge(byteCount: byteCount)
        } catch {
            throw .failed("\(error)")
        }
    }
}

/// Wakes the thread that waits in a link.
struct ZeroMQWaker: LinkWaker {
    let wakeup: Wakeup

    func wake() {
        self.wakeup.signal()
    }
}
