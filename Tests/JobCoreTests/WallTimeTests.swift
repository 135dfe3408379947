import JobCore
import Testing

@Suite("Times")
struct WallTimeTests {
    @Test(
        "a time stamp is read, and written in UTC without trailing zeros",
        arguments: [
            ("1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z"),
            ("2026-11-23T13:20:48.378648997Z", 1_795_440_048_378_648_997, "2026-11-23T13:20:48.378648997Z"),
            ("2026-03-01T09:15:30.500+01:00", 1_772_352_930_500_000_000, "2026-03-01T08:15:30.5Z"),
            ("2026-03-01T00:00:00-23:59", 1_772_409_540_000_000_000, "2026-03-01T23:59:00Z"),
            ("2000-02-29T23:59:59.0000000019Z", 951_868_799_000_000_001, "2000-02-29T23:59:59.000000001Z"),
            ("1969-12-31T23:59:59.25Z", -750_000_000, "1969-12-31T23:59:59.25Z"),
            ("1677-09-21T00:12:43.145224192Z", Int64.min, "1677-09-21T00:12:43.145224192Z"),
            ("2262-04-11T23:47:16.854775807Z", Int64.max, "2262-04-11T23:47:16.854775807Z"),
            ("9999-12-31T23:59:59Z", Int64.max, "2262-04-11T23:47:16.854775807Z"),
            ("0000-01-01T00:00:00Z", Int64.min, "1677-09-21T00:12:43.145224192Z"),
        ]
    )
    func parsing(text: String, nanoseconds: Int64, written: String) throws {
        let time = try #require(WallTime(rfc3339: text))
        #expect(time.nanosecondsSinceEpoch == nanoseconds)
        #expect(time.rfc3339 == written)
        #expect(WallTime(rfc3339: Array(text.utf8)[...]) == time)
    }

    @Test(
        "what is no time stamp, or no day of the calendar, is refused",
        arguments: [
            "", "tomorrow", "2026-03-01", "2026-03-01T08:15:30", "2026-03-01 08:15:30Z", "2026-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
            "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z",
            "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00+1:00", "2026-01-01T00:00:00+24:00",
            "2026-01-01T00:00:00+00:60", "2026-01-01T00:00:00Zx", "300000-01-01T00:00:00Z", "-026-01-01T00:00:00Z",
            "2026-01-01T00:00:00.5", "2026-1-01T00:00:00Z", "2026-01-01T00:00:00.1x5Z",
        ]
    )
    func refusing(text: String) {
        #expect(WallTime(rfc3339: text) == nil)
    }

    @Test("any time is the same after it was written and read", arguments: UInt64(1)...20)
    func roundTrip(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            let time = WallTime(nanosecondsSinceEpoch: Int64.random(in: .min ... .max, using: &generator))
            #expect(WallTime(rfc3339: time.rfc3339) == time)
            #expect(time.rfc3339.hasPrefix(time.dayText + "T"))
        }
    }

    @Test("sums stop at the ends of the range")
    func sums() {
        let time = WallTime(nanosecondsSinceEpoch: 5)
        #expect((time + .seconds(2)).nanosecondsSinceEpoch == 2_000_000_005)
        #expect((time + .milliseconds(-1)).nanosecondsSinceEpoch == -999_995)
        #expect((time + .seconds(Int64.max)).nanosecondsSinceEpoch == .max)
        #expect((time + .seconds(Int64.min)).nanosecondsSinceEpoch == .min)
        #expect(time.duration(to: time + .seconds(3)) == .seconds(3))
        #expect(WallTime(nanosecondsSinceEpoch: 1_500_000_000).secondsSinceEpoch == 1.5)
        let uptime = Uptime(nanoseconds: 7)
        #expect((uptime + .seconds(1)).nanoseconds == 1_000_000_007)
        #expect(uptime + .seconds(Int64.max) == Uptime(nanoseconds: .max))
        #expect((uptime + .seconds(1)).duration(to: uptime) == .seconds(-1))
    }
}
