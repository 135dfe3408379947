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
}
