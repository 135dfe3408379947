/// Why a run broke off.
enum BenchError: Error, Equatable, CustomStringConvertible {
    /// A connection was closed before the run was over.
    case disconnected
    /// The server refused a command, or answered with something that the command does not promise.
    case unexpectedReply(to: String, String)
    /// The server asks for a password, and there is none.
    case passwordWanted
    /// A process that was to be watched is not there.
    case noSuchProcess(String)
    /// The server is reached through TLS only, which the generator does not speak.
    case encrypted

    var description: String {
        switch self {
        case .disconnected: "a connection was closed"
        case .unexpectedReply(let command, let reply): "the answer to \(command) was \(reply)"
        case .passwordWanted: "the server asks for a password: tcp://:password@host:port"
        case .noSuchProcess(let name): "there is no process \(name) to watch"
        case .encrypted: "only tcp:// can be measured, not tcp+tls://"
        }
    }
}
