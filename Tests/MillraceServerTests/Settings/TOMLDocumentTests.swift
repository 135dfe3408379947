import Testing

@testable import MillraceServer

@Suite("TOML documents")
struct TOMLDocumentTests {
    @Test(
        "a value is read as what it is",
        arguments: [
            ("0", .integer(0)), ("+17", .integer(17)), ("-1_000", .integer(-1000)),
            ("0xDead_beef", .integer(0xDEAD_BEEF)),
            ("0o17", .integer(15)), ("0b1_01", .integer(5)), ("-9223372036854775808", .integer(.min)),
            ("1.5", .decimal(1.5)), ("-0.0", .decimal(0)), ("6.02e23", .decimal(6.02e23)), ("1E+06", .decimal(1e6)),
            ("1_0.0_1", .decimal(10.01)), ("-inf", .decimal(-.infinity)),
            ("true", .boolean(true)), ("false", .boolean(false)),
            (#""a\tb\"\\\u00e9\U0001F600""#, .text("a\tb\"\\é😀")), (#"'C:\no'"#, .text(#"C:\no"#)), (#""""#, .text("")),
            ("\"\"\"\"\"\"", .text("")), ("\"\"\"a\" \"\"b\"\"\"", .text("a\" \"\"b")),
            ("\"\"\"x\"\"\"\"\"", .text("x\"\"")),
            ("\"\"\"\na\r\nb\"\"\"", .text("a\r\nb")), ("\"\"\"a \\  \n\n   b\"\"\"", .text("a b")),
            ("'''\n\\a'b'''", .text("\\a'b")),
            ("1979-05-27", .other("date")), ("07:32:00.25", .other("time")), ("2000-02-29", .other("date")),
            ("1979-05-27T07:32:00Z", .other("date and time")), ("1979-05-27 07:32:60", .other("date and time")),
            ("1979-05-27t00:32:00.999-07:00", .other("date and time")),
            ("[]", .list([])), ("[1, [2,], # ]\n\n 3\n]", .list([.integer(1), .list([.integer(2)]), .integer(3)])),
            ("{}", .table([:])),
            (
                "{ a.b = 1, \"c\" = { d = 2 } }",
                .table(["a": .table(["b": .integer(1)]), "c": .table(["d": .integer(2)])])
            ),
        ] as [(String, SettingValue)]
    )
    func values(text: String, value: SettingValue) throws {
        #expect(try TOMLDocument("key = \(text) # comment").root == ["key": value])
    }

    @Test(
        "what is no value is a mistake",
        arguments: [
            "", "00", "01", "1_", "_1", "1__0", "0x", "0xg", "+0x1", "9223372036854775808", "1.", ".5", "1.e5", "1e",
            "1e5.0",
            "01.5", "True", "infinity", "nan1", "1 2", "1979-05-27 0", "1979-05-27T?7:32:00Z", "19'9-05-27 0",
            "19?9-05-27 0",
            "1979-13-01", "1979-02-29", "1979-00-01", "1979-05-27T", "1979-05-27T24:00:00", "1979-05-27T07:32",
            "07:60:00",
            "1979-05-27T07:32:00.", "1979-05-27T07:32:00+24:00", "1979-05-27x07:32:00", "\"", "\"a", "\"\\q\"",
            "\"\\u12\"",
            "\"\\ud800\"", "\"\\U00110000\"", "\"\\", "\"\u{1}\"", "'a", "'''a", "\"\"\"a\"\"", "\"\"\"\u{7}\"\"\"",
            "\"\"\"a\\ b\"\"\"",
            "\"\"\"\"\"\"\"\"\"", "[", "[1", "[1 2]", "[,]", "[1,,2]", "{", "{a}", "{a=1,}", "{a=1 b=2}", "{a=1\n}",
            "{a=1, a=2}", "]", "=",
            "1\r2", "1 # \u{1}",
        ]
    )
    func mistakes(text: String) throws {
        let error = #expect(throws: TOMLMistake.self) { try TOMLDocument("\nkey = \(text)") }
        #expect(try #require(error).reason.allSatisfy { !$0.isNewline })
        #expect(try #require(error).line >= 2)
    }

    @Test("tables are made by headers, by headers inside them and by dotted keys")
    func tables() throws {
        let document = try TOMLDocument(
            """
            top.level = 1
            [a.b]
            c = 1
            [a]
            "d.e" . f = 2
            d.g = 3
            [[list]]
            x = 1
            [[list]]
            x = 2
            [list.inner]
            y = 3
            """
        )
        #expect(
            document.root == [
                "top": .table(["level": .integer(1)]),
                "a": .table([
                    "b": .table(["c": .integer(1)]),
                    "d.e": .table(["f": .integer(2)]),
                    "d": .table(["g": .integer(3)]),
                ]),
                "list": .list([
                    .table(["x": .integer(1)]),
                    .table(["x": .integer(2), "inner": .table(["y": .integer(3)])]),
                ]),
            ]
        )
    }

