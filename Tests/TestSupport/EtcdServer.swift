import Foundation
import Glibc
import Synchronization

/// A real `etcd` of its own for a test, on free ports of the loopback address, alone or as a member of an `EtcdCluster`.
///
/// It keeps what it knows over `restart()`. It is killed, and its data removed, when it is let go.
package final class EtcdServer: Sendable {
    /// The longest that a server may take until it serves.
    private static let startTimeout: TimeInterval = 20
    /// Short times, so that leases are short and members notice soon that one is missing.
    private static let timing = ["--heartbeat-interval", "50", "--election-timeout", "500"]

    private let directory: TemporaryDirectory
    private let arguments: [String]
    private let running = Mutex<pid_t?>(nil)

    /// Where it serves clients.
    package let endpoint: String

    /// Starts a server that is alone, and waits until it serves.
    ///
    /// More arguments are those of `etcd`.
    package convenience init(scheme: String = "http", arguments: [String] = []) throws {
        let (client, peer) = (try freePort(), try freePort())
        try self.init(
            name: "alone",
            client: "\(scheme)://127.0.0.1:\(client)",
            peerPort: peer,
            cluster: "alone=http://127.0.0.1:\(peer)",
            arguments: arguments
        )
        try self.start()()
    }

    init(name: String, client: String, peerPort: Int, cluster: String, arguments: [String] = []) throws {
        let peer = "http://127.0.0.1:\(peerPort)"
        self.directory = try TemporaryDirectory()
        self.endpoint = client
        self.arguments =
            [
                "--name", name, "--data-dir", self.directory.file("data"),
                "--listen-client-urls", client, "--advertise-client-urls", client,
                "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                "--initial-cluster", cluster, "--initial-cluster-token", cluster,
                "--logger", "zap", "--log-outputs", "stdout",
            ] + Self.timing + arguments
    }

    deinit {
        self.kill()
    }

    /// Ends the server at once, as a crash would, and waits for its end.
    package func kill() {
        let pid = self.running.withLock { $0.take() }
        guard let pid else { return }
        Glibc.kill(pid, SIGKILL)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) == -1 && errno == EINTR {}
    }

    /// Keeps the server from running, its connections open, until `resume()`.
    package func pause() {
        if let pid = self.running.withLock({ $0 }) { Glibc.kill(pid, SIGSTOP) }
    }

    /// Lets the server go on after `pause()`.
    package func resume() {
        if let pid = self.running.withLock({ $0 }) { Glibc.kill(pid, SIGCONT) }
    }

    /// Ends the server, if it runs, and starts it anew with the same data and addresses.
    package func restart() throws {
        self.kill()
        try self.start()()
    }

    /// Ends the server, and starts it anew at the same addresses without anything that it had.
    package func empty() throws {
        self.kill()
        try FileManager.default.removeItem(atPath: self.directory.file("data"))
        try self.start()()
    }

    /// Turns passwords on: one for `root`, and one for a user who may do everything with the keys of a prefix.
    package func requirePassword(_ rootPassword: String, and user: String, password: String, for prefix: String) throws
    {
        for arguments in [
            ["user", "add", "root:\(rootPassword)"], ["user", "grant-role", "root", "root"],
            ["role", "add", "members"], ["role", "grant-permission", "members", "readwrite", "--prefix", prefix],
            ["user", "add", "\(user):\(password)"], ["user", "grant-role", user, "members"],
            ["auth", "enable"],
        ] {
            try self.control(arguments)
        }
    }

    private func control(_ arguments: [String]) throws {
        let process = try ChildProcess("etcdctl", ["--endpoints", self.endpoint] + arguments)
        let log = ServerLog(of: process.output, awaiting: "enabled")
        var status: Int32 = 0
        while waitpid(process.pid, &status, 0) == -1 && errno == EINTR {}
        guard status == 0 else { throw TestSupportError.serverNotReady(log: log.text) }
    }

    /// Starts the server; what is returned waits until it serves.
    func start() throws -> () throws -> Void {
        let process = try ChildProcess("etcd", self.arguments)
        self.running.withLock { $0 = process.pid }
        let log = ServerLog(of: process.output, awaiting: "serving client traffic")
        return {
            guard log.wait(Self.startTimeout) else { throw TestSupportError.serverNotReady(log: log.text) }
        }
    }
}

/// Reads what a server writes until it ends, so that its pipe never fills up, and notices when it says that it is ready.
private final class ServerLog: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var isReady = false
        var hasEnded = false
    }

    /// What is kept, for the report of a failure.
    private static let keptByteCount = 2 << 10

    private let state = Mutex(State())
    private let condition = NSCondition()

    init(of descriptor: Int32, awaiting text: String) {
        Thread.detachNewThread { [self] in
            var chunk = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = read(descriptor, &chunk, chunk.count)
                if count < 0, errno == EINTR { continue }
                self.take(count > 0 ? chunk[..<count] : [], awaiting: text)
                guard count > 0 else { break }
            }
            close(descriptor)
        }
    }

    var text: String { self.state.withLock { String(decoding: $0.bytes, as: UTF8.self) } }

    /// Waits until the text has come; false if the time is over or the server ended first.
    func wait(_ timeout: TimeInterval) -> Bool {
        let deadline = Date(timeIntervalSinceNow: timeout)
        self.condition.lock()
        defer { self.condition.unlock() }
        while true {
            let (isReady, hasEnded) = self.state.withLock { ($0.isReady, $0.hasEnded) }
            if isReady || hasEnded { return isReady }
            guard self.condition.wait(until: deadline) else { return false }
        }
    }

    private func take(_ chunk: ArraySlice<UInt8>, awaiting text: String) {
        self.condition.lock()
        defer { self.condition.unlock() }
        self.state.withLock { state in
            state.hasEnded = chunk.isEmpty
            guard !state.isReady else { return }
            state.bytes.append(contentsOf: chunk)
            state.isReady = String(decoding: state.bytes, as: UTF8.self).contains(text)
            if state.bytes.count > Self.keptByteCount {
                state.bytes.removeFirst(state.bytes.count - Self.keptByteCount)
            }
        }
        self.condition.broadcast()
    }
}
