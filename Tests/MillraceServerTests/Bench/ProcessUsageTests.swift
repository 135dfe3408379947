import MillraceServer
import Testing

@Suite("What a process used")
struct ProcessUsageTests {
    @Test("user and system time are added, even when the program's name has blanks and brackets")
    func stat() throws {
        let text = "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 20 22 13 14 15 16 17 18 19 20 99"
        let usage = try #require(ProcessUsage(parsingStat: text))
        #expect(usage.cpuTicks == 42)
        #expect(usage.residentPageCount == 99)
    }

    @Test("what is no line of /proc is refused", arguments: ["", "1 (a) S 1 2", "no brackets at all"])
    func wrong(text: String) {
        #expect(ProcessUsage(parsingStat: text) == nil)
    }

    @Test("time that went backwards counts as none")
    func backwards() throws {
        let earlier = try #require(
            ProcessUsage(parsingStat: "7 (a) S 1 2 3 4 5 6 7 8 9 10 20 22 13 14 15 16 17 18 19 20 99")
        )
        let later = try #require(
            ProcessUsage(parsingStat: "7 (a) S 1 2 3 4 5 6 7 8 9 10 20 21 13 14 15 16 17 18 19 20 99")
        )
        #expect(later.cpuSeconds(since: earlier) == 0)
        #expect(earlier.cpuSeconds(since: later) > 0)
    }
}
