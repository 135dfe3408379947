package import JobCore

/// What members say to each other.
///
/// Any message may be lost, come late, come twice or overtake another one.
package enum PeerMessage: Hashable, Sendable {
    /// "I won this epoch: stop leading, detach your Redis, tell me how far it is, and obey no lower epoch."
    case cut(Epoch)
    /// "It is done, and this is how far my data is"; a member that is not clean does not vote.
    case cutAnswer(Epoch, position: Position, isVoter: Bool)
    /// "I promised a higher epoch."
    case cutRefused(Epoch, promised: Epoch)
    /// "A majority is cut, and etcd names me the primary of this epoch: follow me."
    case follow(Epoch)
    /// "I hold the leader key of this epoch, and live."
    case heartbeat(Epoch)
    /// "My Redis follows yours in this epoch, and calls itself so."
    case announce(Epoch, as: ReplicaName)
    /// "I hear nothing of the leader of this epoch."
    case suspect(Epoch)
}
