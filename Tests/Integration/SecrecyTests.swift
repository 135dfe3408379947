import Foundation
import Testing

/// What other users of the host can see of a server.
struct SecrecyTests {
    @Test("a password that was given as a flag stands on the command line of no child")
    func commandLines() async throws {
        try await withMillrace(settings: ["front.password": "open-sesame"]) { server in
            for role in Role.allCases {
                let path = "/proc/\(try server.processID(of: role))/cmdline"
                let line = String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
                #expect(!line.isEmpty)
                #expect(!line.contains("open-sesame"), "\(role)")
            }
            // The children know it all the same.
            let client = try server.open()
            #expect(try client.readLine().contains("\"s\":"))
        }
    }

    @Test("what the server makes in its directory is for its own user, whatever the umask was")
    func modes() async throws {
        let wrapper = try WrappedExecutable(commands: "umask 000")
        try await withMillrace(executable: wrapper.path) { server in
            var seen = 0
            let names = try FileManager.default.contentsOfDirectory(atPath: server.dataDirectory)
            for name in names + ["."] {
                var status = stat()
                #expect(lstat(server.dataDirectory + "/" + name, &status) == 0)
                let mode = String(status.st_mode & 0o7777, radix: 8)
                #expect(status.st_mode & 0o077 == 0, "\(name) has the mode \(mode)")
                seen += status.st_mode & S_IFMT == S_IFSOCK ? 1 : 0
            }
            #expect(seen >= 2)
        }
    }
}
