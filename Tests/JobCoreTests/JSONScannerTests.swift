import JobCore
import Testing

@Suite("JSON scanner")
struct JSONScannerTests {
    @Test(
        "what RFC 8259 allows is accepted",
        arguments: [
            "null", " true ", "false", "0", "-0", "12", "-1.5", "1e400", "1E+2", "0.10e-3", "\"\"", "[]", "{}",
            "\t[ 1 ,\r\n2 ]\n", #"{"a":{"b":[{},[],""]},"a":1}"#, #""\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00""#,
            #""\ud800 alone""#, "\"\u{7F}é€😀\u{2028}\"", "\"0123456789abcdef\"",
        ]
    )
    func accepts(text: String) throws {
        try Self.check(Array(text.utf8))
    }

    @Test(
        "what RFC 8259 forbids is refused with the words of Go",
        arguments: [
            ("", "unexpected end of JSON input"),
            ("  ", "unexpected end of JSON input"),
            ("{", "unexpected end of JSON input"),
            (#"{"a""#, "unexpected end of JSON input"),
            (#""abc"#, "unexpected end of JSON input"),
            (#""abc\"#, "unexpected end of JSON input"),
            (#""\u12"#, "unexpected end of JSON input"),
            ("tru", "unexpected end of JSON input"),
            ("-", "unexpected end of JSON input"),
            ("1.", "unexpected end of JSON input"),
            ("1e", "unexpected end of JSON input"),
            ("nope", "invalid character 'o' in literal null (expecting 'u')"),
            ("x", "invalid character 'x' looking for beginning of value"),
            ("[1,]", "invalid character ']' looking for beginning of value"),
            ("[1 2]", "invalid character '2' after array element"),
            ("{,}", "invalid character ',' looking for beginning of object key string"),
            (#"{"a":1,}"#, "invalid character '}' looking for beginning of object key string"),
            (#"{"a" 1}"#, "invalid character '1' after object key"),
            (#"{"a":1 "b":2}"#, "invalid character '\"' after object key:value pair"),
            ("{}}", "invalid character '}' after top-level value"),
            ("01", "invalid character '1' after top-level value"),
            ("-x", "invalid character 'x' in numeric literal"),
            ("+1", "invalid character '+' looking for beginning of value"),
            ("1.x", "invalid character 'x' after decimal point in numeric literal"),
            ("1e+x", "invalid character 'x' in exponent of numeric literal"),
            ("'a'", #"invalid character '\'' looking for beginning of value"#),
            ("\"a\nb\"", #"invalid character '\n' in string literal"#),
            ("\"01234567\u{0}\"", #"invalid character '\x00' in string literal"#),
            (#""\x""#, "invalid character 'x' in string escape code"),
            (#""\u12g4""#, "invalid character 'g' in \\u hexadecimal character escape"),
        ]
    )
    func refuses(text: String, message: String) {
        let error = #expect(throws: JSONError.self) { try Self.check(Array(text.utf8)) }
        #expect(error?.message == message)
    }

    @Test(
        "bytes that are no UTF-8 are refused",
        arguments: [
            [0x80], [0xC0, 0xAF], [0xC1, 0xBF], [0xC3], [0xC3, 0x28], [0xE0, 0x80, 0xAF], [0xE2, 0x82],
            [0xE2, 0x28, 0xA1],
            [0xED, 0xA0, 0x80], [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x9F, 0x98], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80],
            [0xFF], [0xF0, 0x9F, 0x98, 0x28],
        ] as [[UInt8]]
    )
    func refusesInvalidUTF8(bytes: [UInt8]) {
        #expect(throws: JSONError.self) { try Self.check([0x22] + bytes + [0x22]) }
        #expect(throws: JSONError.self) { try Self.check([0x22, 0x61] + bytes) }
    }

    @Test("512 open brackets are accepted and one more is not, whatever their kind")
    func depth() throws {
        let deepest = JSONScanner.maximumDepth
        try Self.check(Self.nested(depth: deepest))
        let error = #expect(throws: JSONError.self) { try Self.check(Self.nested(depth: deepest + 1)) }
        #expect(error?.message == "exceeded max depth")
        #expect(throws: JSONError.self) { try Self.check([UInt8](repeating: UInt8(ascii: "["), count: 1_000_000)) }
    }

    @Test("every cut of a text and every byte put into it is either accepted or refused, and never traps")
    func survivesDamage() {
        let text = Array(#"{"a":[1.5e3,-0,{"b":"\u00e9\n€"},null,true],"jid":"12345678"}"#.utf8)
        var refused = 0
        for end in text.indices where (try? Self.check(Array(text[..<end]))) == nil { refused += 1 }
        #expect(refused == text.count)
        for index in text.indices {
            for byte in UInt8.min...UInt8.max {
                var damaged = text
                damaged[index] = byte
                if (try? Self.check(damaged)) == nil { refused += 1 }
            }
        }
        #expect(refused > 10_000)
    }

    static func nested(depth: Int) -> [UInt8] {
        var text: [UInt8] = []
        for level in 0..<depth { text += Array((level % 2 == 0 ? "[" : #"{"k":"#).utf8) }
        text += Array("1".utf8)
        for level in (0..<depth).reversed() { text.append(UInt8(ascii: level % 2 == 0 ? "]" : "}")) }
        return text
    }

    private static func check(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBufferPointer { (bytes) throws(JSONError) in
            var scanner = JSONScanner(bytes)
            scanner.skipWhitespace()
            try scanner.skipValue(insideDepth: 0)
            try scanner.finish()
        }
    }
}
