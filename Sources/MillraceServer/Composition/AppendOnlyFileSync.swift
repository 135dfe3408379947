import Foundation
import Logging
import NIOPosix
import Redis
import ServiceLifecycle

/// Brings the append-only file of our Redis to the disk once a second.
///
/// Redis can do that itself (`appendfsync everysec`), but then it holds back writes, for up to two seconds, while
/// a sync is under way, and has answered them already: when the Redis process is killed at that moment, acknowledged jobs
/// are gone although the machine never stopped. With `appendfsync no` every write is with the kernel before it is
/// answered, and survives the end of the process; the sync, which a power cut needs, is made here.
///
/// Without the file in reach, Redis is told to sync by itself.
final class AppendOnlyFileSync: Service {
    private static let interval = Duration.seconds(1)

    private let endpoint: RedisEndpoint
    private let options: RedisConnectionOptions
    private let logger: Logger

    init(endpoint: RedisEndpoint, options: RedisConnectionOptions, logger: Logger) {
        self.endpoint = endpoint
        self.options = options
        self.logger = logger
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var files: AppendOnlyFiles?
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.interval)
                let known = files
                // Syncing waits for the disk, and so does not belong on a thread of the tasks.
                files = try? await NIOThreadPool.singleton.runIfActive { self.sync(known) }
            }
        }
    }

    private func sync(_ known: AppendOnlyFiles?) -> AppendOnlyFiles? {
        guard var files = known ?? self.find() else { return nil }
        do {
            try files.sync()
            return files
        } catch {
            self.logger.error("the append-only file cannot be synced", metadata: ["reason": "\(error)"])
            return nil
        }
    }

    /// Asks Redis where it writes; nil while it does not answer or syncs by itself.
    private func find() -> AppendOnlyFiles? {
        do {
            var connection = try RedisConnection.open(self.endpoint, with: self.options)
            guard try Self.setting("appendfsync", of: &connection) == "no" else { return nil }
            let directory = try Self.setting("dir", of: &connection)
            let name = try Self.setting("appenddirname", of: &connection)
            let files = AppendOnlyFiles(directory: "\(directory)/\(name)")
            guard files.areInReach else {
                try connection.command("CONFIG", "SET", "appendfsync", "everysec").requireOK(to: "CONFIG SET")
                self.logger.warning("the append-only file is out of reach; Redis syncs it by itself from now on")
                return nil
            }
            return files
        } catch {
            return nil
        }
    }

    private static func setting(_ name: String, of connection: inout RedisConnection) throws(RedisError) -> String {
        let reply = try connection.command("CONFIG", "GET", name)
        guard reply.count == 2 else { throw .unexpectedReply(to: "CONFIG GET") }
        return reply.withElement(1) { $0.string ?? "" }
    }
}

/// The files in which a Redis appends what it writes.
private struct AppendOnlyFiles: Sendable {
    let directory: String
    /// The sizes at which files were synced last.
    private var synced: [String: Int64] = [:]

    init(directory: String) {
        self.directory = directory
    }

    /// Whether this process may list and read them.
    var areInReach: Bool {
        access(self.directory, R_OK | X_OK) == 0
    }

    /// Syncs the files that have grown.
    mutating func sync() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: self.directory)
        var sizes: [String: Int64] = [:]
        for name in names {
            let path = "\(self.directory)/\(name)"
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            // A file that Redis has just finished with and removed needs no sync.
            guard descriptor >= 0 else { continue }
            defer { close(descriptor) }
            var status = stat()
            guard fstat(descriptor, &status) == 0 else { continue }
            sizes[name] = Int64(status.st_size)
            guard self.synced[name] != sizes[name] else { continue }
            guard fdatasync(descriptor) == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        }
        self.synced = sizes
    }
}
