import Crypto

/// What a server asks of a client that must prove it knows the password.
///
/// The proof is a chain of SHA-256: first over password and salt, then over the raw digest before it, until
/// `iterations` hashes have been made.
package struct PasswordChallenge: Equatable, Sendable {
    /// The range from which a server draws the number of hashes.
    package static let issuedIterations = 4000...8095
    /// The most hashes that a client makes for a server, so that a hostile one cannot keep it busy for ever.
    package static let maximumIterations = 1_000_000

    /// How many hashes are made, one after the other.
    package let iterations: Int
    /// What is appended to the password before the first hash, as text.
    package let salt: String

    package init(iterations: Int, salt: String) {
        self.iterations = iterations
        self.salt = salt
    }

    /// Draws a challenge for a new connection; the salt is a number of 63 bits in lower-case hexadecimal.
    package init(using generator: inout some RandomNumberGenerator) {
        self.iterations = Int.random(in: Self.issuedIterations, using: &generator)
        self.salt = String(Int64.random(in: 0...Int64.max, using: &generator), radix: 16)
    }

    /// The hash that a client which knows the password sends, in lower-case hexadecimal.
    ///
    /// - Parameters:
    ///   - version: what the client's HELLO says in `v`, 0 if it says nothing.
    ///   - allowLegacyHash: whether a client below version 2 hashes only once. Upstream lets it, and the PyPI client
    ///     `faktory` depends on that, but it also lets an attacker who reads the wire choose the cheaper hash.
    package func expectedHash(password: String, version: Int, allowLegacyHash: Bool = true) -> String {
        let rounds = version < Greeting.protocolVersion && allowLegacyHash ? 1 : self.iterations
        var digest = SHA256.hash(data: Array((password + self.salt).utf8))
        for _ in 1..<max(rounds, 1) {
            var hasher = SHA256()
            digest.withUnsafeBytes { hasher.update(bufferPointer: $0) }
            digest = hasher.finalize()
        }
        return Self.hexadecimal(digest)
    }

    /// Whether a client's answer proves that it knows the password.
    ///
    /// The time that the comparison takes tells nothing about where the two hashes differ. A missing answer is wrong.
    package func accepts(_ hash: String?, password: String, version: Int, allowLegacyHash: Bool = true) -> Bool {
        let expected = self.expectedHash(password: password, version: version, allowLegacyHash: allowLegacyHash)
        return ConstantTime.areEqual(Array(expected.utf8), Array((hash ?? "").utf8))
    }

    private static func hexadecimal(_ digest: SHA256.Digest) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(SHA256.byteCount * 2)
        for byte in digest {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 0x0F)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
