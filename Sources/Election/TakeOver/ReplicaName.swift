/// How the Redis of a member calls itself to the primary that it follows: at random, and told to that member alone.
///
/// Whoever has the password for replication can follow a primary, and say that it has everything. Only the members' own
/// Redis know a name that a member vouches for.
package struct ReplicaName: Hashable, Sendable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// 32 hexadecimal digits, which are no address of a host.
    package var text: String { Self.digits(self.high) + Self.digits(self.low) }

    /// For people; the name itself is a secret.
    package var description: String { "a name" }

    private static func digits(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
