import Glibc
import Synchronization

/// A process of `redis-server` that a test starts and ends as it likes; it is killed when it is let go.
///
/// What it logs must go to its standard output, because there it says that it is ready.
package final class RedisProcess: Sendable {
    /// The longest that the server may be quiet before it is ready.
    private static let startMilliseconds: Int32 = 20_000

    private let arguments: [String]
    private let running = Mutex<pid_t?>(nil)

    package init(arguments: [String]) {
        self.arguments = arguments
    }

    deinit {
        self.end(with: SIGKILL)
    }

    /// The process that serves now, if there is one.
    package var pid: Int32? { self.running.withLock { $0 } }

    /// Starts the server and waits until it has loaded its data and is ready.
    package func start() throws {
        let process = try ChildProcess("redis-server", self.arguments)
        defer { close(process.output) }
        self.running.withLock { $0 = process.pid }
        do {
            // It says so after it has loaded its data; the pipe may then be closed, since Redis ignores that.
            try process.waitForOutput("ready to accept connections at", milliseconds: Self.startMilliseconds)
        } catch {
            self.end(with: SIGKILL)
            throw error
        }
    }

    /// Ends the server with a signal, if it runs, and waits for its end.
    package func end(with signal: Int32) {
        let pid = self.running.withLock { $0.take() }
        guard let pid else { return }
        Glibc.kill(pid, signal)
        // A server that was paused takes the signal only once it goes on.
        Glibc.kill(pid, SIGCONT)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) == -1 && errno == EINTR {}
    }

    /// Keeps the server from running, its connections open, until `resume()`.
    package func pause() {
        if let pid { Glibc.kill(pid, SIGSTOP) }
    }

    /// Lets the server go on after `pause()`.
    package func resume() {
        if let pid { Glibc.kill(pid, SIGCONT) }
    }
}
