import CHiredis
import Glibc

extension redisContext {
    /// What hiredis says about the last error.
    var reason: String {
        withUnsafeBytes(of: self.errstr) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}

extension redisReader {
    /// What hiredis says about the last error.
    var reason: String {
        withUnsafeBytes(of: self.errstr) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}

extension Duration {
    /// The longest time that hiredis can be told to wait, in seconds; it counts milliseconds in 32 bits.
    private static let longestWaitInSeconds: Int64 = 2_000_000

    /// The time as system calls have it; never zero, which would mean that there is no bound.
    var timeInterval: timeval {
        let (seconds, attoseconds) = min(max(self, .microseconds(1)), .seconds(Self.longestWaitInSeconds)).components
        return timeval(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
    }

    /// Milliseconds for `poll`, rounded up; never negative, which would mean that there is no bound.
    var pollMilliseconds: Int32 {
        let interval = self.timeInterval
        return Int32(clamping: interval.tv_sec * 1_000 + (interval.tv_usec + 999) / 1_000)
    }
}
