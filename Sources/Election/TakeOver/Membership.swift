/// The fixed list of the members of a cluster.
package struct Membership: Hashable, Sendable {
    /// The members in the order of their numbers.
    package let members: [MemberID]

    /// - Parameter members: at least one, none of them twice.
    package init(_ members: [MemberID]) {
        precondition(!members.isEmpty, "a cluster has at least one member")
        precondition(MemberSet(members).count == members.count, "a member is listed twice in \(members)")
        self.members = members.sorted()
    }

    package var count: Int { self.members.count }

    /// How many members are more than half of them.
    package var majority: Int { self.members.count / 2 + 1 }

    package func contains(_ member: MemberID) -> Bool {
        self.members.contains(member)
    }
}
