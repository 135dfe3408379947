import Foundation
import JobCore
import NIOCore
import Testing
import WebUI

@Suite("The status server")
struct StatusServerTests {
    private static let document = """
        {"now":"2026-03-01T08:15:30.5Z","server_utc_time":"08:15:30 UTC","faktory":{"queues":{"default":3}},\
        "server":{"description":"Millrace","faktory_version":"1.10.0","uptime":5,"connections":2,"command_count":41,\
        "used_memory_mb":30}}
        """

    private static func basic(_ credentials: String) -> String {
        "Basic \(Data(credentials.utf8).base64EncodedString())"
    }

    @Test("tells at /health who and how the server is, and no more")
    func health() async throws {
        try await withStatusServer(over: FakeLeader(answering: Self.document)) { port in
            let reply = try await HTTPReply.get("/health", port: port)
            #expect(reply.status == 200)
            #expect(reply.headers["content-type"] == "application/json")
            #expect(reply.headers["cache-control"] == "no-cache")
            let document = try JSONValue(parsing: Array(reply.body.utf8))
            let expected = """
                {"now":"2026-03-01T08:15:30.5Z","server":{"command_count":41,"connections":2,\
                "description":"Millrace","faktory_version":"1.10.0"}}
                """
            let wanted = try JSONValue(parsing: Array(expected.utf8))
            #expect(document == wanted)
        }
    }

    @Test("answers /stats with the leader's INFO, byte for byte")
    func statistics() async throws {
        try await withStatusServer(over: FakeLeader(answering: Self.document)) { port in
            let reply = try await HTTPReply.get("/stats", port: port)
            #expect(reply.status == 200)
            #expect(reply.headers["content-type"] == "application/json")
            #expect(reply.headers["cache-control"] == "no-cache")
            #expect(reply.body == Self.document)
        }
    }

    @Test(
        "lets everyone who knows the password see /stats, under whatever user name",
        arguments: ["admin:se:cret", ":se:cret", "ümlaut:se:cret"]
    )
    func authorized(credentials: String) async throws {
        try await withStatusServer(over: FakeLeader(answering: Self.document), password: "se:cret") { port in
            let reply = try await HTTPReply.get("/stats", port: port, authorization: Self.basic(credentials))
            #expect(reply.status == 200)
            #expect(reply.body == Self.document)
        }
    }

    @Test(
        "asks for the password at /stats when it is missing, wrong, or in no form that is known",
        arguments: [
            nil, Self.basic("admin:wrong"), Self.basic("admin:se:cret2"), Self.basic("admin:se:cre"),
            Self.basic("admin:"), Self.basic("se:cret"), Self.basic("nothing"), "Basic %%%", "Basic", "Bearer se:cret",
            Self.basic("admin:se:cret").lowercased(),
        ]
    )
    func unauthorized(authorization: String?) async throws {
        try await withStatusServer(over: FakeLeader(answering: Self.document), password: "se:cret") { port in
            let reply = try await HTTPReply.get("/stats", port: port, authorization: authorization)
            #expect(reply.status == 401)
            #expect(reply.headers["www-authenticate"] == "Basic realm=\"Faktory\"")
            #expect(reply.headers["content-type"] == "text/plain")
            #expect(reply.body == "Authorization required\n")
        }
    }

    @Test("shows /health without the password")
    func openHealth() async throws {
        try await withStatusServer(over: FakeLeader(answering: Self.document), password: "se:cret") { port in
            let reply = try await HTTPReply.get("/health", port: port)
            #expect(reply.status == 200)
        }
    }

    @Test("says that no leader answers when none does", arguments: ["/health", "/stats"])
    func noLeader(path: String) async throws {
        let leader = FakeLeader(answering: Self.document, mood: .silent)
        try await withStatusServer(over: leader) { port in
            let reply = try await HTTPReply.get(path, port: port)
            #expect(reply.status == 503)
            #expect(reply.headers["content-type"] == "application/json")
            #expect(reply.body == #"{"error":"no leader answers"}"#)
        }
    }

    @Test("does not call a document that it cannot read health", arguments: ["{", "[]", #"{"now":"x"}"#])
    func strangeDocument(document: String) async throws {
        try await withStatusServer(over: FakeLeader(answering: document)) { port in
            let reply = try await HTTPReply.get("/health", port: port)
            #expect(reply.status == 503)
        }
    }

    @Test("has nothing at any other path", arguments: ["/", "/healthy", "/health/x", "/stats/../etc/passwd"])
    func otherPaths(path: String) async throws {
        try await withStatusServer(over: FakeLeader(answering: Self.document)) { port in
            let reply = try await HTTPReply.get(path, port: port)
            #expect(reply.status == 404)
        }
    }

    @Test("answers HEAD as GET, without the body", arguments: ["/health", "/stats"])
    func head(path: String) async throws {
        try await withStatusServer(over: FakeLeader(answering: Self.document)) { port in
            let whole = try await HTTPReply.get(path, port: port)
            let reply = try await HTTPReply.ask("HEAD", path, port: port)
            #expect(reply.status == 200)
            #expect(reply.body == "")
            #expect(reply.headers["content-type"] == "application/json")
            #expect(reply.headers["content-length"] == String(whole.body.utf8.count))
        }
    }

    @Test(
        "takes what a proxy calls its prefix out of the path, where it stands first",
        arguments: [
            ("/faktory", "/faktory/health", 200), ("/faktory", "/health", 200), ("/a/b", "/a/b/stats", 200),
            ("/faktory", "/faktory", 404), ("/faktory", "/faktory/faktory/health", 404), ("", "/health", 200),
            ("/health", "/health", 404), ("faktory/", "/faktory/stats?page=1", 200),
        ]
    )
    func scriptName(prefix: String, path: String, status: Int) async throws {
        try await withStatusServer(over: FakeLeader(answering: Self.document)) { port in
            let reply = try await HTTPReply.ask("GET", path, port: port, fields: ["X-Script-Name: \(prefix)"])
            #expect(reply.status == status)
        }
    }

    @Test("has a password looked at by whoever looks at those of clients, and none where none was sent")
    func admission() async throws {
        let (tries, continuation) = AsyncStream.makeStream(of: Bool.self)
        let admits: StatusServer.Admission = { address, isRight in
            continuation.yield(address?.ipAddress == "127.0.0.1" && isRight())
            return false
        }
        let leader = FakeLeader(answering: Self.document)
        try await withStatusServer(over: leader, password: "se:cret", admits: admits) { port in
            for credentials in [nil, "a:wrong", "a:se:cret"] {
                let reply = try await HTTPReply.get(
                    "/stats",
                    port: port,
                    authorization: credentials.map { Self.basic($0) }
                )
                #expect(reply.status == 401)
            }
        }
        continuation.finish()
        var outcomes: [Bool] = []
        for await outcome in tries { outcomes.append(outcome) }
        #expect(outcomes == [false, true])
    }

    @Test("says good-bye to the leader when it stops")
    func stop() async throws {
        let leader = FakeLeader(answering: Self.document)
        try await withStatusServer(over: leader) { port in
            _ = try await HTTPReply.get("/stats", port: port)
        }
        #expect(leader.received == ["attach", "question", "detach"])
        #expect(leader.isClosed)
    }
}
