import Foundation
import TestSupport
import Testing

@testable import JobStorageRedis

@Suite("The zeros that a power cut leaves at the end of Redis's log")
struct ZeroedTailTests {
    private static let commands = Array("*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPING\r\n".utf8)
    private static let manifest = """
        file millrace.aof.2.base.rdb seq 2 type b
        file millrace.aof.9.incr.aof seq 9 type i
        file millrace.aof.10.incr.aof seq 10 type i
        file millrace.aof.11.incr.aof seq 11 type h

        """

    private let directory: TemporaryDirectory

    init() throws {
        self.directory = try TemporaryDirectory()
        try FileManager.default.createDirectory(
            atPath: self.directory.file("millrace-aof"),
            withIntermediateDirectories: false
        )
        try self.write(Array(Self.manifest.utf8), to: "millrace.aof.manifest")
    }

    private func path(_ name: String) -> String { self.directory.file("millrace-aof") + "/" + name }

    private func write(_ bytes: [UInt8], to name: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: self.path(name)))
    }

    private func bytes(of name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: self.path(name))))
    }

    private static func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

    @Test("are cut off behind the last command", arguments: [1, 4_096, ZeroedTail.chunkByteCount * 2 + 7])
    func behindCommands(count: Int) throws {
        try self.write(Self.commands + Self.zeros(count), to: "millrace.aof.10.incr.aof")
        let tail = try ZeroedTail.cut(in: self.directory.path)
        #expect(tail == ZeroedTail(path: self.path("millrace.aof.10.incr.aof"), byteCount: count))
        #expect(try self.bytes(of: "millrace.aof.10.incr.aof") == Self.commands)
        #expect(try ZeroedTail.cut(in: self.directory.path) == nil)
    }

    @Test("are cut off where the last command ends a chunk")
    func chunkBoundary() throws {
        try self.write(Self.commands + Self.zeros(ZeroedTail.chunkByteCount), to: "millrace.aof.10.incr.aof")
        #expect(try ZeroedTail.cut(in: self.directory.path)?.byteCount == ZeroedTail.chunkByteCount)
        #expect(try self.bytes(of: "millrace.aof.10.incr.aof") == Self.commands)
    }

    @Test("are cut off where there is nothing else")
    func onlyZeros() throws {
        try self.write(Self.zeros(100), to: "millrace.aof.10.incr.aof")
        #expect(try ZeroedTail.cut(in: self.directory.path)?.byteCount == 100)
        #expect(try self.bytes(of: "millrace.aof.10.incr.aof").isEmpty)
    }

    @Test(
        "are left alone where they are not behind a command, and so is every other end",
        arguments: [
            [], Self.commands, Self.commands.dropLast(), Self.commands + Array("*2\r\n$3\r\nSE".utf8) + Self.zeros(9),
            Self.commands + Self.zeros(9) + Self.commands,
        ]
    )
    func otherEnds(content: [UInt8]) throws {
        try self.write(content, to: "millrace.aof.10.incr.aof")
        #expect(try ZeroedTail.cut(in: self.directory.path) == nil)
        #expect(try self.bytes(of: "millrace.aof.10.incr.aof") == content)
    }

    @Test("are cut off the file alone to which Redis appended last")
    func otherFiles() throws {
        let content = Self.commands + Self.zeros(50)
        let others = ["millrace.aof.2.base.rdb", "millrace.aof.9.incr.aof", "millrace.aof.11.incr.aof"]
        for name in others + ["millrace.aof.10.incr.aof"] { try self.write(content, to: name) }
        #expect(try ZeroedTail.cut(in: self.directory.path)?.path == self.path("millrace.aof.10.incr.aof"))
        for name in others { #expect(try self.bytes(of: name) == content) }
    }

    @Test("are not looked for where there is no log, or none that is named")
    func withoutLog() throws {
        #expect(try ZeroedTail.cut(in: self.directory.path) == nil)
        try self.write(Self.zeros(50), to: "millrace.aof.10.incr.aof")
        try self.write(Array("file ../millrace.aof.10.incr.aof seq 10 type i\n".utf8), to: "millrace.aof.manifest")
        #expect(try ZeroedTail.cut(in: self.directory.path) == nil)
        try FileManager.default.removeItem(atPath: self.path("millrace.aof.manifest"))
        #expect(try ZeroedTail.cut(in: self.directory.path) == nil)
        #expect(try ZeroedTail.cut(in: self.directory.file("nowhere")) == nil)
        #expect(try self.bytes(of: "millrace.aof.10.incr.aof").count == 50)
    }

    @Test("say so when the file cannot be opened")
    func unwritable() throws {
        try FileManager.default.createDirectory(
            atPath: self.path("millrace.aof.10.incr.aof"),
            withIntermediateDirectories: false
        )
        #expect(throws: MemberFileError.self) { try ZeroedTail.cut(in: self.directory.path) }
    }
}
