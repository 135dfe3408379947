/// What the owner of a key may be.
package enum LinkRole: String, Sendable, CaseIterable {
    case front
    case scheduler
    case member
}

/// A port of a manager, and who may talk to it.
///
/// A key that is good at one port is none at the other: whoever gets hold of a front's key can do what a front can, but
/// cannot command a member.
package enum LinkDomain: String, Sendable, CaseIterable {
    /// Where fronts and schedulers look for the leader.
    case clients
    /// Where members talk to each other.
    case members

    package var admitted: Set<LinkRole> {
        switch self {
        case .clients: [.front, .scheduler]
        case .members: [.member]
        }
    }
}
