/// The names of what processes of one host share in the storage directory.
enum StorageFiles {
    /// The socket of a manager in single mode.
    static let managerSocket = "millrace-manager.sock"
    /// The socket of a Redis of our own.
    static let redisSocket = "millrace-redis.sock"
    /// Held by the supervisor that works on the directory.
    static let lock = "millrace.lock"
}
