/// A moment of the calendar, for what users see: due times, expiries, time stamps.
///
/// Its range is that of 64 bits of nanoseconds: from 1677-09-21 to 2262-04-11. Arithmetic and parsing stop at these
/// ends rather than trap, so that no time stamp of a client can stop a process.
public struct WallTime: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Nanoseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
    public let nanosecondsSinceEpoch: Int64

    public init(nanosecondsSinceEpoch: Int64) {
        self.nanosecondsSinceEpoch = nanosecondsSinceEpoch
    }

    /// Seconds since 1970-01-01T00:00:00Z; as a double, exact to about 0.24 µs in our days.
    public var secondsSinceEpoch: Double {
        Double(self.nanosecondsSinceEpoch) / 1e9
    }

    /// How long it is from this moment to the other; negative when the other is earlier.
    public func duration(to other: WallTime) -> Duration {
        .nanoseconds(other.nanosecondsSinceEpoch) - .nanoseconds(self.nanosecondsSinceEpoch)
    }

    public var description: String { self.rfc3339 }

    public static func < (first: WallTime, second: WallTime) -> Bool {
        first.nanosecondsSinceEpoch < second.nanosecondsSinceEpoch
    }

    /// The moment so much later; the last (or first) one that can be told when it would be beyond that.
    public static func + (time: WallTime, duration: Duration) -> WallTime {
        WallTime(nanosecondsSinceEpoch: SaturatingNanoseconds.sum(time.nanosecondsSinceEpoch, duration))
    }
}
