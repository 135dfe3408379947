public import Foundation

/// The worker process as which connections introduce themselves.
///
/// All connections of a process carry the same identity; the server shows it to people and sends its signals to it.
public struct WorkerIdentity: Hashable, Sendable {
    /// Tells this process from all others; at least as long as its life.
    public var id: String
    /// The host that the process runs on.
    public var hostname: String
    /// The process on that host.
    public var processID: Int
    /// What the process is known by, for people.
    public var labels: [String]

    /// Describes this process, under a new random id unless one is given.
    public init(
        id: String = WorkerIdentity.makeID(),
        hostname: String = ProcessInfo.processInfo.hostName,
        processID: Int = Int(ProcessInfo.processInfo.processIdentifier),
        labels: [String] = ["swift"]
    ) {
        self.id = id
        self.hostname = hostname
        self.processID = processID
        self.labels = labels
    }

    /// A new id: 16 random hexadecimal digits.
    public static func makeID() -> String {
        var generator = SystemRandomNumberGenerator()
        return RandomText.hexadecimal(byteCount: 8, using: &generator)
    }
}
