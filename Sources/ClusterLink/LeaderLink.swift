/// The leader's end of the link to its fronts and schedulers.
///
/// One thread owns it. Messages from one peer arrive in the order in which they were sent,
/// whole or not at all; any of them may be lost when a peer's connection breaks.
package protocol LeaderLink: AnyObject {
    /// Waits until a message is there, `wake()` was called or the time is over, then hands over every
    /// message that is waiting, at the most `bound`.
    ///
    /// The bytes are the link's and end with the call of `body`.
    func receive(
        waitingAtMost wait: Duration,
        bound: Int,
        _ body: (LinkPeer, UnsafeRawBufferPointer) -> Void
    ) throws(LinkError)

    /// Sends without waiting. A peer that is gone, or whose buffer is full, loses the message: it will ask again.
    ///
    /// - Throws: `LinkError.tooLarge` when the message is beyond `LinkBound.messageByteCount`; the link goes on.
    func send(_ message: [UInt8], to peer: LinkPeer) throws(LinkError)

    /// Something that ends a `receive` from another thread.
    var waker: any LinkWaker { get }
}

/// Ends another thread's wait.
package protocol LinkWaker: Sendable {
    func wake()
}

/// Who a message came from: an opaque name that the link gave this connection.
package struct LinkPeer: Hashable, Sendable {
    package let identity: [UInt8]
    /// Whose key it showed; nil on a link without keys, where everybody may say everything.
    package let owner: LinkOwner?

    package init(identity: [UInt8], owner: LinkOwner? = nil) {
        self.identity = identity
        self.owner = owner
    }
}

/// The end of the link that a scheduler holds, or a front that asks about the state of things.
///
/// Connects again by itself whenever the leader is gone, and loses what was under way then:
/// its owner sends again what was not answered.
package protocol PeerLink: Sendable {
    /// Sends without waiting, from any thread. Beyond the link's bound the message is dropped.
    func send(_ message: [UInt8])

    /// Hands each message to `receive`, on a thread of the link's own, until `close()` is called.
    func start(_ receive: @escaping @Sendable (UnsafeRawBufferPointer) -> Void) throws(LinkError)

    /// Stops receiving and lets go of the connection; what was sent before leaves within `linger`.
    func close()
}

/// Everything that can go wrong with a link as a whole.
package enum LinkError: Error, Equatable {
    /// The endpoint cannot be bound or connected to.
    case endpoint(String, reason: String)
    /// The link has been closed.
    case closed
    /// A message has more bytes than the link carries; nothing was sent.
    case tooLarge(byteCount: Int)
    /// The library refused.
    case failed(String)
}
