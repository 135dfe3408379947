import Foundation
import Synchronization

/// A program that a test started, with the lines that it writes to its outputs.
///
/// It is killed when it is let go, so that nothing stays behind a test that fails.
final class SpawnedProgram: Sendable {
    /// How a program ended.
    enum End: Equatable, Sendable {
        case code(Int32)
        case signal(Int32)
    }

    /// Why a program could not be started, or did not do what a test waited for.
    enum Failure: Error {
        case system(call: String, code: Int32)
        /// With everything that it had written by then.
        case silent(awaited: String, output: String)
        case stillRunning(output: String)
    }

    private struct Output {
        var lines: [String] = []
        var rest: [UInt8] = []
        var hasEnded = false
    }

    /// Enough for all lines that a program writes while nobody reads.
    private static let pipeByteCount: Int32 = 1 << 20

    let processID: pid_t
    private let descriptor: Int32
    private let output = Mutex(Output())
    private let end = Mutex<End?>(nil)

    /// What must not reach a program from the environment of the tests.
    private static let foreignPrefixes = ["FAKTORY_", "MILLRACE_"]

    /// Starts the program at this path; the variables come on top of our own, apart from those that would set it up.
    init(_ path: String, _ arguments: [String], variables: [String: String] = [:]) throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw Failure.system(call: "pipe", code: errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(ends[0], F_SETPIPE_SZ_NUMBER, Self.pipeByteCount)
        defer { close(ends[1]) }

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO)

        // The threads of Swift's pool block most signals, and a child would inherit that and never heed SIGTERM.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

        let inherited = ProcessInfo.processInfo.environment.filter { name, _ in
            !Self.foreignPrefixes.contains { name.hasPrefix($0) }
        }
        let environment = inherited.merging(variables) { _, given in given }
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        var pairs: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in words + pairs { free(text) } }
        var processID: pid_t = 0
        let code = posix_spawn(&processID, path, &actions, &attributes, &words, &pairs)
        guard code == 0 else {
            close(ends[0])
            throw Failure.system(call: "posix_spawn \(path)", code: code)
        }
        self.processID = processID
        self.descriptor = ends[0]
    }

    deinit {
        self.kill()
        close(self.descriptor)
    }

    /// Everything that has been read so far.
    var text: String { self.output.withLock { $0.lines.joined(separator: "\n") } }

    /// How many lines have been read; waiting after this number finds only what comes from now on.
    var lineCount: Int { self.output.withLock { $0.lines.count } }

    /// Reads until there is a line that `matches` answers something for, behind the first lines that are skipped.
    ///
    /// - Throws: `Failure.silent` when the time is over or the output has ended.
    func wait<Match>(
        for awaited: String,
        skipping skipped: Int = 0,
        within limit: Duration = .seconds(120),
        _ matches: (String) -> Match?
    ) throws -> Match {
        let deadline = ContinuousClock.now + limit
        return try self.output.withLock { output in
            var next = skipped
            while true {
                while next < output.lines.count {
                    if let match = matches(output.lines[next]) { return match }
                    next += 1
                }
                guard !output.hasEnded, self.read(into: &output, until: deadline) else {
                    let text = output.lines.joined(separator: "\n")
                    throw Failure.silent(awaited: awaited, output: text)
                }
            }
        }
    }

    /// Reads until so many lines have this text in them, behind those that are skipped.
    func wait(
        forLineWith text: String,
        count: Int = 1,
        skipping skipped: Int = 0,
        within limit: Duration = .seconds(120)
    ) throws {
        var found = 0
        try self.wait(for: text, skipping: skipped, within: limit) { line in
            if line.contains(text) { found += 1 }
            return found == count ? () : nil
        }
    }

    /// Waits for the program's end; its output is read meanwhile.
    func waitForEnd(within limit: Duration = .seconds(120)) throws -> End {
        let deadline = ContinuousClock.now + limit
        try self.output.withLock { output in
            while !output.hasEnded {
                guard self.read(into: &output, until: deadline) else {
                    throw Failure.stillRunning(output: output.lines.joined(separator: "\n"))
                }
            }
        }
        return self.reap()
    }

    /// Sends the program a signal, unless it has ended.
    func send(_ signal: Int32) {
        self.end.withLock { end in
            if end == nil { Glibc.kill(self.processID, signal) }
        }
    }

    /// Ends the program at once.
    @discardableResult
    func kill() -> End {
        self.send(SIGKILL)
        return self.reap()
    }

    private func reap() -> End {
        self.end.withLock { end in
            if let end { return end }
            var status: Int32 = 0
            while waitpid(self.processID, &status, 0) == -1, errno == EINTR {}
            let signal = status & 0x7F
            let found = signal == 0 ? End.code(status >> 8 & 0xFF) : .signal(signal)
            end = found
            return found
        }
    }

    /// Takes what there is to read, waiting for it if need be; false when nothing came in time.
    private func read(into output: inout Output, until deadline: ContinuousClock.Instant) -> Bool {
        let left = deadline - .now
        var polled = pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&polled, 1, Int32(max(0, left / .milliseconds(1)))) == 1 else { return false }
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let count = Glibc.read(self.descriptor, &chunk, chunk.count)
        guard count > 0 else {
            output.hasEnded = true
            return true
        }
        output.rest += chunk[..<count]
        while let end = output.rest.firstIndex(of: UInt8(ascii: "\n")) {
            output.lines.append(String(decoding: output.rest[..<end], as: UTF8.self))
            output.rest.removeSubrange(...end)
        }
        return true
    }
}

/// `F_SETPIPE_SZ`, which Glibc's module does not show.
private let F_SETPIPE_SZ_NUMBER: Int32 = 1_031
