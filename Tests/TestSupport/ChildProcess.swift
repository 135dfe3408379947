import Glibc

/// A process started by a test, with what it writes to its standard output in a pipe.
struct ChildProcess {
    let pid: pid_t
    /// The reading end of the pipe; whoever started the process closes it.
    let output: Int32

    /// Starts a program that is found by its name.
    init(_ program: String, _ arguments: [String]) throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw TestSupportError.system(call: "pipe", code: errno) }
        // Otherwise the end of this process would stay unseen while another one that it started lives.
        ends.forEach { _ = fcntl($0, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[1]) }

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)

        // The threads of Swift's pool block most signals, and a child would inherit that and never heed SIGTERM.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

        let words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
        defer { words.forEach { free($0) } }
        var pid: pid_t = 0
        let code = posix_spawnp(&pid, program, &actions, &attributes, words, environ)
        guard code == 0 else {
            close(ends[0])
            throw TestSupportError.system(call: "posix_spawnp \(program)", code: code)
        }
        self.pid = pid
        self.output = ends[0]
    }

    /// Reads the output until a line has `text` in it; throws if the process ends first or the time is over.
    func waitForOutput(_ text: String, milliseconds: Int32) throws {
        var log: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            var descriptor = pollfd(fd: self.output, events: Int16(POLLIN), revents: 0)
            guard poll(&descriptor, 1, milliseconds) == 1 else { break }
            let count = read(self.output, &chunk, chunk.count)
            guard count > 0 else { break }
            log.append(contentsOf: chunk[..<count])
            if String(decoding: log, as: UTF8.self).contains(text) { return }
        }
        throw TestSupportError.serverNotReady(log: String(decoding: log, as: UTF8.self))
    }
}
