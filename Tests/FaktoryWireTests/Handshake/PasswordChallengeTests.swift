import FaktoryWire
import Testing

@Suite("Password challenge")
struct PasswordChallengeTests {
    private struct Lowest: RandomNumberGenerator {
        mutating func next() -> UInt64 { 0 }
    }

    private struct Highest: RandomNumberGenerator {
        mutating func next() -> UInt64 { .max }
    }

    @Test(
        "hashes are those that every Faktory client makes",
        arguments: [
            (1, "92a54974886f7c7f3c92f26ed88919648de2513f373ce9abd83e8b0f2acd9a29"),
            (2, "778fc4691b9a7e39a379ee1e8ab3fa19ad1c49c19bedc9458d6f3b4c3305ea34"),
            (4000, "8732ed71e1bdd338db8171dd386ed1b0c33dcafc9e16cd4e26646f4f01494d5a"),
            (8095, "3f17afc2e49b9310344c33384bf25c953716d8f6e0d3484550e820546c4a7124"),
        ]
    )
    func vectors(iterations: Int, hash: String) {
        let challenge = PasswordChallenge(iterations: iterations, salt: "5e1ab0f3c2d4e687")
        #expect(challenge.expectedHash(password: "open-sesame", version: 2) == hash)
        #expect(challenge.accepts(hash, password: "open-sesame", version: 2))
    }

    @Test("the upstream server's own vector holds")
    func upstreamVector() {
        let challenge = PasswordChallenge(iterations: 1545, salt: "55104dc76695721d")
        let hash = challenge.expectedHash(password: "foobar", version: 2)
        #expect(hash == "6d877f8e5544b1f2598768f817413ab8a357afffa924dedae99eb91472d4ec30")
    }

    @Test("a client below version 2 hashes once, unless that is switched off", arguments: [0, 1])
    func legacy(version: Int) {
        let challenge = PasswordChallenge(iterations: 4000, salt: "5e1ab0f3c2d4e687")
        let once = "92a54974886f7c7f3c92f26ed88919648de2513f373ce9abd83e8b0f2acd9a29"
        let full = "8732ed71e1bdd338db8171dd386ed1b0c33dcafc9e16cd4e26646f4f01494d5a"
        #expect(challenge.accepts(once, password: "open-sesame", version: version))
        #expect(!challenge.accepts(full, password: "open-sesame", version: version))
        #expect(!challenge.accepts(once, password: "open-sesame", version: version, allowLegacyHash: false))
        #expect(challenge.accepts(full, password: "open-sesame", version: version, allowLegacyHash: false))
        #expect(!challenge.accepts(once, password: "open-sesame", version: 2))
    }

    @Test("a missing, short, long or altered hash proves nothing")
    func wrong() {
        let challenge = PasswordChallenge(iterations: 2, salt: "5e1ab0f3c2d4e687")
        let right = challenge.expectedHash(password: "open-sesame", version: 2)
        for hash in [nil, "", String(right.dropLast()), right + "0", "8" + right.dropFirst(), right.uppercased()] {
            #expect(!challenge.accepts(hash, password: "open-sesame", version: 2), "\(hash ?? "nil")")
        }
        #expect(!challenge.accepts(right, password: "open-sesam", version: 2))
    }

    @Test("iterations are drawn from the whole range, and salts have 63 bits at most")
    func drawn() {
        var lowest = Lowest()
        let low = PasswordChallenge(using: &lowest)
        #expect(low == PasswordChallenge(iterations: 4000, salt: "0"))

        var highest = Highest()
        let high = PasswordChallenge(using: &highest)
        #expect(high == PasswordChallenge(iterations: 8095, salt: "7fffffffffffffff"))
    }
}
