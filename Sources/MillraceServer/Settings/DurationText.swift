/// Durations as people write them: `250ms`, `1.9s`, `2m`, `1h`, `7d`, or a plain number of seconds.
package enum DurationText {
    private static let units: [(suffix: String, nanoseconds: Int)] = [
        ("ns", 1), ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000),
        ("h", 3_600_000_000_000), ("d", 86_400_000_000_000),
    ]
    /// More digits than any duration here needs, and few enough that nothing overflows.
    private static let mostDigits = 9

    /// Reads a duration; `nil` for what is not one, is negative, or is finer than a nanosecond.
    package static func parse(_ text: String) -> Duration? {
        let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let suffix = number.endIndex == text.endIndex ? "s" : String(text[number.endIndex...])
        guard let unit = Self.units.first(where: { $0.suffix == suffix }) else { return nil }
        let parts = number.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, (1...Self.mostDigits).contains(whole.count), let count = Int(whole) else {
            return nil
        }
        let (nanoseconds, overflow) = count.multipliedReportingOverflow(by: unit.nanoseconds)
        guard !overflow else { return nil }
        guard parts.count == 2 else { return .nanoseconds(nanoseconds) }
        let digits = parts[1]
        guard (1...Self.mostDigits).contains(digits.count), let fraction = Int(digits) else { return nil }
        let scale = digits.reduce(1) { product, _ in product * 10 }
        let (scaled, fractionOverflow) = fraction.multipliedReportingOverflow(by: unit.nanoseconds)
        guard !fractionOverflow, scaled.isMultiple(of: scale) else { return nil }
        return .nanoseconds(nanoseconds) + .nanoseconds(scaled / scale)
    }

    /// Turns a number of seconds into a duration; `nil` when it is negative, not finite or out of reach.
    package static func parse(seconds: Double) -> Duration? {
        guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return nil }
        return .nanoseconds(Int((seconds * 1e9).rounded()))
    }

    /// Writes a duration so that ``parse(_:)`` reads the same one.
    package static func print(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let nanoseconds = attoseconds / 1_000_000_000
        if nanoseconds == 0 { return "\(seconds)s" }
        if seconds == 0, nanoseconds.isMultiple(of: 1_000_000) { return "\(nanoseconds / 1_000_000)ms" }
        let digits = String(nanoseconds)
        var fraction = String(repeating: "0", count: 9 - digits.count) + digits
        while fraction.hasSuffix("0") { fraction.removeLast() }
        return "\(seconds).\(fraction)s"
    }
}
