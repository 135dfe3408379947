/// Some members, each of them once.
package struct MemberSet: Hashable, Sendable {
    /// One bit for each member, the lowest for number 0.
    package private(set) var bits: UInt64

    package init() {
        self.bits = 0
    }

    package init(_ members: some Sequence<MemberID>) {
        self.init()
        for member in members { self.insert(member) }
    }

    package var count: Int { self.bits.nonzeroBitCount }

    package var isEmpty: Bool { self.bits == 0 }

    package func contains(_ member: MemberID) -> Bool {
        self.bits & Self.bit(of: member) != 0
    }

    package mutating func insert(_ member: MemberID) {
        self.bits |= Self.bit(of: member)
    }

    package mutating func remove(_ member: MemberID) {
        self.bits &= ~Self.bit(of: member)
    }

    /// The members that are in both sets.
    package func intersection(_ other: MemberSet) -> MemberSet {
        var common = self
        common.bits &= other.bits
        return common
    }

    private static func bit(of member: MemberID) -> UInt64 {
        1 << UInt64(member.number)
    }
}
