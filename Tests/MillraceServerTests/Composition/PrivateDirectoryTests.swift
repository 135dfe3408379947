import Foundation
import Logging
import TestSupport
import Testing

@testable import MillraceServer

@Suite("The storage directory")
struct PrivateDirectoryTests {
    private static func mode(of path: String) -> mode_t {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & 0o7777 : 0
    }

    /// A directory of some mode with some files in it.
    private static func make(_ parent: TemporaryDirectory, mode: mode_t, holding names: [String]) throws -> String {
        let path = parent.path + "/data"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        for name in names { try Data().write(to: URL(fileURLWithPath: "\(path)/\(name)")) }
        chmod(path, mode)
        return path
    }

    @Test(
        "that others may look into is taken from them when it is Millrace's, and the log says so",
        arguments: [mode_t(0o755), 0o750, 0o777, 0o701]
    )
    func narrowed(mode: mode_t) throws {
        for names in [[], [StorageFiles.lock, "appendonlydir"]] {
            let parent = try TemporaryDirectory()
            let path = try Self.make(parent, mode: mode, holding: names)
            let lines = Told<String>()
            try PrivateDirectory.narrow(path, logger: Logger(label: "test") { _ in TellingLogHandler(lines) })
            #expect(Self.mode(of: path) == 0o700)
            let was = "0" + String(mode, radix: 8)
            #expect(
                lines.elements == [
                    "the storage directory was open to others and is not any more is=0700 path=\(path) was=\(was)"
                ]
            )
        }
    }

    @Test("that others may look into and that holds what is not Millrace's is refused, and left as it is")
    func refused() throws {
        let parent = try TemporaryDirectory()
        let path = try Self.make(parent, mode: 0o755, holding: ["somebody's file"])
        let lines = Told<String>()
        let logger = Logger(label: "test") { _ in TellingLogHandler(lines) }
        let failure = #expect(throws: PrivateDirectory.Failure.self) {
            try PrivateDirectory.narrow(path, logger: logger)
        }
        #expect(
            failure?.description
                == "\(path): others may read it (its mode is 0755), and it holds what is not Millrace's; "
                + "give storage_directory one of its own, with the mode 0700"
        )
        #expect(Self.mode(of: path) == 0o755)
        #expect(lines.elements.isEmpty)
    }

    @Test("that is private, or not there yet, is left alone")
    func leftAlone() throws {
        let parent = try TemporaryDirectory()
        let path = try Self.make(parent, mode: 0o500, holding: [])
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        try PrivateDirectory.narrow(path, logger: logger)
        try PrivateDirectory.narrow(path + "/nothing", logger: logger)
        #expect(Self.mode(of: path) == 0o500)
    }
}
