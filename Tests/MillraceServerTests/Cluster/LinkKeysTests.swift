import ClusterLinkZeroMQ
import Election
import Foundation
import Logging
import Testing
import ZeroMQ

@testable import MillraceServer

@Suite("The keys that the settings name")
struct LinkKeysTests {
    private let directory: URL
    private let own: CurveKeyPair
    private var cluster = ClusterSection()

    init() throws {
        self.directory = FileManager.default.temporaryDirectory.appending(path: "millrace-keys-\(UUID())")
        try FileManager.default.createDirectory(at: self.directory, withIntermediateDirectories: true)
        let path = self.directory.appending(path: "own.key").path
        self.own = try LinkKeyFile.generate(at: path)
        self.cluster.members = (1...3).map { ClusterSection.Member(number: $0, host: "10.0.0.\($0)") }
        self.cluster.curveKey = path
        self.cluster.curveAllowed = self.directory.appending(path: "allowed").path
    }

    private func list(_ lines: [String]) throws {
        let path = try #require(self.cluster.curveAllowed)
        try lines.joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
    }

    /// The list of a cluster in which these keys are member 1's.
    private func listMembers(_ more: [String] = []) throws {
        let others = try (2...3).map { "member \($0) \(try CurveKeyPair.generate().publicKey.text)" }
        try self.list(["member 1 \(self.own.publicKey.text)"] + others + more)
    }

    private func failure(_ body: () throws -> Void) -> String {
        do {
            try body()
            return "none"
        } catch {
            return "\(error)"
        }
    }

    @Test("without any there are none, and links are plain; nor are there any in single mode")
    func none() throws {
        #expect(try LinkKeys(ClusterSection()) == nil)
        var settings = Settings()
        settings.cluster = self.cluster
        #expect(try LinkKeys(settings) == nil)
    }

    @Test("a connection expects the key that the list has for the member")
    func connection() throws {
        try self.listMembers()
        let keys = try #require(try LinkKeys(self.cluster))
        let security = try keys.connecting(to: self.cluster.members[0])
        #expect(security.serverKey == self.own.publicKey)
        #expect(security.keys == self.own)
    }

    @Test("a file that is missing or wrong is an error that names its setting")
    func wrongFiles() throws {
        var cluster = self.cluster
        let read = { _ = try LinkKeys(cluster) }
        #expect(self.failure(read).hasPrefix("cluster.curve_allowed: \(self.cluster.curveAllowed ?? "")"))
        try self.list(["member 1 \(self.own.publicKey.text)"])
        #expect(self.failure(read) == "cluster.curve_allowed: the list of keys has none for member 2")
        try self.list(["manager x"])
        #expect(self.failure(read).contains("cluster.curve_allowed: \(self.cluster.curveAllowed ?? ""):1: "))
        try self.listMembers()
        #expect(self.failure(read) == "none")
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o640],
            ofItemAtPath: try #require(cluster.curveKey)
        )
        #expect(self.failure(read).hasPrefix("cluster.curve_key: "))
        #expect(self.failure(read).contains("others may read this secret key"))
        cluster.curveKey = "/nowhere/own.key"
        #expect(self.failure(read) == "cluster.curve_key: /nowhere/own.key: No such file or directory")
    }

    @Test("a process whose own key the list does not have for its role says which line is missing")
    func role() throws {
        try self.listMembers(["front \(self.own.publicKey.text)"])
        let keys = try #require(try LinkKeys(self.cluster))
        #expect(self.failure { try keys.require(.member) } == "none")
        #expect(self.failure { try keys.require(.front) } == "none")
        let failure = self.failure { try keys.require(.scheduler) }
        #expect(failure.hasPrefix("cluster.curve_allowed: "))
        #expect(failure.contains("\"scheduler \(self.own.publicKey.text)\""))
    }

    @Test("a member listens only under the key that the list has for it")
    func listening() throws {
        try self.listMembers()
        let keys = try #require(try LinkKeys(self.cluster))
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let gate = try keys.openGate(in: try ZeroMQContext(), logger: logger)
        defer { gate.close() }
        #expect(self.failure { _ = try keys.listening(as: MemberID(1), at: .members, behind: gate) } == "none")
        let failure = self.failure { _ = try keys.listening(as: MemberID(2), at: .members, behind: gate) }
        #expect(failure.hasPrefix("cluster.curve_allowed: the list of keys has another one for member 2"))
    }
}
