import CLinux
import Foundation
import Glibc
import Synchronization

/// A process that we started, until it has been reaped.
///
/// A thread of its own starts it and then waits for its end. It is the same thread for a reason: the kernel sends the
/// parent-death signal when the *thread* that started a process ends, so that thread has to stay.
final class RunningProcess: Sendable {
    /// Why there is no process: the system's words.
    struct StartFailure: Error, Equatable {
        let reason: String
    }

    let processID: pid_t
    /// Opens when the process has ended, whether or not it has been reaped.
    let ended = Gate()
    /// How it ended, once it has been reaped; from then on its id may belong to another process.
    private let status = Mutex<ChildExit?>(nil)

    private init(processID: pid_t) {
        self.processID = processID
    }

    /// Starts a child in a process group of its own, with standard output and error of ours.
    ///
    /// - Parameter prepare: what is done before, on the same thread.
    static func start(
        _ child: ChildProcess,
        after prepare: @escaping @Sendable () throws -> Void = {}
    ) async -> Result<RunningProcess, StartFailure> {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                do throws(StartFailure) {
                    do { try prepare() } catch { throw StartFailure(reason: "\(error)") }
                    let process = RunningProcess(processID: try Self.spawn(child))
                    continuation.resume(returning: .success(process))
                    process.waitForEnd()
                    process.ended.open()
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
    }

    /// Sends the process a signal, unless it has been reaped.
    func send(_ signal: Int32) {
        self.status.withLock { status in
            if status == nil { kill(self.processID, signal) }
        }
    }

    /// Ends the process and everything in its group at once, unless it has been reaped.
    func killGroup() {
        self.status.withLock { status in
            if status == nil { kill(-self.processID, SIGKILL) }
        }
    }

    /// Takes the process from the system's table, and tells how it ended; to be called once it has.
    ///
    /// What it left behind in its group is killed: it would keep files, ports and our own output open.
    func reap() -> ChildExit {
        self.status.withLock { status in
            if let status { return status }
            kill(-self.processID, SIGKILL)
            var raw: Int32 = 0
            while waitpid(self.processID, &raw, 0) < 0, errno == EINTR {}
            let signal = raw & 0x7F
            let found = signal == 0 ? ChildExit.code(raw >> 8 & 0xFF) : .signal(signal)
            status = found
            return found
        }
    }

    /// Blocks until the process has ended, and leaves it to be reaped.
    private func waitForEnd() {
        var information = siginfo_t()
        while waitid(P_PID, id_t(self.processID), &information, WEXITED | WNOWAIT) < 0, errno == EINTR {}
    }

    private static func spawn(_ child: ChildProcess) throws(StartFailure) -> pid_t {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        // Ignored and blocked signals are inherited, and ours are nobody else's business.
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP
        posix_spawnattr_setflags(&attributes, Int16(flags))

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, child.input, O_RDONLY, 0)
        clinux_close_from(&actions, STDERR_FILENO + 1)

        let variables = child.environment.map { "\($0.key)=\($0.value)" }
        var processID: pid_t = 0
        let code = Self.withCStrings([child.executable] + child.arguments) { words in
            Self.withCStrings(variables) { variables in
                posix_spawnp(&processID, child.executable, &actions, &attributes, words, variables)
            }
        }
        guard code == 0 else { throw StartFailure(reason: String(cString: strerror(code))) }
        return processID
    }

    private static func withCStrings<Result>(
        _ texts: [String],
        _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        let pointers = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: texts.count + 1)
        for (index, text) in texts.enumerated() { pointers[index] = strdup(text) }
        pointers[texts.count] = nil
        defer {
            for index in texts.indices { free(pointers[index]) }
            pointers.deallocate()
        }
        return body(pointers)
    }
}
