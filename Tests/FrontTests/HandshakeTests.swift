import FaktoryWire
import Front
import Testing

@Suite("The handshake")
struct HandshakeTests {
    @Test(
        "HELLO is taken in every form that clients send",
        arguments: [
            "HELLO {\"v\":2}\r\n", "HELLO {\"v\":2}\n", "HELLO {}\n", "HELLO {\"v\":3}\r\n",
            "HELLO {\"wid\":null,\"pwdhash\":null,\"v\":2}\n", "HELLO {\"wid\":\"\",\"username\":\"u\",\"v\":2}\r\n",
        ]
    )
    func accepted(line: String) async throws {
        try await FrontFixture.run { front in
            try await front.connect { client in
                #expect(await client.read(12) == "+HI {\"v\":2}\r")
                #expect(await client.exchange(line, for: "\n+OK\r\n"))
            }
        }
    }

    @Test(
        "anything but a proper HELLO is closed without a word",
        arguments: [
            "HELLO\r\n", "hello {}\r\n", "HELLO{}\r\n", "INFO\r\n", "\r\n", "HELLO {\r\n", "HELLO {\"v\":256}\r\n",
            "HELLO {\"wid\":7}\r\n",
        ]
    )
    func refused(line: String) async throws {
        try await FrontFixture.run { front in
            try await front.connect { client in
                try await client.send(line)
                #expect(await client.readToEnd() == TestClient.greeting)
            }
        }
    }

    @Test("a HELLO line of the greatest length is taken, a longer one is closed without a word", arguments: [0, 1])
    func bound(excess: Int) async throws {
        try await FrontFixture.run { front in
            try await front.connect { client in
                let start = "HELLO {\"v\":2,\"x\":\""
                let padding = String(repeating: "x", count: 65_536 - start.utf8.count - 2 + excess)
                try await client.send(start + padding + "\"}\r\n")
                try await client.finish()
                #expect(await client.readToEnd() == TestClient.greeting + (excess == 0 ? "+OK\r\n" : ""))
            }
        }
    }

    @Test("who says nothing is closed without a word at the deadline")
    func deadline() async throws {
        try await FrontFixture.run {
            $0.handshakeTimeout = .milliseconds(50)
        } _: { front in
            try await front.connect { client in
                #expect(await client.readToEnd() == TestClient.greeting)
            }
        }
    }

    @Test("a client that knows the password is let in, and one of version 1 hashes once", arguments: [0, 1, 2])
    func password(version: Int) async throws {
        try await FrontFixture.run {
            $0.password = "open-sesame"
        } _: { front in
            try await front.connect { client in
                let challenge = try await Self.challenge(client)
                let hash = challenge.expectedHash(password: "open-sesame", version: version)
                #expect(await client.exchange("HELLO {\"v\":\(version),\"pwdhash\":\"\(hash)\"}\r\n", for: "+OK\r\n"))
                #expect(await client.exchange("INFO\r\n", for: "$2\r\n{}\r\n"))
            }
        }
    }

    @Test("a wrong or missing password is named and closed", arguments: [",\"pwdhash\":\"00\"", ""])
    func wrongPassword(field: String) async throws {
        try await FrontFixture.run {
            $0.password = "open-sesame"
            $0.passwordTries.shortestDelay = .milliseconds(1)
        } _: { front in
            try await front.connect { client in
                _ = try await Self.challenge(client)
                try await client.send("HELLO {\"v\":2\(field)}\r\nINFO\r\n")
                #expect(await client.readToEnd() == "-ERR Invalid password\r\n")
            }
            #expect(front.server.counters.identifiedCount == 0)
        }
    }

    @Test("the single hash of old clients is refused when it is not allowed")
    func legacyHash() async throws {
        try await FrontFixture.run {
            $0.password = "open-sesame"
            $0.allowsLegacyHash = false
            $0.passwordTries.shortestDelay = .milliseconds(1)
        } _: { front in
            try await front.connect { client in
                let challenge = try await Self.challenge(client)
                let hash = challenge.expectedHash(password: "open-sesame", version: 1)
                try await client.send("HELLO {\"v\":1,\"pwdhash\":\"\(hash)\"}\r\n")
                #expect(await client.readToEnd() == "-ERR Invalid password\r\n")
            }
        }
    }

