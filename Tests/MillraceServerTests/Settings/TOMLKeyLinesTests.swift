import Testing

@testable import MillraceServer

@Suite("Lines of TOML keys")
struct TOMLKeyLinesTests {
    @Test("each table and key is found on its line, whatever stands between them")
    func finds() {
        let lines = TOMLKeyLines(
            """
            # [front]
            mode = "single" # key = 1

            [front]
            bind = [
              "a:1", # ]
              "b = [:2",
            ]
            text = \"\"\"
            fake = 1
            \\\"\"\" [nothing]
            \"\"\"
            path = 'C:\\'
            "fetch_wait" = "1s"

            [ web ]
            a.b . c = 3
            inline = { x = 1, y = { z = "}" } }
            after = 1
            [[cron]]
            schedule = "* * * * *"
            """
        )
        #expect(lines.line(of: ["mode"]) == 2)
        #expect(lines.line(of: ["front"]) == 4)
        #expect(lines.line(of: ["front", "bind"]) == 5)
        #expect(lines.line(of: ["front", "text"]) == 9)
        #expect(lines.line(of: ["front", "fake"]) == 4)
        #expect(lines.line(of: ["front", "path"]) == 13)
        #expect(lines.line(of: ["front", "fetch_wait"]) == 14)
        #expect(lines.line(of: ["web", "a", "b", "c"]) == 17)
        #expect(lines.line(of: ["web", "a"]) == 17)
        #expect(lines.line(of: ["web", "inline", "y", "z"]) == 18)
        #expect(lines.line(of: ["web", "after"]) == 19)
        #expect(lines.line(of: ["cron"]) == 20)
        #expect(lines.line(of: ["nowhere"]) == 1)
    }

    @Test("carriage returns and a missing line end make no difference")
    func lineEnds() {
        let lines = TOMLKeyLines("a = 1\r\n[t]\r\nb = \"x\"\r\nc = 2")
        #expect(lines.line(of: ["t", "b"]) == 3)
        #expect(lines.line(of: ["t", "c"]) == 4)
    }

    @Test(
        "any text is scanned to its end",
        arguments: ["", "[", "[[", "=", "a", "a =", "a = \"", "a = '''", "\"", "a=\"\\", "]", "#"]
    )
    func endsAlways(text: String) {
        #expect(TOMLKeyLines(text).line(of: ["none"]) == 1)
    }
}
