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
}

/// Sums of nanoseconds that stop at the ends of what can be told rather than trap.
enum SaturatingNanoseconds {
    static func sum(_ nanoseconds: Int64, _ duration: Duration) -> Int64 {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(self.of(duration))
        guard overflow else { return sum }
        return nanoseconds < 0 ? .min : .max
    }

    static func of(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return self.of(seconds: seconds, nanoseconds: attoseconds / 1_000_000_000)
    }

    /// - Parameter nanoseconds: less than a second, of either sign.
    static func of(seconds: Int64, nanoseconds: Int64) -> Int64 {
        let (product, tooLarge) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !tooLarge else { return seconds < 0 ? .min : .max }
        let (sum, overflow) = product.addingReportingOverflow(nanoseconds)
        guard overflow else { return sum }
        return product < 0 ? .min : .max
    }
}
