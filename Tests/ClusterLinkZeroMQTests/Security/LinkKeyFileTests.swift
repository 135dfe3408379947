import ClusterLinkZeroMQ
import Foundation
import TestSupport
import Testing
import ZeroMQ

@Suite("Files of keys")
struct LinkKeyFileTests {
    private let directory: TemporaryDirectory

    init() throws {
        self.directory = try TemporaryDirectory()
    }

    private func mode(of path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    private func write(_ text: String, mode: Int = 0o600) throws -> String {
        let path = self.directory.file("key")
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        return path
    }

    @Test("a new pair is read as it was made, and only its owner may read the secret half")
    func generate() throws {
        let path = self.directory.file("link.key")
        let keys = try LinkKeyFile.generate(at: path)
        #expect(try LinkKeyFile.keys(at: path) == keys)
        #expect(try self.mode(of: path) == 0o600)
        let publicText = try String(contentsOfFile: path + LinkKeyFile.publicSuffix, encoding: .utf8)
        #expect(publicText == keys.publicKey.text + "\n")
    }

    @Test("a key is never overwritten, and half a pair is not left behind", arguments: ["", LinkKeyFile.publicSuffix])
    func existing(suffix: String) throws {
        let path = self.directory.file("link.key")
        try "mine".write(toFile: path + suffix, atomically: false, encoding: .utf8)
        #expect(throws: LinkKeyError.exists(path: path + suffix)) { try LinkKeyFile.generate(at: path) }
        #expect(try String(contentsOfFile: path + suffix, encoding: .utf8) == "mine")
        #expect(try FileManager.default.contentsOfDirectory(atPath: self.directory.path).count == 1)
    }

    @Test("a secret key that others may read is refused", arguments: [0o640, 0o604, 0o620, 0o777])
    func exposed(mode: Int) throws {
        let path = try self.write(try CurveKeyPair.generate().secretKey.text, mode: mode)
        #expect(throws: LinkKeyError.exposed(path: path)) { try LinkKeyFile.keys(at: path) }
    }

    @Test("a file without a key, or with two, is refused", arguments: ["", "# only words", "short", "two"])
    func noKey(text: String) throws {
        let key = try CurveKeyPair.generate().secretKey.text
        let path = try self.write(text == "two" ? "\(key)\n\(key)\n" : text)
        #expect(throws: LinkKeyError.noKey(path: path)) { try LinkKeyFile.keys(at: path) }
    }

    @Test("a file that is not there, or is too long, is named", arguments: [true, false])
    func unreadable(isThere: Bool) throws {
        let path = self.directory.file("allowed")
        if isThere {
            try String(repeating: "# a\n", count: 300_000).write(toFile: path, atomically: false, encoding: .utf8)
        }
        let error = #expect(throws: LinkKeyError.self) { try LinkKeyFile.keyring(at: path) }
        guard case .file(path, _) = error else {
            Issue.record("the error is \(String(describing: error))")
            return
        }
    }
}
