import Testing

/// The example of an executable of one's own, in docs/examples/middleware, run as a whole.
struct ExampleTests {
    private static func withExample<Value: Sendable>(
        _ body: @escaping @Sendable (MillraceProcesses) throws -> Value
    ) async throws -> Value {
        try await onThread {
            try body(MillraceProcesses(executable: try Millrace.path(of: "millrace-with-rules")))
        }
    }

    private static func push(_ jid: String, queue: String = "q", custom: String = "{}") -> String {
        #"PUSH {"jid":"\#(jid)","jobtype":"A","args":[],"queue":"\#(queue)","custom":\#(custom)}"#
    }

    @Test("middleware of an executable of one's own refuses what is not unique, until the first is acknowledged")
    func unique() async throws {
        try await Self.withExample { server in
            let client = try server.connect()
            let invoice = #"{"unique_key":"invoice-7"}"#
            #expect(try client.ask(Self.push("unique-job-1", custom: invoice)) == "+OK\r\n")
            #expect(try client.ask(Self.push("unique-job-2", custom: invoice)) == "-NOTUNIQUE Job not unique\r\n")
            #expect(try client.fetch("q")?.jid == "unique-job-1")
            #expect(try client.ask(#"ACK {"jid":"unique-job-1"}"#) == "+OK\r\n")
            #expect(try client.ask(Self.push("unique-job-2", custom: invoice)) == "+OK\r\n")
        }
    }
}
