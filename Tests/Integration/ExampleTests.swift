import Testing

/// What is there to be tried out, run as a whole: the demo, and the executable of one's own in docs/examples/middleware.
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

    @Test("the demo works its three hundred jobs with the Swift client and worker, and says so")
    func demo() async throws {
        try await withMillrace { server in
            let demo = try Millrace.start(["demo", "tcp://127.0.0.1:\(server.port)"])
            try demo.wait(forLineWith: "300 of 300 jobs done")
            #expect(try demo.waitForEnd() == .code(0))
            #expect(try server.connect().info().liveCount == 0)
        }
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
