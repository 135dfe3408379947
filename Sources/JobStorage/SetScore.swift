package import JobCore

/// A time as the sorted sets keep it: whole microseconds since 1970-01-01T00:00:00Z.
///
/// A Redis score is a double, which holds each whole number up to 2^53, and so each microsecond from
/// 1684-07-28 to 2255-06-05. A time beyond becomes the nearest of these ends, and a fraction of a microsecond
/// is cut off, so that a time that was rounded once comes back from any store as it is.
package struct SetScore: Hashable, Comparable, Sendable {
    /// The greatest number of microseconds, of either sign.
    package static let maximumMagnitude: Int64 = 1 << 53

    package let microseconds: Int64

    /// Takes a number that a store kept; nil for one that no score can have.
    package init?(microseconds: Int64) {
        guard microseconds.magnitude <= Self.maximumMagnitude.magnitude else { return nil }
        self.microseconds = microseconds
    }

    package init(_ time: WallTime) {
        let (quotient, remainder) = time.nanosecondsSinceEpoch.quotientAndRemainder(dividingBy: 1_000)
        let floor = remainder < 0 ? quotient - 1 : quotient
        self.microseconds = min(max(floor, -Self.maximumMagnitude), Self.maximumMagnitude)
    }

    package var time: WallTime {
        WallTime(nanosecondsSinceEpoch: self.microseconds * 1_000)
    }

    package static func < (first: SetScore, second: SetScore) -> Bool {
        first.microseconds < second.microseconds
    }
}

extension WallTime {
    /// The time as a sorted set gives it back.
    package var roundedToScore: WallTime {
        SetScore(self).time
    }
}
