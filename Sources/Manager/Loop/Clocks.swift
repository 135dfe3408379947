package import JobCore
import Foundation

/// Where the leader's loop reads the time.
package struct Clocks: Sendable {
    package var wall: @Sendable () -> WallTime
    package var uptime: @Sendable () -> Uptime

    package init(wall: @escaping @Sendable () -> WallTime, uptime: @escaping @Sendable () -> Uptime) {
        self.wall = wall
        self.uptime = uptime
    }

    /// The machine's clocks; the monotonic one goes on while the machine is suspended.
    package static let system = Clocks(
        wall: { WallTime(nanosecondsSinceEpoch: Self.read(CLOCK_REALTIME)) },
        uptime: { Uptime(nanoseconds: Self.read(CLOCK_BOOTTIME)) }
    )

    package var now: Moment { Moment(wall: self.wall(), uptime: self.uptime()) }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
