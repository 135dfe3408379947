import Glibc
import Synchronization

/// A real `redis-server` of its own for a test, on a Unix socket in a temporary directory.
///
/// It appends to a file, so that what it holds is still there after `restart()`. It is killed, and its data
/// removed, when it is let go.
package final class RedisServer: Sendable {
    /// The longest that the server may be quiet before it is ready.
    private static let startMilliseconds: Int32 = 20_000

    private let directory: TemporaryDirectory
    private let arguments: [String]
    private let running = Mutex<pid_t?>(nil)

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
        self.arguments =
            [
                "--port", String(port ?? 0), "--bind", "127.0.0.1",
                "--unixsocket", directory.file("redis.sock"), "--dir", directory.path,
                "--save", "", "--appendonly", "yes", "--appendfsync", "everysec", "--enable-debug-command", "yes",
            ] + arguments
        try self.start()
    }

    deinit {
        self.kill()
    }

    /// Where it listens.
    package var socketPath: String { self.directory.file("redis.sock") }

    /// Where it keeps its data.
    package var dataDirectory: String { self.directory.path }

    /// The process that serves now; nil after `stop()` or `kill()`.
    package var pid: Int32? { self.running.withLock { $0 } }

    /// Lets the server write what it holds, and waits for its end.
    package func stop() {
        self.end(with: SIGTERM)
    }

    /// Ends the server at once, as a crash would, and waits for its end.
    package func kill() {
        self.end(with: SIGKILL)
    }

    /// Keeps the server from running, its connections open, until `resume()`.
    package func pause() {
        if let pid { Glibc.kill(pid, SIGSTOP) }
    }

    /// Lets the server go on after `pause()`.
    package func resume() {
        if let pid { Glibc.kill(pid, SIGCONT) }
    }

    /// Ends the server, if it runs, and starts it anew with the same data and addresses.
    package func restart() throws {
        self.stop()
        try self.start()
    }

    private func start() throws {
        let process = try ChildProcess("redis-server", self.arguments)
        defer { close(process.output) }
        self.running.withLock { $0 = process.pid }
        do {
            // It says so after it has loaded its data; the pipe may then be closed, since Redis ignores that.
            try process.waitForOutput("ready to accept connections at", milliseconds: Self.startMilliseconds)
        } catch {
            self.kill()
            throw error
        }
    }

    private func end(with signal: Int32) {
        let pid = self.running.withLock { $0.take() }
        guard let pid else { return }
        Glibc.kill(pid, signal)
        // A server that was paused takes the signal only once it goes on.
        Glibc.kill(pid, SIGCONT)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) == -1 && errno == EINTR {}
    }
}
