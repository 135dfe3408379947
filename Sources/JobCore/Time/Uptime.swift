/// A moment of a monotonic clock that started at some moment of this machine; for leases and timeouts.
package struct Uptime: Hashable, Comparable, Sendable {
    package let nanoseconds: Int64

    package init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    package func duration(to other: Uptime) -> Duration {
        .nanoseconds(other.nanoseconds) - .nanoseconds(self.nanoseconds)
    }

    package static func < (first: Uptime, second: Uptime) -> Bool {
        first.nanoseconds < second.nanoseconds
    }

    /// The moment so much later; the last one that can be told when it would be later than that.
    package static func + (moment: Uptime, duration: Duration) -> Uptime {
        Uptime(nanoseconds: SaturatingNanoseconds.sum(moment.nanoseconds, duration))
    }

    /// The last moment that is not later and a whole multiple of an interval above zero.
    package func rounded(downTo interval: Duration) -> Uptime {
        let step = max(1, SaturatingNanoseconds.sum(0, interval))
        let rest = self.nanoseconds % step
        let back = rest < 0 ? rest + step : rest
        return Uptime(nanoseconds: SaturatingNanoseconds.sum(self.nanoseconds, .nanoseconds(-back)))
    }
}
