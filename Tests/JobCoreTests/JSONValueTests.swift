import JobCore
import Testing

@Suite("JSON documents")
struct JSONValueTests {
    @Test("a document that is read and written again is the same but for white space")
    func roundTrip() throws {
        let text = #"{"b":[1.10,1e400,12345678901234567890,null,true,false],"a":{"":"é😀<\u2028\"\\\/\n\u0001"},"a":[]}"#
        let document = try JSONValue(parsing: " " + text + "\n")
        let again = try JSONValue(parsing: document.encoded)
        #expect(again == document)
        #expect(
            String(decoding: document.encoded, as: UTF8.self)
                == #"{"b":[1.10,1e400,12345678901234567890,null,true,false],"a":{"":"é😀<"# + "\u{2028}"
                + #"\"\\/\n\u0001"},"a":[]}"#
        )
    }

    @Test(
        "escapes become the characters that they spell, and a lone surrogate U+FFFD",
        arguments: [
            (#""\ud83d\ude00""#, "😀"), (#""\ud83d""#, "\u{FFFD}"), (#""\ude00\ud83d""#, "\u{FFFD}\u{FFFD}"),
            (#""\ud83dx""#, "\u{FFFD}x"), (#""\ud83d\u0041""#, "\u{FFFD}A"),
            (#""\u0000\b\f\n\r\t""#, "\0\u{8}\u{C}\n\r\t"),
            (#""\u20AC\\u20AC""#, "€\\u20AC"),
        ]
    )
    func escapes(text: String, decoded: String) throws {
        #expect(try JSONValue(parsing: text).string == decoded)
    }

    @Test("a field is found whatever the case of its key, the last one wins, and null counts as absent")
    func fields() throws {
        let document = try JSONValue(parsing: #"{"WID":"a","wId":"b","pid":null,"n":5,"s":["x",null]}"#)
        #expect(document.field("wid") == "b")
        #expect(document.field("pid") == nil)
        #expect(document.field("none") == nil)
        #expect(document.field("n")?.integer == 5)
        #expect(document.field("s")?.strings == ["x", ""])
        #expect(JSONValue.array([1, "x"]).strings == nil)
        #expect(JSONValue.number("1.0").integer == nil)
        #expect(JSONValue.null.field("x") == nil)
    }

    @Test("64 open brackets are accepted, and one more is not")
    func depth() throws {
        let deepest = JSONValue.maximumDepth
        _ = try JSONValue(parsing: JSONScannerTests.nested(depth: deepest))
        #expect(throws: JSONError.self) { try JSONValue(parsing: JSONScannerTests.nested(depth: deepest + 1)) }
    }
}
