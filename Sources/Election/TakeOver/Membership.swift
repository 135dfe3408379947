/// The fixed list of the members of a cluster.
package struct Membership: Hashable, Sendable {
    /// The members in the order of their numbers.
    package let members: [MemberID]
    /// How many members have to agree, or to have something, before it counts.
    package let quorum: Int

    /// - Parameters:
    ///   - members: at least one, none of them twice.
    ///   - sharesStore: whether all of them have the same data, so that each of them speaks for all. Otherwise each has a
    ///     copy, and more than half of them are needed.
    package init(_ members: [MemberID], sharesStore: Bool = false) {
        precondition(!members.isEmpty, "a cluster has at least one member")
        precondition(MemberSet(members).count == members.count, "a member is listed twice in \(members)")
        self.members = members.sorted()
        self.quorum = sharesStore ? 1 : members.count / 2 + 1
    }

    package var count: Int { self.members.count }

    /// How many members are more than half of them.
    package var majority: Int { self.members.count / 2 + 1 }

    package func contains(_ member: MemberID) -> Bool {
        self.members.contains(member)
    }
}
