import Glibc
import JobStorageRedis

/// The Redis server that we start for ourselves: its configuration and its command line.
///
/// With durability `disk` it syncs each write before it answers; with `memory` the write is with the kernel before it is
/// answered, and `AppendOnlyFileSync` brings it to the disk once a second. It listens on a Unix socket that only our
/// user may open, and on no port. It never evicts, never forgets a torn tail of its log quietly, and takes no snapshots
/// beside the log.
package struct RedisServerCommand: Sendable, Equatable {
    /// Why the server cannot be given its configuration.
    package enum Failure: Error, Equatable {
        /// The socket's path is longer than the system allows; in words.
        case socketPath(String)
        case unwritable(path: String, reason: String)
    }

    /// How often it is started when it ends at once, as when it may not write where it is told to.
    static let attemptBound = 5
    /// What the child is called in what a ``Supervisor`` tells.
    package static let childName = "redis"

    package let executable: String
    package let directory: String
    package let socket: String
    package let durability: Settings.Durability
    package let password: Secret?

    /// - Parameters:
    ///   - directory: where the data, the log and the configuration are kept.
    ///   - socket: at most ``UnixSocketPath/longest`` bytes.
    package init(
        executable: String = "redis-server",
        directory: String,
        socket: String,
        durability: Settings.Durability,
        password: Secret? = nil
    ) throws(Failure) {
        if let problem = UnixSocketPath.problem(with: socket) { throw .socketPath(problem) }
        self.executable = executable
        self.directory = directory
        self.socket = socket
        self.durability = durability
        self.password = password
    }

    /// Where the configuration is written.
    package var configurationPath: String { self.directory + "/" + RedisServerDirectives.configurationName }

    /// Where the server logs, at the end of what it logged before.
    package var logPath: String { self.directory + "/" + RedisServerDirectives.logName }

    /// The configuration, as `redis.conf` has it.
    package var configuration: String {
        let password = self.password.map { "requirepass \(RedisServerDirectives.quoted($0.value))\n" } ?? ""
        let storage = RedisServerDirectives.storage(
            in: self.directory,
            snapshotName: "millrace.rdb",
            syncsEachWrite: self.durability == .disk
        )
        return """
            # Written by millrace at each start.
            daemonize no
            port 0
            unixsocket \(RedisServerDirectives.quoted(self.socket))
            unixsocketperm 700
            timeout 0
            databases 1
            \(password)\(storage)

            """
    }

    /// Makes the directory if need be and writes the configuration, readable by our user only.
    package func prepare() throws(Failure) {
        try Self.makeDirectory(self.directory)
        // A new file renamed over the old one, so that the mode holds and no reader sees half of it.
        let path = self.configurationPath
        let draft = path + ".new"
        unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.unwritable(draft) }
        defer { close(descriptor) }
        let bytes = Array(self.configuration.utf8)
        guard write(descriptor, bytes, bytes.count) == bytes.count, rename(draft, path) == 0 else {
            throw Self.unwritable(path)
        }
    }

    /// The child that a ``Supervisor`` keeps running.
    package func child(environment: [String: String]) -> ChildProcess {
        ChildProcess(
            name: Self.childName,
            executable: self.executable,
            // The port again, so that a Redis that has not read our configuration ends instead of serving.
            arguments: [RedisServerDirectives.standardInput, "--port", "0"],
            environment: environment,
            stopTimeout: .seconds(30),
            attemptBound: Self.attemptBound,
            input: self.configurationPath
        )
    }

    /// Makes a directory and those above it, for our user only.
    private static func makeDirectory(_ path: String) throws(Failure) {
        var made = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            made += "/" + part
            guard mkdir(made, 0o700) == 0 || errno == EEXIST else { throw Self.unwritable(made) }
        }
    }

    private static func unwritable(_ path: String) -> Failure {
        .unwritable(path: path, reason: String(cString: strerror(errno)))
    }
}

extension RedisServerCommand.Failure: CustomStringConvertible {
    package var description: String {
        switch self {
        case .socketPath(let reason): reason
        case .unwritable(let path, let reason): "\(path) cannot be written: \(reason)"
        }
    }
}
