import Glibc

/// A real `redis-server` of its own for a test, on a Unix socket in a temporary directory.
///
/// It appends to a file, so that what it holds is still there after `restart()`. It is killed, and its data
/// removed, when it is let go.
package final class RedisServer: Sendable {
    private let directory: TemporaryDirectory
    private let process: RedisProcess

    /// The TCP port on the loopback address, if it listens on one.
    package let port: Int?

    /// Starts a server and waits until it is ready.
    ///
    /// More arguments are those of `redis-server`, such as `--requirepass secret`, and may overrule our own.
    package init(listeningOnTCP: Bool = false, arguments: [String] = []) throws {
        let directory = try TemporaryDirectory()
        let port = listeningOnTCP ? try freePort() : nil
        self.directory = directory
        self.port = port
        self.process = RedisProcess(
            arguments: [
                "--port", String(port ?? 0), "--bind", "127.0.0.1",
                "--unixsocket", directory.file("redis.sock"), "--dir", directory.path,
                "--save", "", "--appendonly", "yes", "--appendfsync", "everysec", "--enable-debug-command", "yes",
            ] + arguments
        )
        try self.process.start()
    }

    deinit {
        // Before its directory goes.
        self.kill()
    }

    /// Where it listens.
    package var socketPath: String { self.directory.file("redis.sock") }

    /// Where it keeps its data.
    package var dataDirectory: String { self.directory.path }

    /// The process that serves now; nil after `stop()` or `kill()`.
    package var pid: Int32? { self.process.pid }

    /// Lets the server write what it holds, and waits for its end.
    package func stop() {
        self.process.end(with: SIGTERM)
    }

    /// Ends the server at once, as a crash would, and waits for its end.
    package func kill() {
        self.process.end(with: SIGKILL)
    }

    /// Keeps the server from running, its connections open, until `resume()`.
    package func pause() {
        self.process.pause()
    }

    /// Lets the server go on after `pause()`.
    package func resume() {
        self.process.resume()
    }

    /// Ends the server, if it runs, and starts it anew with the same data and addresses.
    package func restart() throws {
        self.stop()
        try self.process.start()
    }
}
