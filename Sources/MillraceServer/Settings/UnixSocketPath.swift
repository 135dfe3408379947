import Redis

/// What the system allows as the path of a Unix socket.
package enum UnixSocketPath {
    /// The most bytes that fit into `sockaddr_un` beside its terminator.
    package static let longest = RedisEndpoint.socketPathByteLimit

    /// Why the path cannot be used, or `nil`.
    package static func problem(with path: String) -> String? {
        let byteCount = path.utf8.count
        guard byteCount > Self.longest else { return nil }
        return "the socket path \(path) has \(byteCount) bytes and the system allows \(Self.longest);"
            + " name a shorter path or storage directory"
    }
}
