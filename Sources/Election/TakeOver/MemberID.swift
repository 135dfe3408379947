/// The number of a member: a manager and the Redis that it alone commands.
///
/// A number belongs to one member for the life of the cluster; a host that is replaced gets another one.
package struct MemberID: Hashable, Comparable, Sendable {
    /// The greatest number that a member can have.
    package static let greatestNumber: UInt8 = 63

    package let number: UInt8

    /// - Parameter number: at most `greatestNumber`.
    package init(_ number: UInt8) {
        precondition(number <= Self.greatestNumber, "a member's number is at most 63, not \(number)")
        self.number = number
    }

    package static func < (left: MemberID, right: MemberID) -> Bool {
        left.number < right.number
    }
}
