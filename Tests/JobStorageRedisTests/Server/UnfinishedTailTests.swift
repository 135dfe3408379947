import Foundation
import TestSupport
import Testing

@testable import JobStorageRedis

@Suite("The unfinished transaction at the end of Redis's log")
struct UnfinishedTailTests {
    private static let name = "millrace.aof.1.incr.aof"

    private let directory: TemporaryDirectory

    init() throws {
        self.directory = try TemporaryDirectory()
        try FileManager.default.createDirectory(
            atPath: self.directory.file("millrace-aof"),
            withIntermediateDirectories: false
        )
        try Data("file \(Self.name) seq 1 type i\n".utf8).write(
            to: URL(fileURLWithPath: self.directory.file("millrace-aof") + "/millrace.aof.manifest")
        )
    }

    private var path: String { self.directory.file("millrace-aof") + "/" + Self.name }

    private func write(_ bytes: [UInt8]) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: self.path))
    }

    private var log: [UInt8] {
        get throws { Array(try Data(contentsOf: URL(fileURLWithPath: self.path))) }
    }

    private func cut() throws -> UnfinishedTail.Outcome { try UnfinishedTail.cut(in: self.directory.path) }

    private static func command(_ words: [String]) -> [UInt8] {
        Array(("*\(words.count)\r\n" + words.map { "$\($0.utf8.count)\r\n\($0)\r\n" }.joined()).utf8)
    }

    private static func transaction(_ payload: String = "{}") -> [UInt8] {
        Self.command(["MULTI"]) + Self.command(["HSET", "mr:jobs", "a", payload])
            + Self.command(["LPUSH", "mr:queue:default", "a"]) + Self.command(["EXEC"])
    }

    @Test("is cut off wherever it was left, and kept beside the log")
    func everywhere() throws {
        let whole = Self.command(["SELECT", "0"]) + Self.transaction()
        // What looks like the end of a transaction is part of a payload.
        let last = Self.transaction("*1\r\n$4\r\nEXEC\r\nx")
        for length in 1..<last.count {
            try self.write(whole + last[..<length])
            guard case .cut(let tail) = try self.cut() else {
                // The payload has the bytes that end a transaction: then Redis has the last word.
                #expect(last[..<length].suffix(14) == Self.command(["EXEC"])[...], "\(length)")
                continue
            }
            #expect(tail.path == self.path && tail.byteCount == length)
            #expect(try self.log == whole)
            let kept = try Data(contentsOf: URL(fileURLWithPath: try #require(tail.keptPath)))
            #expect(Array(kept) == Array(last[..<length]))
        }
    }

    @Test("is none in a log that is whole, or is not there", arguments: [0, 1, 3])
    func whole(count: Int) throws {
        #expect(try self.cut() == .nothing)
        let log = (0..<count).flatMap { _ in Self.transaction() } + Self.command(["DEL", "x"])
        try self.write(log)
        #expect(try self.cut() == .nothing)
        #expect(try self.log == log)
    }

    @Test("is cut off with the zeros that a power cut left in it")
    func zeros() throws {
        let part = Self.transaction(String(repeating: "j", count: 100_000)).dropLast(60_000)
        try self.write(Self.transaction() + part + [UInt8](repeating: 0, count: 2 << 20))
        guard case .cut(let tail) = try self.cut() else {
            Issue.record("it was not cut")
            return
        }
        #expect(tail.byteCount == part.count + 2 << 20)
        #expect(try self.log == Self.transaction())
    }

    @Test("is found behind payloads that are longer than what is read at a time")
    func large() throws {
        let whole = Self.transaction(String(repeating: "j", count: LogScan.chunkByteCount * 3 + 17))
        try self.write(whole + whole.dropLast(5))
        guard case .cut(let tail) = try self.cut() else {
            Issue.record("it was not cut")
            return
        }
        #expect(tail.byteCount == whole.count - 5)
        #expect(try self.log == whole)
    }

    @Test("is left where something that is no command comes before the end")
    func damaged() throws {
        for bytes in [Array("*x\r\n".utf8), Array("garbage\r\n".utf8), Array("*1\r\n$4\r\nPINGxx".utf8)] {
            let log = Self.transaction() + bytes + Self.transaction().dropLast(1)
            try self.write(log)
            guard case .refused(.damaged) = try self.cut() else {
                Issue.record("\(String(decoding: bytes, as: UTF8.self))")
                continue
            }
            #expect(try self.log == log)
        }
    }

    @Test("is left when it was complete before, as when a bit flips in a length")
    func acknowledged() throws {
        let whole = Self.transaction() + Self.transaction() + Self.transaction()
        var flipped = whole
        // The length of the payload of the second one: "$2" becomes "$22222"
        let place = Self.transaction().count + Self.command(["MULTI"]).count
        let payload = try #require(flipped[place...].firstIndex(of: UInt8(ascii: "{")))
        flipped.insert(contentsOf: Array("2222".utf8), at: payload - 2)
        flipped.removeLast(20)
        try LogMark(file: Self.name, byteCount: whole.count - 20).write(in: self.directory.path)
        try self.write(flipped)
        guard case .refused(.acknowledged(self.path, let offset, let noted)) = try self.cut() else {
            Issue.record("it was cut")
            return
        }
        #expect(offset == Self.transaction().count)
        #expect(noted == whole.count - 20)
        #expect(try self.log == flipped)
    }

    @Test("is cut off where it begins behind what was noted, or another file was", arguments: [true, false])
    func noted(isSameFile: Bool) throws {
        let whole = Self.transaction()
        let mark = LogMark(
            file: isSameFile ? Self.name : "millrace.aof.0.incr.aof",
            byteCount: isSameFile ? whole.count : whole.count * 9
        )
        try mark.write(in: self.directory.path)
        #expect(LogMark.read(in: self.directory.path) == mark)
        try self.write(whole + whole.dropLast(1))
        guard case .cut = try self.cut() else {
            Issue.record("it was not cut")
            return
        }
        #expect(try self.log == whole)
    }

    @Test("is left when nothing is noted and it is too much to be one", arguments: [0, 1])
    func bound(more: Int) throws {
        let head = Self.command(["MULTI"]) + Array("*2\r\n$3\r\nDEL\r\n$99999999\r\n".utf8)
        try self.write(
            Self.transaction() + head
                + [UInt8](repeating: UInt8(ascii: "j"), count: UnfinishedTail.unnotedByteLimit - head.count + more)
        )
        switch try self.cut() {
        case .cut: #expect(more == 0)
        case .refused(.acknowledged(_, _, noted: nil)): #expect(more == 1)
        default: Issue.record("it is neither")
        }
    }

    @Test("is kept in a few files only, the newest ones")
    func keptFiles() throws {
        for count in 1...6 {
            try self.write((0..<count).flatMap { _ in Self.transaction() } + Self.command(["MULTI"]))
            guard case .cut = try self.cut() else {
                Issue.record("it was not cut")
                return
            }
        }
        let kept = try FileManager.default.contentsOfDirectory(atPath: self.directory.path)
            .filter { $0.hasPrefix("millrace-log-tail-") }
        #expect(kept.count == UnfinishedTail.keptCount)
        #expect(kept.contains("millrace-log-tail-\(Self.name)-\(Self.transaction().count * 6)"))
    }

    @Test("is noted as written, and nothing is noted by what is not whole")
    func marks() throws {
        let directory = self.directory.path
        #expect(LogMark.read(in: directory) == nil)
        try LogMark(file: Self.name, byteCount: 123_456).write(in: directory)
        try LogMark(file: Self.name, byteCount: 7).write(in: directory)
        #expect(LogMark.read(in: directory) == LogMark(file: Self.name, byteCount: 7))
        let path = directory + "/" + LogMark.name
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        for index in bytes.indices {
            var other = bytes
            other[index] ^= 1
            try Data(other).write(to: URL(fileURLWithPath: path))
            #expect(LogMark.read(in: directory) == nil, "byte \(index)")
        }
    }
}
