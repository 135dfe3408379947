import Glibc
import JobCore
import Redis
import TestSupport
import Testing

@testable import JobStorageRedis

@Suite("The list of the parts of Redis's log")
struct LogManifestTests {
    @Test(
        "tells the base and the increments, and no file that is to be deleted, that is elsewhere, or that has no number"
    )
    func parts() {
        let text = """
            file millrace.aof.2.base.rdb seq 2 type b
            file millrace.aof.9.incr.aof seq 9 type i
            file millrace.aof.10.incr.aof seq 10 type i
            file millrace.aof.11.incr.aof seq 11 type h
            file ../millrace.aof.12.incr.aof seq 12 type i
            file millrace.aof.13.incr.aof seq -1 type i
            file millrace.aof.14.incr.aof

            """
        let manifest = LogManifest(parsing: text, in: "/data")
        let names = ["millrace.aof.2.base.rdb", "millrace.aof.9.incr.aof", "millrace.aof.10.incr.aof"]
        let paths = names.map { "/data/" + $0 }
        #expect(manifest.parts.map(\.path) == paths)
        #expect(manifest.lastIncrement?.path == paths[2])
        #expect(manifest.length == nil, "none of them is there")
    }

    @Test("is nil where there is no log, and an error where it is longer than any that Redis writes")
    func extremes() throws {
        let directory = try TemporaryDirectory()
        #expect(try LogManifest.read(in: directory.path) == nil)
        mkdir(directory.file("millrace-aof"), 0o700)
        let path = directory.file("millrace-aof") + "/millrace.aof.manifest"
        let descriptor = open(path, O_WRONLY | O_CREAT, 0o600)
        defer { close(descriptor) }
        ftruncate(descriptor, off_t(LogManifest.byteLimit))
        #expect(try LogManifest.read(in: directory.path)?.parts.isEmpty == true)
        ftruncate(descriptor, off_t(LogManifest.byteLimit + 1))
        #expect(throws: MemberFileError.corrupt(path: path)) { try LogManifest.read(in: directory.path) }
    }

    @Test("its parts are as long as Redis says that its log is, after writes, a rewrite and a restart")
    func length() throws {
        let fixture = try MemberFixture(durability: .memory)
        try fixture.redis.detach()
        _ = try fixture.redis.promote(to: Epoch(3))
        try Self.expectSameLength(fixture)
        var connection = try fixture.connection()
        #expect(try connection.command("SET", "key", String(repeating: "value", count: 1_000)).error == nil)
        try Self.expectSameLength(fixture)
        let before = try LogManifest.read(in: fixture.path)
        #expect(try connection.command("BGREWRITEAOF").error == nil)
        try MemberFixture.poll("rewritten") {
            try !fixture.redis.replicationState().isRewritingLog && LogManifest.read(in: fixture.path) != before
        }
        try Self.expectSameLength(fixture)
        fixture.process.end(with: SIGTERM)
        fixture.redis.disconnect()
        try fixture.process.start()
        try Self.expectSameLength(fixture)
    }

    private static func expectSameLength(_ fixture: MemberFixture) throws {
        let manifest = try #require(try LogManifest.read(in: fixture.path))
        var connection = try fixture.connection()
        let text = try #require(try connection.command("INFO", "persistence").string)
        let information = InfoText(Array(text.utf8))
        let length = try #require(manifest.length)
        // As LogRepair reads it: a new log is said to have no base.
        let base = information.number("aof_base_size") == 0 ? 0 : length.base
        #expect(information.number("aof_current_size") == UInt64(length.increments + base))
        #expect(length.base > 0)
    }
}