    @Test("however many wrong passwords came from an address, the right one lets in")
    func guessing() async throws {
        try await FrontFixture.run {
            $0.password = "open-sesame"
            $0.passwordTries.shortestDelay = .milliseconds(1)
            $0.passwordTries.longestDelay = .milliseconds(2)
        } _: { front in
            for _ in 0..<30 {
                try await front.connect { client in
                    _ = try await Self.challenge(client)
                    try await client.send("HELLO {\"v\":2,\"pwdhash\":\"0\"}\r\n")
                    #expect(await client.readToEnd() == "-ERR Invalid password\r\n")
                }
            }
            try await front.connect { client in
                let challenge = try await Self.challenge(client)
                let hash = challenge.expectedHash(password: "open-sesame", version: 2)
                #expect(await client.exchange("HELLO {\"v\":2,\"pwdhash\":\"\(hash)\"}\r\n", for: "+OK\r\n"))
            }
        }
    }

    @Test("a client whose wrong password waits for its answer may go, and holds up nobody")
    func waitingAnswer() async throws {
        try await FrontFixture.run {
            $0.password = "open-sesame"
            $0.passwordTries.shortestDelay = .seconds(3_600)
            $0.passwordTries.longestDelay = .seconds(3_600)
        } _: { front in
            try await front.connect { wrong in
                _ = try await Self.challenge(wrong)
                try await wrong.send("HELLO {\"v\":2,\"pwdhash\":\"0\"}\r\n")
                try await front.connect { client in
                    let challenge = try await Self.challenge(client)
                    let hash = challenge.expectedHash(password: "open-sesame", version: 2)
                    #expect(
                        await client.exchange("HELLO {\"v\":2,\"pwdhash\":\"\(hash)\"}\r\n", for: "+OK\r\n")
                    )
                }
                try await wrong.disconnect()
            }
        }
    }

    @Test("a new password counts for the connections that come after it")
    func reload() async throws {
        try await FrontFixture.run { front in
            var configuration = FrontServer.Configuration()
            configuration.password = "new"
            try front.server.reload(configuration)
            try await front.connect { client in
                let challenge = try await Self.challenge(client)
                let hash = challenge.expectedHash(password: "new", version: 2)
                #expect(await client.exchange("HELLO {\"v\":2,\"pwdhash\":\"\(hash)\"}\r\n", for: "+OK\r\n"))
            }
        }
    }

    @Test("clients beyond the limit are told so after HELLO, and those below are not", arguments: [1, 2])
    func connectionLimit(limit: Int) async throws {
        try await FrontFixture.run {
            $0.maximumConnectionCount = limit
        } _: { front in
            try await front.connect { first in
                #expect(await first.hello())
                try await front.connect { second in
                    #expect(await second.hello())
                    guard limit == 1 else {
                        #expect(await second.exchange("INFO\r\n", for: "$2\r\n{}\r\n"))
                        return
                    }
                    #expect(await second.readToEnd() == "-ERR too many connections: 2\r\n")
                }
                #expect(await first.exchange("INFO\r\n", for: "$2\r\n{}\r\n"))
            }
        }
    }

    @Test("sockets beyond the limit and its margin are closed at once")
    func socketLimit() async throws {
        try await FrontFixture.run {
            $0.maximumConnectionCount = 1
            $0.unidentifiedMargin = 1
        } _: { front in
            try await front.connect { first in
                #expect(await first.hello())
                try await front.connect { second in
                    #expect(await second.read(TestClient.greeting.utf8.count) == TestClient.greeting)
                    try await front.connect { third in
                        #expect(await third.readToEnd() == "")
                    }
                }
            }
        }
    }

    private static func challenge(_ client: TestClient) async throws -> PasswordChallenge {
        let line = await client.readLine()
        let greeting = try Greeting(parsing: String(line.dropFirst().dropLast()))
        return try #require(greeting.challenge)
    }
}
