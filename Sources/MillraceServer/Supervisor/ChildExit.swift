import Glibc

/// How a process ended.
package enum ChildExit: Sendable, Equatable {
    case code(Int32)
    case signal(Int32)
}

extension ChildExit: CustomStringConvertible {
    package var description: String {
        switch self {
        case .code(let code): "exit code \(code)"
        case .signal(let signal): "signal \(signal) (\(String(cString: strsignal(signal))))"
        }
    }

    /// What it means, for people; nil when only the process's own last line can tell.
    var meaning: String? {
        switch self {
        case .code(0): "it ended as it should, though nobody asked it to"
        case .code(ExitCode.notFound): "the program is not there, or may not be run"
        case .code(ExitCode.hopeless): "its last line says what has to be changed"
        case .code(ExitCode.orphan): "its supervisor was gone"
        case .signal(SIGKILL): "somebody killed it, or the system had no memory left"
        case .signal(SIGTERM), .signal(SIGINT): "somebody asked it to end"
        case .signal(SIGILL), .signal(SIGTRAP), .signal(SIGSEGV), .signal(SIGBUS), .signal(SIGABRT):
            "it has crashed, which is a mistake of the program: please report it"
        default: nil
        }
    }
}
