import ClusterLinkZeroMQ
import Foundation
import TestSupport
import Testing
import ZeroMQ

@Suite("The credentials of a process")
struct LinkCredentialsTests {
    @Test("come from two files, and find members' keys in the list")
    func files() throws {
        let directory = try TemporaryDirectory()
        let own = try LinkKeyFile.generate(at: directory.file("own.key"))
        let member = try CurveKeyPair.generate()
        try "member 2 \(member.publicKey.text)\n".write(
            toFile: directory.file("allowed"),
            atomically: false,
            encoding: .utf8
        )
        let credentials = try LinkCredentials(
            keysAt: directory.file("own.key"),
            keyringAt: directory.file("allowed")
        )
        #expect(credentials.keys == own)
        let security = try credentials.connecting(toMember: 2)
        #expect(security.keys == own)
        #expect(security.serverKey == member.publicKey)
        #expect(throws: LinkKeyError.unlisted(member: 1)) { try credentials.connecting(toMember: 1) }
    }

    @Test("only listen as the member whose key the list has")
    func listening() throws {
        let (own, other) = (try CurveKeyPair.generate(), try CurveKeyPair.generate())
        let text = "member 1 \(own.publicKey.text)\nmember 2 \(other.publicKey.text)"
        let credentials = LinkCredentials(keys: own, keyring: try LinkKeyring(parsing: text, path: "allowed"))
        let gate = try KeyGate(credentials.keyring, in: try ZeroMQContext()) { _ in }
        defer { gate.close() }
        #expect(try credentials.listening(asMember: 1, at: .members, behind: gate).domain == .members)
        #expect(throws: LinkKeyError.otherKey(member: 2)) {
            try credentials.listening(asMember: 2, at: .members, behind: gate)
        }
        #expect(throws: LinkKeyError.unlisted(member: 3)) {
            try credentials.listening(asMember: 3, at: .members, behind: gate)
        }
    }
}
