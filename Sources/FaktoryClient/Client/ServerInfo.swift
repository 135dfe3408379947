import JobCore

/// What a server says of itself.
public struct ServerInfo: Sendable {
    /// Its name, such as `Faktory`.
    public let serverDescription: String
    /// The version of Faktory that it behaves as.
    public let version: String
    /// How long it has run.
    public let uptime: Duration
    /// How many clients are connected.
    public let connectionCount: Int
    /// How many jobs wait in each queue.
    public let queueSizes: [String: Int]
    /// How many jobs are in each of the sets `scheduled`, `retries`, `dead` and `working`.
    public let setSizes: [String: Int]
    /// How many jobs have been processed, well or badly.
    public let processedCount: Int
    /// How many of them failed.
    public let failureCount: Int
    /// How many jobs wait in all queues together.
    public let enqueuedCount: Int
    /// The whole answer as it came, in compact JSON; servers may say more than the properties here.
    public let json: String

    /// Takes what it knows out of an answer; what the server does not say is empty or zero.
    init(document: JSONValue) {
        let server = document.field("server")
        let faktory = document.field("faktory")
        self.serverDescription = server?.field("description")?.string ?? ""
        self.version = server?.field("faktory_version")?.string ?? ""
        self.uptime = .seconds(server?.field("uptime")?.integer ?? 0)
        self.connectionCount = server?.field("connections")?.integer ?? 0
        self.queueSizes = Self.sizes(faktory?.field("queues"))
        self.setSizes = Self.sizes(faktory?.field("sets"))
        self.processedCount = faktory?.field("total_processed")?.integer ?? 0
        self.failureCount = faktory?.field("total_failures")?.integer ?? 0
        self.enqueuedCount = faktory?.field("total_enqueued")?.integer ?? 0
        self.json = String(decoding: document.encoded, as: UTF8.self)
    }

    private static func sizes(_ object: JSONValue?) -> [String: Int] {
        guard case .object(let members) = object else { return [:] }
        return Dictionary(members.map { ($0.key, $0.value.integer ?? 0) }, uniquingKeysWith: { _, last in last })
    }
}
