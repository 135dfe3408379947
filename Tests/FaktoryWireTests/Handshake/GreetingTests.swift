import FaktoryWire
import NIOCore
import Testing

@Suite("Greeting")
struct GreetingTests {
    @Test("a server without a password greets with the one line that clients compare exactly")
    func plain() {
        var buffer = ByteBuffer()
        Greeting(challenge: nil).write(to: &buffer)
        #expect(String(buffer: buffer) == "+HI {\"v\":2}\r\n")
    }

    @Test("a challenge follows the version, without a space in the document")
    func challenged() {
        var buffer = ByteBuffer()
        Greeting(challenge: PasswordChallenge(iterations: 5416, salt: "6bedf135a01eb4fe")).write(to: &buffer)
        #expect(String(buffer: buffer) == "+HI {\"v\":2,\"i\":5416,\"s\":\"6bedf135a01eb4fe\"}\r\n")
    }

    @Test(
        "a client reads back what a server writes",
        arguments: [nil, PasswordChallenge(iterations: 4000, salt: "1f")]
    )
    func roundTrip(challenge: PasswordChallenge?) throws {
        var buffer = ByteBuffer()
        Greeting(challenge: challenge).write(to: &buffer)
        let line = String(buffer: buffer).dropFirst().dropLast(1)
        #expect(try Greeting(parsing: String(line)) == Greeting(challenge: challenge))
    }

    @Test("a salt without iterations is hashed once")
    func saltOnly() throws {
        let greeting = try Greeting(parsing: "HI {\"v\":2,\"s\":\"ab\"}")
        #expect(greeting.challenge == PasswordChallenge(iterations: 1, salt: "ab"))
    }

    @Test(
        "a line that is no greeting is refused",
        arguments: [
            "", "HI", "HI ", "HELLO {\"v\":2}", "HI 2", "HI {\"v\":2", "HI {\"v\":2,\"s\":7}",
            "HI {\"v\":2,\"i\":\"9\",\"s\":\"ab\"}",
        ]
    )
    func malformed(text: String) {
        #expect(throws: HandshakeError.malformedGreeting) { try Greeting(parsing: text) }
    }

    @Test("another version of the protocol is refused", arguments: [(1, "{\"v\":1}"), (3, "{\"v\":3}"), (0, "{}")])
    func version(version: Int, document: String) {
        #expect(throws: HandshakeError.unsupportedVersion(version)) { try Greeting(parsing: "HI \(document)") }
    }

    @Test("a server may ask for the most iterations that are bearable and for no more")
    func iterationBound() throws {
        let most = PasswordChallenge.maximumIterations
        #expect(try Greeting(parsing: "HI {\"v\":2,\"i\":\(most),\"s\":\"a\"}").challenge?.iterations == most)
        for iterations in [most + 1, 0, -1] {
            #expect(throws: HandshakeError.unreasonableIterations(iterations)) {
                try Greeting(parsing: "HI {\"v\":2,\"i\":\(iterations),\"s\":\"a\"}")
            }
        }
    }
}
