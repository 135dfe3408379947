/// Sums of nanoseconds that stop at the ends of what can be told rather than trap.
enum SaturatingNanoseconds {
    static func sum(_ nanoseconds: Int64, _ duration: Duration) -> Int64 {
        let change = self.of(duration)
        guard change != .min, change != .max else { return change }
        let (sum, overflow) = nanoseconds.addingReportingOverflow(change)
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
