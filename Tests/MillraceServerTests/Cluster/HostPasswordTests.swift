import Foundation
import Testing

@testable import MillraceServer

@Suite("The password of a host's own Redis")
struct HostPasswordTests {
    @Test("is made up once, kept for our user only, and long enough for Redis")
    func make() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let password = HostPassword(directory: directory)
        #expect(throws: HostPassword.Failure.self) { _ = try password.read() }
        let made = try password.make()
        #expect(try password.make() == made)
        #expect(try password.read() == made)
        #expect(ClusterSection.passwordRange.contains(made.utf8.count))
        let path = "\(directory)/\(HostPassword.name)"
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    @Test("cannot be made where nothing can be written")
    func unwritable() {
        #expect(throws: HostPassword.Failure.self) { _ = try HostPassword(directory: "/proc/nowhere").make() }
    }
}
