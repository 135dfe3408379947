/// How long to wait before a child that ended is started again.
///
/// The wait doubles from ``first`` to ``longest``, and begins anew once a child has lived for ``settled``.
package struct RestartBackoff: Sendable, Equatable {
    package static let first = Duration.milliseconds(100)
    package static let longest = Duration.seconds(5)
    package static let settled = Duration.seconds(10)

    private var next = Self.first

    package init() {}

    /// Takes in that a child ended after living for so long, and tells how long to wait.
    package mutating func wait(afterLiving lifetime: Duration) -> Duration {
        if lifetime >= Self.settled { self.next = Self.first }
        let wait = self.next
        self.next = min(self.next * 2, Self.longest)
        return wait
    }
}
