/// Where a Redis listens.
package enum RedisEndpoint: Sendable, Hashable {
    /// The path of a Unix socket, 107 bytes at the most.
    case unixSocket(path: String)
    /// A host, by name or address, and a TCP port.
    case tcp(host: String, port: Int)

    /// The longest path that an address of a Unix socket can hold, without its terminating zero.
    package static let socketPathByteLimit = 107
}
