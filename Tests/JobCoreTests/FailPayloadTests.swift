import JobCore
import Testing

@Suite("Failure reports")
struct FailPayloadTests {
    private static func parse(_ text: String) throws(JobRejection) -> FailPayload {
        try FailPayload(parsing: Array(text.utf8)[...])
    }

    @Test(
        "what is missing or blank is unknown, and the rest is trimmed",
        arguments: [
            (#"{"jid":"x"}"#, "unknown", "unknown", []),
            (#"{"JID":"x","errtype":null,"message":" \t\n","backtrace":null}"#, "unknown", "unknown", []),
            (#"{"jid":"x","errType":" E ","message":"\u00a0a b\r\n","backtrace":["l",null]}"#, "E", "a b", ["l", ""]),
        ] as [(String, String, String, [String])]
    )
    func cleaning(text: String, errorType: String, message: String, backtrace: [String]) throws {
        let report = try Self.parse(text)
        #expect(report.jobID == JobID("x"))
        #expect(report.errorType == errorType)
        #expect(report.message == message)
        #expect(report.backtrace == backtrace)
    }

    @Test("texts are cut to 100 and 1000 bytes between two characters, and a backtrace to 50 lines")
    func cutting() {
        func report(_ text: String, lineCount: Int = 0) -> FailPayload {
            let lines = (0..<lineCount).map { "line \($0)" }
            return FailPayload(jobID: JobID("x"), errorType: text, message: text, backtrace: lines)
        }
        let letters = String(repeating: "a", count: 1001)
        #expect(report(String(letters.prefix(100))).errorType.utf8.count == 100)
        #expect(report(String(letters.prefix(101))).errorType.utf8.count == 100)
        #expect(report(String(letters.prefix(1000))).message.utf8.count == 1000)
        #expect(report(letters).message.utf8.count == 1000)
        let emoji = "a" + String(repeating: "😀", count: 300)
        #expect(report(emoji).errorType == "a" + String(repeating: "😀", count: 24))
        #expect(report(emoji).message == "a" + String(repeating: "😀", count: 249))
        #expect(report("a", lineCount: 50).backtrace.count == 50)
        #expect(report("a", lineCount: 51).backtrace.last == "line 49")
    }

    @Test(
        "a report without a jid, or that cannot be read, is refused",
        arguments: [
            ("{}", "missing JID"), ("null", "missing JID"), (#"{"jid":""}"#, "missing JID"),
            ("", "invalid FAIL "), ("{", "invalid FAIL {"), ("[]", "invalid FAIL []"),
            (#"{"jid":1}"#, #"invalid FAIL {"jid":1}"#),
            (#"{"jid":"x","errtype":1}"#, #"invalid FAIL {"jid":"x","errtype":1}"#),
            (#"{"jid":"x","backtrace":"l"}"#, #"invalid FAIL {"jid":"x","backtrace":"l"}"#),
            (#"{"jid":"x","backtrace":[1]}"#, #"invalid FAIL {"jid":"x","backtrace":[1]}"#),
        ]
    )
    func refusing(text: String, message: String) {
        let rejection = #expect(throws: JobRejection.self) { try Self.parse(text) }
        #expect(rejection?.message == message)
    }

    @Test("an expired reservation is reported in upstream's words")
    func expiry() {
        let report = FailPayload.reservationExpired(for: JobID("x"))
        #expect(report.errorType == "ReservationExpired")
        #expect(report.message == "Faktory job reservation expired")
        #expect(report.backtrace.isEmpty)
    }

    @Test("an echo has no control characters and at most a thousand bytes of the client's text")
    func echo() {
        #expect(EchoedText("a\r\n\0\u{7F}\u{85}é").description == "a?????é")
        let longest = String(repeating: "é", count: 500)
        #expect(EchoedText(longest).description == longest)
        #expect(EchoedText(longest + "x").description == longest + "...")
        #expect(EchoedText(Array(longest.utf8)).description == longest)
        #expect(EchoedText(Array((longest + "x").utf8)).description == longest + "...")
        #expect(EchoedText([0xFF, 0x61]).description == "\u{FFFD}a")
    }
}
