import CLinux
import Glibc

/// The hidden command that turns our executable into another program that does not outlive its parent.
///
/// It asks the kernel for SIGTERM when the parent dies, which survives the `execve`, and makes sure that the parent
/// had not died before that.
package struct SupervisedExec: Sendable, Equatable {
    /// What the command is called on the command line.
    package static let name = "supervised-exec"
    /// As a shell answers when a program is not there.
    package static let notFoundCode = ExitCode.notFound
    /// The parent was gone before we could watch it.
    package static let orphanCode = ExitCode.orphan

    package let parent: Int32
    package let executable: String
    package let arguments: [String]

    package init(parent: Int32, executable: String, arguments: [String]) {
        self.parent = parent
        self.executable = executable
        self.arguments = arguments
    }

    /// Reads what stands behind the command's name: the parent's id, the program and its arguments.
    package init(parsing arguments: [String]) throws(UsageError) {
        guard arguments.count >= 2, let parent = Int32(arguments[0]), parent > 0 else {
            throw UsageError("\(Self.name) needs the id of its parent, a program and its arguments")
        }
        self.init(parent: parent, executable: arguments[1], arguments: Array(arguments.dropFirst(2)))
    }

    /// The whole command line behind the name of our executable.
    package func arguments(of command: String) -> [String] {
        [command, "\(self.parent)", self.executable] + self.arguments
    }

    /// Becomes the program; returns only by ending the process.
    package func run() -> Never {
        guard self.watchParent() else { exit(Self.orphanCode) }
        var words: [UnsafeMutablePointer<CChar>?] = ([self.executable] + self.arguments).map { strdup($0) }
        words.append(nil)
        execvp(self.executable, &words)
        let reason = String(cString: strerror(errno))
        let message = "millrace: cannot run \(self.executable): \(reason)\n"
        _ = message.withCString { write(STDERR_FILENO, $0, strlen($0)) }
        exit(Self.notFoundCode)
    }

    /// Asks for SIGTERM at the parent's death; false if that has happened already.
    func watchParent() -> Bool {
        clinux_set_parent_death_signal(SIGTERM) == 0 && getppid() == self.parent
    }
}
