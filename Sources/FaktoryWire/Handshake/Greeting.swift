import JobCore
package import NIOCore

/// The line with which a server opens every connection.
///
/// Clients compare it byte for byte or cut it at its only space, so its form is fixed:
/// `+HI {"v":2}`, or `+HI {"v":2,"i":5416,"s":"6bedf135a01eb4fe"}` when a password is wanted.
package struct Greeting: Equatable, Sendable {
    /// The version of the protocol that is spoken here.
    package static let protocolVersion = 2

    /// What the client has to hash with the password; nil when the server has none.
    package let challenge: PasswordChallenge?

    package init(challenge: PasswordChallenge?) {
        self.challenge = challenge
    }

    /// Appends the greeting as it goes over the wire, line end included.
    package func write(to buffer: inout ByteBuffer) {
        buffer.writeStaticString("+HI {\"v\":2")
        if let challenge = self.challenge {
            buffer.writeString(",\"i\":\(challenge.iterations),\"s\":\"\(challenge.salt)\"")
        }
        buffer.writeStaticString("}\r\n")
    }

    /// Reads the text of a greeting, without its `+` and its line end.
    ///
    /// A missing or wrong version counts as 0 and is refused. A salt without iterations is hashed once, as servers
    /// that predate the iterations expect.
    package init(parsing text: String) throws(HandshakeError) {
        guard text.hasPrefix("HI "), let document = try? JSONValue(parsing: text.utf8.dropFirst(3)),
            document.kind == .object
        else { throw .malformedGreeting }

        let version = document.field("v")?.integer ?? 0
        guard version == Self.protocolVersion else { throw .unsupportedVersion(version) }

        guard let saltField = document.field("s") else {
            self.init(challenge: nil)
            return
        }
        guard let salt = saltField.string else { throw .malformedGreeting }
        guard let iterations = document.field("i").map(\.integer) ?? 1 else { throw .malformedGreeting }
        guard (1...PasswordChallenge.maximumIterations).contains(iterations) else {
            throw .unreasonableIterations(iterations)
        }
        self.init(challenge: PasswordChallenge(iterations: iterations, salt: salt))
    }
}
