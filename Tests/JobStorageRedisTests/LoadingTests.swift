import Foundation
import JobStorage
import JobStorageRedis
import Redis
import TestSupport
import Testing

@Suite("A Redis that reads its file")
struct LoadingTests {
    @Test("is waited for until it serves")
    func patience() throws {
        let redis = try LoadingRedis(answers: ["-LOADING a", "-LOADING b", "-NOAUTH no"])
        let error = #expect(throws: StorageError.self) { try redis.load(patience: .seconds(60)) }

        // It got as far as the first answer that is another.
        #expect(error == .refused("NOAUTH no"))
    }

    @Test("serves when all that it says is that it takes no writes")
    func refusesWrites() throws {
        let redis = try LoadingRedis(answers: ["-LOADING a", "-MISCONF no room", "-NOAUTH no"])
        let error = #expect(throws: StorageError.self) { try redis.load(patience: .seconds(60)) }

        // It got as far as the command behind the one by which it was waited for.
        #expect(error != .refused("MISCONF no room"))
    }

    @Test("is not waited for longer than patience lasts")
    func impatience() throws {
        let redis = try LoadingRedis(answers: ["-LOADING a", "-LOADING b", "-LOADING c"])
        let error = #expect(throws: StorageError.self) { try redis.load(patience: .milliseconds(1)) }

        #expect(error == .disconnected(reason: "Redis has been loading for 0.001 seconds"))
    }
}

/// Takes one connection, and answers one command after the other with what it was given.
private struct LoadingRedis {
    private let directory: TemporaryDirectory
    private let path: String

    init(answers: [String]) throws {
        self.directory = try TemporaryDirectory()
        self.path = self.directory.file("redis.sock")
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        try #require(listener >= 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: self.path.utf8) }
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(code == 0 && listen(listener, 1) == 0)
        Thread.detachNewThread {
            let descriptor = accept(listener, nil, nil)
            defer { close(descriptor) }
            close(listener)
            var chunk = [UInt8](repeating: 0, count: 4096)
            for answer in answers where recv(descriptor, &chunk, chunk.count, 0) > 0 {
                let line = Array((answer + "\r\n").utf8)
                _ = send(descriptor, line, line.count, Int32(MSG_NOSIGNAL))
            }
        }
    }

    func load(patience: Duration) throws {
        let configuration = try RedisStoreConfiguration(
            endpoint: .unixSocket(path: self.path),
            loadingPatience: patience
        )
        _ = try RedisJobStore(configuration: configuration).load()
    }
}
