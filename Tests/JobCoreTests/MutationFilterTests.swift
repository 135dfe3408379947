import JobCore
import Testing

@Suite("Filters of MUTATE")
struct MutationFilterTests {
    @Test(
        "a pattern matches as in Redis",
        arguments: [
            ("", "", true), ("", "a", false), ("*", "", true), ("*", "abc", true), ("a*", "abc", true),
            ("*c", "abc", true), ("*b", "abc", false), ("a*c*e", "abcde", true), ("?", "a", true), ("?", "", false),
            ("a?c", "abc", true), ("a?c", "ac", false), ("[a-c]x", "bx", true), ("[c-a]x", "bx", true),
            ("[a-c]x", "dx", false), ("[^a-c]x", "dx", true), ("[^a-c]x", "bx", false), ("[abc]", "c", true),
            (#"[\]]"#, "]", true), (#"[\^a]"#, "^", true), ("[]", "a", false), ("[^]", "a", true), ("[a", "a", true),
            ("[a-", "-", true), (#"\*"#, "*", true), (#"\*"#, "a", false), (#"a\"#, #"a\"#, true),
            (#"\["#, "[", true), ("**a**", "bab", true), ("*ab*ab*", "abcab", true), ("*aab", "aaab", true),
            ("*ab*ab*", "abcb", false),
            (#"*"args":\["fizz"\]*"#, #"{"args":["fizz"]}"#, true), ("ABC", "abc", false),
        ]
    )
    func glob(pattern: String, text: String, isMatch: Bool) throws {
        #expect(try #require(Glob(pattern)).matches(text) == isMatch)
    }

    @Test(
        "no pattern takes more than a step for each byte and 64 of its characters",
        arguments: [("*a", 511), ("a", 1_022)]
    )
    func hostilePattern(part: String, count: Int) throws {
        let pattern = try #require(Glob("*" + String(repeating: part, count: count) + "b"))
        #expect(pattern.stepsPerByte == (part == "a" ? 16 : 9))
        let text = String(repeating: "a", count: 200_000)
        #expect(!pattern.matches(text))
        #expect(pattern.matches(text + "b"))
    }

    @Test("places beyond a word lead on to the next", arguments: [62, 63, 64, 65, 127, 128, 129, 1_000])
    func words(length: Int) throws {
        let text = String(repeating: "x", count: length)
        let exact = try #require(Glob(text))
        #expect(exact.matches(text) && !exact.matches(text + "x") && !exact.matches(String(text.dropLast())))
        let open = try #require(Glob(text + "*y*z"))
        #expect(open.matches(text + "yz") && open.matches(text + "xxyyyzz") && !open.matches(text + "zy"))
    }

    @Test("names win over everything, the other conditions all have to hold, and none means all")
    func conditions() throws {
        let job = try Job(payload(#""custom":{"jobtype":"Other"}"#))
        let matching = Glob("*ShipOrder*")
        let other = Glob("*nothing*")
        let table: [(MutationFilter, Bool)] = [
            (MutationFilter(), true),
            (MutationFilter(ids: JobIDList([job.id.text]), pattern: other, type: "Other"), true),
            (MutationFilter(ids: ["another-one"], pattern: matching, type: "ShipOrder"), false),
            (MutationFilter(type: "ShipOrder"), true),
            (MutationFilter(type: "Other"), false),
            (MutationFilter(type: "Ship"), false),
            (MutationFilter(pattern: matching), true),
            (MutationFilter(pattern: matching, type: "ShipOrder"), true),
            (MutationFilter(pattern: matching, type: "Other"), false),
            (MutationFilter(pattern: other, type: "ShipOrder"), false),
        ]
        for (filter, isMatch) in table {
            #expect(filter.matches(job) == isMatch, "\(filter)")
        }
    }

    @Test("patterns see the known fields in upstream's order without white space, empty ones left out")
    func rendering() throws {
        let job = try Job(
            #"{"backtrace":0, "reserve_for": 60,"args" : [ "a b\" ,", 1.10 ],"at":"","priority":5,"queue":"q", "#
                + #""jobtype":"A","jid":"order-000017","custom":{ "x" : [ ] },"failure":null,"retry":3}"#
        )
        #expect(
            String(decoding: job.upstreamRendering, as: UTF8.self)
                == #"{"retry":3,"custom":{"x":[]},"jid":"order-000017","queue":"q","jobtype":"A","#
                + #""args":["a b\" ,",1.10],"reserve_for":60}"#
        )
        #expect(MutationFilter(pattern: Glob(#"*"args":?"a b*"#)).matches(job))
    }
}
