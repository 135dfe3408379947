import Foundation
import JobCore
import JobStorageRedis
import TestSupport
import Testing

@Suite("The file of what a member promised")
struct PromiseFileTests {
    private let directory: TemporaryDirectory
    private let file: PromiseFile
    /// A name as Redis gives itself one.
    private static let run = String(repeating: "0123456789abcdef", count: 3).prefix(40).description
    private var path: String { self.directory.file(PromiseFile.name) }

    init() throws {
        self.directory = try TemporaryDirectory()
        self.file = PromiseFile(directory: self.directory.path)
    }

    @Test("says what was written last", arguments: [UInt64(0), 1, .max])
    func written(epoch: UInt64) throws {
        #expect(try self.file.read() == nil)
        for (isClean, run) in [(true, nil), (false, nil), (true, Self.run), (false, Self.run)] as [(Bool, String?)] {
            let content = PromiseFile.Content(promise: Epoch(epoch), isClean: isClean, run: run)
            try self.file.write(content)
            #expect(try self.file.read() == content)
            #expect(try PromiseFile(directory: self.directory.path).read() == content)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: self.directory.path) == [PromiseFile.name])
        let attributes = try FileManager.default.attributesOfItem(atPath: self.path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    @Test("is replaced over a draft that a crash left behind")
    func draft() throws {
        try Data("half".utf8).write(to: URL(fileURLWithPath: self.path + ".new"))
        let content = PromiseFile.Content(promise: Epoch(3), isClean: true)

        #expect(try self.file.read() == nil)
        try self.file.write(content)

        #expect(try self.file.read() == content)
    }

    @Test(
        "is an error, and no missing file, when any byte of it is another, lost or added",
        arguments: [nil, Self.run]
    )
    func corrupt(run: String?) throws {
        try self.file.write(PromiseFile.Content(promise: Epoch(12), isClean: true, run: run))
        let url = URL(fileURLWithPath: self.path)
        let whole = try Data(contentsOf: url)
        var damaged: [Data] = [Data(), whole + Data("\n".utf8), Data(count: 1_000)]
        for index in whole.indices {
            var changed = whole
            changed[index] ^= 1
            damaged.append(changed)
            damaged.append(whole[..<index])
        }

        for bytes in damaged {
            try bytes.write(to: url)
            #expect(throws: MemberFileError.corrupt(path: self.path)) { try self.file.read() }
        }
    }

    @Test("is an error when there is no directory for it")
    func noDirectory() throws {
        let file = PromiseFile(directory: self.directory.file("missing"))
        #expect(throws: MemberFileError.self) { try file.write(.init(promise: Epoch(1), isClean: true)) }
    }
}
