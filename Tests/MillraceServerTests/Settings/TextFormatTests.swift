import Testing

@testable import MillraceServer

@Suite("Durations, sizes and addresses as text")
struct TextFormatTests {
    @Test(
        "a duration is read with its unit, or as seconds without one",
        arguments: [
            ("1.9s", Duration.milliseconds(1_900)), ("250ms", .milliseconds(250)), ("2m", .seconds(120)),
            ("1h", .seconds(3_600)), ("7d", .seconds(604_800)), ("60", .seconds(60)), ("0.25", .milliseconds(250)),
            ("5us", .microseconds(5)), ("1ns", .nanoseconds(1)), ("0s", .zero),
        ]
    )
    func readsDurations(text: String, expected: Duration) {
        #expect(DurationText.parse(text) == expected)
    }

    @Test(
        "what is not a duration is refused",
        arguments: [
            "", "s", "1x", "-1s", "1.s", ".5s", "1..5s", "0.5ns", "1 s", "9999999999s", "999999999d", "1e3", "١s",
        ]
    )
    func refusesDurations(text: String) {
        #expect(DurationText.parse(text) == nil)
    }

    @Test("seconds that are negative, endless or not a number are no duration", arguments: [-1, .infinity, .nan, 1e9])
    func refusesSeconds(seconds: Double) {
        #expect(DurationText.parse(seconds: seconds) == nil)
    }

    @Test(
        "a printed duration is read back as the same one",
        arguments: [
            ("1.9s", Duration.milliseconds(1_900)), ("250ms", .milliseconds(250)), ("120s", .seconds(120)),
            ("0.000005s", .microseconds(5)), ("0s", .zero),
        ]
    )
    func printsDurations(text: String, duration: Duration) {
        #expect(DurationText.print(duration) == text)
        #expect(DurationText.parse(text) == duration)
    }

    @Test(
        "a size is read with its unit, or as bytes without one",
        arguments: [
            ("0", 0), ("1024", 1_024), ("10B", 10), ("8MiB", 8_388_608), ("8 MiB", 8_388_608), ("64KiB", 65_536),
            ("1GB", 1_000_000_000), ("8388607TiB", 8_388_607 << 40),
        ]
    )
    func readsSizes(text: String, expected: Int) {
        #expect(ByteCountText.parse(text) == expected)
    }

    @Test("what is not a size is refused", arguments: ["", "MiB", "-1", "1.5MiB", "8mib", "8388608TiB", "1 M iB"])
    func refusesSizes(text: String) {
        #expect(ByteCountText.parse(text) == nil)
    }

    @Test(
        "a size is printed in the largest exact unit",
        arguments: [(8 << 20, "8MiB"), (1_025, "1025"), (0, "0"), (3 << 40, "3TiB")]
    )
    func printsSizes(bytes: Int, text: String) {
        #expect(ByteCountText.print(bytes) == text)
    }

    @Test(
        "an address is read and printed the same",
        arguments: [
            ("127.0.0.1:7419", HostPort(host: "127.0.0.1", port: 7419)), (":0", HostPort(host: "", port: 0)),
            ("[::1]:65535", HostPort(host: "::1", port: 65_535)), ("my_host-1:1", HostPort(host: "my_host-1", port: 1)),
        ]
    )
    func readsAddresses(text: String, expected: HostPort) {
        #expect(HostPort(parsing: text) == expected)
        #expect(expected.description == text)
    }

    @Test(
        "what is not an address is refused",
        arguments: [
            "", "7419", "host", "host:", "host:65536", "host:-1", "host:+1", "::1:7419", "[]:1", "a b:1", "[a/b]:1",
        ]
    )
    func refusesAddresses(text: String) {
        #expect(HostPort(parsing: text) == nil)
    }

    @Test("a misspelt name is recognised when it is near enough")
    func suggests() {
        #expect(
            Suggestion.nearest(to: "front.fecth_wait", among: ["front.bind", "front.fetch_wait"]) == "front.fetch_wait"
        )
        #expect(Suggestion.nearest(to: "zzz", among: ["front.bind"]) == nil)
        #expect(Suggestion.distance(Array("abcd".utf8), Array("abdc".utf8)) == 1)
        #expect(Suggestion.distance(Array("kitten".utf8), Array("sitting".utf8)) == 3)
    }
}
