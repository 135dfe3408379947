/// How the members of a cluster talk to each other, and an operator's command to each of them.
package protocol PeerNetwork: Sendable {
    /// Listens, connects to the others, and ever after connects again by itself.
    ///
    /// - Parameter tell: called for everything that comes in, on a thread of the network's own. It must not block.
    func start(_ tell: @escaping @Sendable (PeerNetworkEvent) -> Void) throws

    /// Sends without waiting; what cannot leave at once is lost.
    func send(_ message: PeerMessage, to member: MemberID)

    /// Answers an operator's question.
    func answer(_ bytes: [UInt8], to asker: PeerAsker)

    /// Lets go of every connection.
    func close()
}

/// What comes in from other members, and from operators.
package enum PeerNetworkEvent: Hashable, Sendable {
    case message(PeerMessage, from: MemberID)
    /// The connection to another member broke; its process may be gone.
    case disconnected(MemberID)
    /// There is a connection to another member.
    case connected(MemberID)
    /// An operator's command asks something, in bytes that ``MemberRequest`` reads.
    case question([UInt8], from: PeerAsker)
}

/// Whom to answer: an opaque name of one connection.
package struct PeerAsker: Hashable, Sendable {
    package let identity: [UInt8]

    package init(identity: [UInt8]) {
        self.identity = identity
    }
}
