import Foundation
import Logging
import Testing

@testable import MillraceServer

@Suite("Log lines")
struct LogLineTests {
    /// The moment 2026-11-23T13:19:52.658Z.
    private static let time = 1_795_439_992_658

    private static func line(
        _ message: String,
        _ metadata: [(key: String, value: String)] = [],
        level: Logger.Level = .info,
        format: LogSection.Format = .text,
        isColoured: Bool = false
    ) -> String {
        let line = LogLine(
            message,
            level: level,
            metadata: metadata,
            milliseconds: Self.time,
            format: format,
            isColoured: isColoured
        )
        return String(decoding: line.bytes, as: UTF8.self)
    }

    @Test("a text line looks as Faktory's does")
    func faktory() {
        #expect(
            Self.line("Web server now listening at 127.0.0.1:17420")
                == "I 2026-11-23T13:19:52.658Z Web server now listening at 127.0.0.1:17420\n"
        )
    }

    @Test("metadata follows the message, in quotes where a value is not one plain word")
    func metadata() {
        let line = Self.line(
            "pushed",
            [("jid", "abc-1"), ("empty", ""), ("text", "a b"), ("quote", "a\"b"), ("sign", "a=b")]
        )
        #expect(line.hasSuffix(#"pushed jid=abc-1 empty="" text="a b" quote="a\"b" sign="a=b""# + "\n"))
    }

    @Test(
        "each level has Faktory's letter",
        arguments: zip(Logger.Level.allCases, ["D", "D", "I", "I", "W", "E", "F"])
    )
    func letters(level: Logger.Level, letter: String) {
        #expect(Self.line("x", level: level).hasPrefix(letter + " "))
    }

    @Test("only the letter is coloured")
    func colour() {
        #expect(Self.line("x", isColoured: true).hasPrefix("\u{1B}[34mI\u{1B}[0m 2026-"))
    }

    @Test(
        "nothing in a message or value starts a new line or reaches the terminal",
        arguments: [LogSection.Format.text, .json]
    )
    func noForgery(format: LogSection.Format) {
        let evil = "x\nE 2026\r\u{1B}[2J\u{0}\u{7F}\u{9B}\u{2028}\u{202E}\u{FEFF}"
        let line = Self.line(evil, [(key: evil, value: evil)], format: format)
        #expect(line.unicodeScalars.filter { $0 == "\n" }.count == 1)
        #expect(line.hasSuffix("\n"))
        let forbidden: Set<Unicode.Scalar> = [
            "\r", "\u{1B}", "\u{0}", "\u{7F}", "\u{9B}", "\u{2028}", "\u{202E}", "\u{FEFF}",
        ]
        #expect(!line.unicodeScalars.contains { forbidden.contains($0) })
        #expect(line.contains("\\u001b[2J\\u0000\\u007f\\u009b\\u2028\\u202e\\ufeff"))
    }

    @Test("a JSON line is one object that gives back what was logged")
    func json() throws {
        let value = "a\"b\\c\n\té\u{1F600}"
        let line = Self.line("mess\"age", [("key", value)], level: .warning, format: .json)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String])
        #expect(
            object == ["time": "2026-11-23T13:19:52.658Z", "level": "warning", "message": "mess\"age", "key": value]
        )
    }

    @Test("a message is cut at its bound, between two characters")
    func longMessage() {
        let fits = String(repeating: "a", count: LogLine.longestMessage)
        #expect(Self.line(fits).hasSuffix("aa\n"))
        #expect(Self.line(fits + "a").hasSuffix("aa truncated=true\n"))
        let cut = Self.line("a" + String(repeating: "é", count: LogLine.longestMessage / 2))
        #expect(cut.hasSuffix("é truncated=true\n"))
    }

    @Test(
        "no line is longer than a pipe takes in one piece, and a cut JSON line is still an object",
        arguments: [LogSection.Format.text, .json]
    )
    func longLine(format: LogSection.Format) throws {
        for length in [10, 900, 1_500] {
            let pairs = (0..<500).map { (key: "key\($0)", value: String(repeating: "\u{1}", count: length)) }
            let line = Self.line(String(repeating: "\u{1}", count: 5_000), pairs, format: format)
            #expect(line.utf8.count <= LogLine.longest)
            #expect(line.contains("truncated"))
            if format == .json {
                #expect(try JSONSerialization.jsonObject(with: Data(line.utf8)) is [String: Any])
            }
        }
    }

    @Test(
        "times are right at the edges of days, years and leap years",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"), (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (1_767_225_599_999, "2025-12-31T23:59:59.999Z"), (1_767_225_600_000, "2026-01-01T00:00:00.000Z"),
        ]
    )
    func times(milliseconds: Int, text: String) {
        var bytes: [UInt8] = []
        LogTimestamp.append(milliseconds: milliseconds, to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == text)
    }
}
