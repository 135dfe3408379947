import Foundation
import Testing

@testable import MillraceServer

@Suite("The command that makes keys")
struct KeysCommandTests {
    @Test("makes both files once, and says no the second time")
    func makesKeys() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "millrace-keys-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let path = directory.appending(path: "link.key").path
        #expect(KeysCommand().run([path]) == 0)
        #expect(KeysCommand().run([path]) == 1)
        let files = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        #expect(files.sorted() == ["link.key", "link.key.pub"])
    }

    @Test("wants exactly one file", arguments: [[], ["a", "b"], [""], ["--force"]])
    func wrongArguments(arguments: [String]) {
        #expect(KeysCommand().run(arguments) == 2)
    }

    @Test("explains itself when it is asked to", arguments: ["-h", "--help"])
    func help(flag: String) {
        #expect(KeysCommand().run([flag]) == 0)
    }
}
