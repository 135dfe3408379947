import Foundation
import Glibc
import NIOCore
import NIOPosix
import Testing
import WebUI

@Suite("The connections of a web server")
struct WebConnectionsTests {
    private static let document = #"{"now":"x","server":{"description":"Millrace"}}"#

    /// Sends something and waits until the server closes the connection, which nobody else does.
    private static func waitForClose(after sent: String, port: Int) async throws {
        let channel = try await Self.connect(port)
        try await channel.writeAndFlush(ByteBuffer(string: sent)).get()
        try await channel.closeFuture.get()
    }

    private static func connect(_ port: Int) async throws -> any Channel {
        try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: "127.0.0.1", port: port).get()
    }

    @Test(
        "are closed when a step takes too long: the head, the body, and the next request",
        arguments: [
            "", "GET /health HTTP/1.1\r\nHost: x\r\n",
            "POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab",
            "GET /health HTTP/1.1\r\nHost: x\r\n\r\n",
        ]
    )
    func deadlines(sent: String) async throws {
        var limits = WebLimits()
        limits.headTimeout = .milliseconds(50)
        limits.bodyTimeout = .milliseconds(50)
        limits.idleTimeout = .milliseconds(50)
        try await withStatusServer(over: FakeLeader(answering: Self.document), limits: limits) { port in
            try await Self.waitForClose(after: sent, port: port)
        }
    }

    @Test("are closed when a body is longer than its bound")
    func body() async throws {
        var limits = WebLimits()
        limits.bodyByteCount = 1_000
        try await withStatusServer(over: FakeLeader(answering: Self.document), limits: limits) { port in
            let sent =
                "POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\n"
                + String(repeating: "x", count: 1_001)
            try await Self.waitForClose(after: sent, port: port)
        }
    }

    @Test("are refused a head that is longer than its bound")
    func head() async throws {
        try await withStatusServer(over: FakeLeader(answering: Self.document)) { port in
            let field = "X-Long: " + String(repeating: "x", count: 40_000)
            let reply = try await HTTPReply.ask("GET", "/health", port: port, fields: [field])
            #expect(reply.status == 400)
        }
    }

    @Test("are so many at the most, and one on which nothing is asked makes room for the next")
    func bound() async throws {
        var limits = WebLimits()
        limits.connectionCount = 3
        try await withStatusServer(over: FakeLeader(answering: Self.document), limits: limits) { port in
            var silent: [any Channel] = []
            for _ in 0..<10 { silent.append(try await Self.connect(port)) }
            let reply = try await HTTPReply.get("/health", port: port)
            #expect(reply.status == 200)
            // All but those that there is room for are closed by the server.
            for channel in silent.prefix(7) { try await channel.closeFuture.get() }
            for channel in silent { channel.close(promise: nil) }
        }
    }
}
