import Histogram

/// How long something took, over a whole run, to three significant digits.
package struct BenchLatency: Sendable {
    /// What is longer is counted as this long, in nanoseconds.
    package static let maximumNanoseconds: UInt64 = 120_000_000_000

    private var histogram = Histogram<UInt64>(
        highestTrackableValue: Self.maximumNanoseconds,
        numberOfSignificantValueDigits: .three
    )

    package init() {}

    /// Counts one that took from `start` to `end`, both in nanoseconds; none takes less than nothing.
    package mutating func record(from start: UInt64, to end: UInt64) {
        _ = self.histogram.record(min(end > start ? end - start : 0, Self.maximumNanoseconds))
    }

    package var count: UInt64 { self.histogram.totalCount }

    /// In milliseconds; 0 when nothing was counted.
    package func milliseconds(atPercentile percentile: Double) -> Double {
        guard self.count > 0 else { return 0 }
        return Double(self.histogram.valueAtPercentile(percentile)) / 1_000_000
    }
}
