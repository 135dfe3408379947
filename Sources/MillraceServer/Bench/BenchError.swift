/// Why a run broke off.
enum BenchError: Error, Equatable, CustomStringConvertible {
    /// The server refused a command, or answered with something that the command does not promise.
    case unexpectedReply(to: String, String)
    /// A process that was to be watched is not there.
    case noSuchProcess(String)

    var description: String {
        switch self {
        case .unexpectedReply(let command, let reply): "the answer to \(command) was \(reply)"
        case .noSuchProcess(let name): "there is no process \(name) to watch"
        }
    }
}