    @Test(
        "what cannot be there twice tells where the first is",
        arguments: [
            ("a = 1\na = 2", "a is there already", 2, 1),
            ("[a]\n[b]\n[a]", "a is there already", 3, 1),
            ("[a]\nb.c = 1\n[a.b]", "a.b is there already", 3, 2),
            ("[a.b]\n[a]\nb.c = 1", "a.b is there already", 3, 1),
            ("a = {}\n[a.b]", "a is a value and no table", 2, 1),
            ("a = []\n[[a]]", "a is there already", 2, 1),
            ("[[a]]\n[a]", "a is there already", 2, 1),
            ("[a]\n[[a]]", "a is there already", 2, 1),
            ("a = 1\na.b = 2", "a is there already", 2, 1),
            ("\"a\\n.\" = 1\n\"a\\n.\" = 2", "\"a\\n.\" is there already", 2, 1),
            ("a.b = 1\na = 2", "a is there already", 2, 1),
        ]
    )
    func clashes(text: String, reason: String, line: Int, earlierLine: Int) {
        #expect(throws: TOMLMistake(line: line, reason: reason, earlierLine: earlierLine)) { try TOMLDocument(text) }
    }

    @Test(
        "a header or a key that is not one is a mistake on its line",
        arguments: [
            ("[", "expected the name of a table, found the end of the line"),
            ("[(front]", "expected the name of a table, found \"(\""),
            ("[[", "expected the name of a table, found the end of the line"),
            ("[ é]", "expected the name of a table, found \"é\""),
            ("[#]", "expected the name of a table, found \"#\""),
            ("[ [front]]", "expected the name of a table, found \"[\""),
            ("[]", "expected the name of a table, found \"]\""),
            ("[a", "expected \"]\", found the end of the line"),
            ("[[a]", "expected \"]]\", found \"]\""),
            ("[a] b = 1", "expected the end of the line, found \"b\""),
            ("[a.]", "expected the name of a table, found \"]\""),
            ("a", "expected \"=\" after the key, found the end of the line"),
            ("= 1", "expected a key, found \"=\""),
            ("a..b = 1", "expected a key, found \".\""),
            ("\"\"\"a\"\"\" = 1", "expected \"=\" after the key, found \"\"\""),
            ("\u{1} = 1", "expected a key, found the control character 1"),
            ("\ra = 1", "expected a key, found the control character 13"),
            ("a = 1 b = 2", "expected the end of the line, found \"b\""),
        ]
    )
    func structure(text: String, reason: String) {
        #expect(throws: TOMLMistake(line: 2, reason: reason)) { try TOMLDocument("x = 1\n\(text)\n") }
    }

    @Test("each table and key is found on its line, whatever stands between them")
    func lines() throws {
        let document = try TOMLDocument(
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
            [[cron]]
            schedule = "1 * * * *"
            """
        )
        #expect(document.line(of: ["mode"]) == 2)
        #expect(document.line(of: ["front"]) == 4)
        #expect(document.line(of: ["front", "bind"]) == 5)
        #expect(document.line(of: ["front", "text"]) == 9)
        #expect(document.line(of: ["front", "fake"]) == 4)
        #expect(document.line(of: ["front", "path"]) == 13)
        #expect(document.line(of: ["front", "fetch_wait"]) == 14)
        #expect(document.line(of: ["web", "a", "b", "c"]) == 17)
        #expect(document.line(of: ["web", "a"]) == 17)
        #expect(document.line(of: ["web", "inline", "y", "z"]) == 18)
        #expect(document.line(of: ["web", "after"]) == 19)
        #expect(document.line(of: ["cron"]) == 20)
        #expect(document.line(of: ["nowhere"]) == 1)
    }

    @Test("carriage returns and a missing line end make no difference")
    func lineEnds() throws {
        let document = try TOMLDocument("a = 1\r\n[t]\r\nb = \"x\"\r\nc = 2")
        #expect(document.line(of: ["t", "b"]) == 3)
        #expect(document.line(of: ["t", "c"]) == 4)
        #expect(document.root["t"] == .table(["b": .text("x"), "c": .integer(2)]))
    }

    @Test("a string that is not closed is a mistake where it begins")
    func openString() {
        #expect(throws: TOMLMistake(line: 2, reason: "a string of several lines is not closed")) {
            try TOMLDocument("\na = '''\nb\nc\n")
        }
    }

    @Test("keys and values are as deep as the bound allows, and no deeper")
    func depth() throws {
        let bound = TOMLReader.maximumDepth
        func nested(_ depth: Int) -> String {
            "a = " + String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        func dotted(_ count: Int) -> String {
            Array(repeating: "k", count: count).joined(separator: ".") + " = 1"
        }
        #expect(try TOMLDocument(nested(bound)).root.keys.contains("a"))
        #expect(try TOMLDocument(dotted(bound)).root.keys.contains("k"))
        #expect(throws: TOMLMistake.self) { try TOMLDocument(nested(bound + 1)) }
        #expect(throws: TOMLMistake.self) { try TOMLDocument(dotted(bound + 1)) }
        #expect(throws: TOMLMistake.self) { try TOMLDocument("a = " + String(repeating: "[", count: 1_000_000)) }
    }
}
