import CLinux
import Glibc

/// The hidden command that turns our executable into another program that does not outlive its parent.
///
/// It asks the kernel for SIGTERM when the parent dies, which survives the `execve`, and makes sure that the parent
/// had not died before that. If it is given a lock, it shares it, and so does the program until its end: the lock is that of
/// an open file, which the program inherits and knows nothing of.
package struct SupervisedExec: Sendable, Equatable {
    /// What the command is called on the command line.
    package static let name = "supervised-exec"
    /// As a shell answers when a program is not there.
    package static let notFoundCode = ExitCode.notFound
    /// The parent was gone before we could watch it.
    package static let orphanCode = ExitCode.orphan
    /// The lock is somebody else's alone, or cannot be had.
    package static let lockedCode = ExitCode.locked
    /// What the argument begins with that names the lock.
    private static let lockFlag = "--lock="

    package let parent: Int32
    /// The file whose lock is shared; nil for none.
    package let lock: String?
    package let executable: String
    package let arguments: [String]

    package init(parent: Int32, lock: String? = nil, executable: String, arguments: [String]) {
        self.parent = parent
        self.lock = lock
        self.executable = executable
        self.arguments = arguments
    }

    /// Reads what stands behind the command's name: the parent's id, the lock if there is one, the program and its arguments.
    package init(parsing arguments: [String]) throws(UsageError) {
        var rest = arguments[...]
        let parent = rest.popFirst().flatMap { Int32($0) } ?? 0
        var lock: String?
        if let first = rest.first, first.hasPrefix(Self.lockFlag) {
            lock = String(first.dropFirst(Self.lockFlag.count))
            rest.removeFirst()
        }
        guard parent > 0, let executable = rest.popFirst() else {
            throw UsageError("\(Self.name) needs the id of its parent, a program and its arguments")
        }
        self.init(parent: parent, lock: lock, executable: executable, arguments: Array(rest))
    }

    /// The whole command line behind the name of our executable.
    package func arguments(of command: String) -> [String] {
        let lock = self.lock.map { [Self.lockFlag + $0] } ?? []
        return [command, "\(self.parent)"] + lock + [self.executable] + self.arguments
    }

    /// Becomes the program; returns only by ending the process.
    package func run() -> Never {
        guard self.watchParent() else { exit(Self.orphanCode) }
        if let lock, !ChildrenLock.share(lock) {
            Self.complain("\(lock) cannot be locked: \(String(cString: strerror(errno)))")
            exit(Self.lockedCode)
        }
        var words: [UnsafeMutablePointer<CChar>?] = ([self.executable] + self.arguments).map { strdup($0) }
        words.append(nil)
        execvp(self.executable, &words)
        Self.complain("cannot run \(self.executable): \(String(cString: strerror(errno)))")
        exit(Self.notFoundCode)
    }

    private static func complain(_ text: String) {
        _ = "millrace: \(text)\n".withCString { write(STDERR_FILENO, $0, strlen($0)) }
    }

    /// Asks for SIGTERM at the parent's death; false if that has happened already.
    func watchParent() -> Bool {
        clinux_set_parent_death_signal(SIGTERM) == 0 && getppid() == self.parent
    }
}
