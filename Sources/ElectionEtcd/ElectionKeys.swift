/// The names of the keys of one cluster in etcd.
package struct ElectionKeys: Sendable, Equatable {
    /// Why there is no cluster of such a name.
    package enum Problem: Error, Equatable {
        /// A name is 1 to 64 ASCII letters, digits, hyphens, underscores and dots.
        case illegalName(String)
    }

    /// The longest name in bytes.
    package static let nameByteLimit = 64

    /// What all keys of the cluster begin with: `/millrace/<cluster>/`.
    package let prefix: String

    package init(cluster: String, under root: String = "/millrace/") throws(Problem) {
        try Self.check(cluster)
        self.prefix = root + cluster + "/"
    }

    /// Who leads; its create revision is the epoch.
    package var leader: String { self.prefix + "leader" }
    /// Whose Redis the others follow.
    package var primary: String { self.prefix + "primary" }
    /// The epoch with which the cluster began.
    package var founded: String { self.prefix + "founded" }
    /// What is added to etcd's revisions to make epochs of them; there is none unless an etcd was emptied or restored.
    package var epochBase: String { self.prefix + "epoch-base" }
    /// Who had better lead.
    package var prefer: String { self.prefix + "prefer" }
    /// Who the members are; the same for all of them.
    package var membership: String { self.prefix + "membership" }
    /// What the name of each member's key begins with.
    package var members: String { self.prefix + "members/" }

    /// The key of a member.
    package func member(_ name: String) throws(Problem) -> String {
        try Self.check(name)
        return self.members + name
    }

    private static func check(_ name: String) throws(Problem) {
        guard Self.isLegal(name) else { throw .illegalName(name) }
    }

    /// Whether a cluster or a member can be called so.
    package static func isLegal(_ name: String) -> Bool {
        let isLegal = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"): true
            case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
            default: false
            }
        }
        return isLegal && (1...Self.nameByteLimit).contains(name.utf8.count)
    }
}
