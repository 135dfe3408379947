import FaktoryWire
import NIOCore
import Testing

@Suite("Hello")
struct HelloTests {
    private func parse(_ line: String) -> Hello? {
        Hello(parsing: line.utf8)
    }

    @Test("a worker's introduction is read whole, keys in any case and unknown ones ignored")
    func whole() throws {
        let hello = try #require(
            self.parse(
                """
                HELLO {"V":2,"pwdhash":"ab","wid":"w-1","hostname":"ci-7","pid":411,\
                "labels":["blue","a b"],"username":"u","rss_kb":54176,"colour":{}}
                """
            )
        )
        let expected = Hello(
            version: 2,
            passwordHash: "ab",
            workerID: "w-1",
            hostname: "ci-7",
            processID: 411,
            labels: ["blue", "a b"],
            username: "u",
            residentKilobytes: 54176
        )
        #expect(hello == expected)
    }

    @Test(
        "what is absent, null or an empty worker's id counts as absent",
        arguments: [
            "HELLO {}", "HELLO {\"wid\":null,\"pwdhash\":null,\"labels\":null,\"v\":null,\"pid\":null}",
            "HELLO {\"wid\":\"\"}",
        ]
    )
    func absent(line: String) {
        #expect(self.parse(line) == Hello(version: 0))
    }

    @Test(
        "a line that upstream closes the connection for is refused",
        arguments: [
            "HELLO", "HELLO ", "hello {}", "HELLO{}", "HELLO  {}", "INFO", "", "HELLO {", "HELLO {} x",
            "HELLO {\"v\":}",
            "HELLO {\"v\":\"2\"}", "HELLO {\"v\":-1}", "HELLO {\"v\":256}", "HELLO {\"v\":1.0}", "HELLO {\"wid\":7}",
            "HELLO {\"pid\":\"7\"}", "HELLO {\"labels\":\"a\"}", "HELLO {\"labels\":[1]}", "HELLO {\"pwdhash\":[]}",
            "HELLO {\"rss_kb\":true}", "HELLO {\"username\":{}}", "HELLO {\"hostname\":0}",
        ]
    )
    func refused(line: String) {
        #expect(self.parse(line) == nil)
    }

    @Test("every version that fits a byte is taken", arguments: [0, 1, 2, 3, 255])
    func versions(version: Int) {
        #expect(self.parse("HELLO {\"v\":\(version)}")?.version == UInt8(version))
    }

    @Test("as many labels as are allowed are taken, and one more is not")
    func labelBound() {
        func line(_ count: Int) -> String {
            "HELLO {\"labels\":[\(Array(repeating: "\"x\"", count: count).joined(separator: ","))]}"
        }
        #expect(self.parse(line(Hello.maximumLabelCount))?.labels.count == Hello.maximumLabelCount)
        #expect(self.parse(line(Hello.maximumLabelCount + 1)) == nil)
    }

    @Test(
        "texts up to the bound are taken, and one byte more is not",
        arguments: ["wid", "hostname", "username", "pwdhash"]
    )
    func textBound(field: String) {
        func line(_ count: Int) -> String {
            "HELLO {\"\(field)\":\"\(String(repeating: "x", count: count))\"}"
        }
        #expect(self.parse(line(Hello.maximumTextByteCount)) != nil)
        #expect(self.parse(line(Hello.maximumTextByteCount + 1)) == nil)
    }

    @Test("a line up to the bound is looked at, and one byte more is not")
    func lineBound() {
        func line(_ count: Int) -> String {
            "HELLO {" + String(repeating: " ", count: count - 8) + "}"
        }
        #expect(self.parse(line(Hello.maximumByteCount)) != nil)
        #expect(self.parse(line(Hello.maximumByteCount + 1)) == nil)
    }

    @Test("a client's line leaves out what it has not got")
    func written() {
        var buffer = ByteBuffer()
        Hello().write(to: &buffer)
        Hello(passwordHash: "ab", workerID: "w", hostname: "h\"\n", processID: 1, labels: ["x"]).write(to: &buffer)
        #expect(
            String(buffer: buffer) == "HELLO {\"v\":2}\r\n"
                + "HELLO {\"hostname\":\"h\\\"\\n\",\"wid\":\"w\",\"pid\":1,\"labels\":[\"x\"],\"pwdhash\":\"ab\",\"v\":2}\r\n"
        )
    }
}
