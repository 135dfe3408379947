import JobStorage
import Redis

/// Which Redis it is that answers, so that another one behind the same address is noticed.
struct RedisIdentity: Hashable, Sendable {
    /// Another one begins with each start of a server.
    let run: String
    /// The history that its data belongs to; another one begins when a replica becomes a primary.
    let history: String
}

/// What a Redis says of itself that a leader must know before it relies on it.
struct RedisCondition: Sendable {
    let identity: RedisIdentity
    let isPrimary: Bool
    /// Whether it is reading a data set from its disk.
    let isLoading: Bool
    /// The rule by which it drops data that it has no room for; nil when it drops none of ours.
    ///
    /// Nothing of ours expires, so that the rules for what does (`volatile-…`) leave it alone.
    let evictionPolicy: String?

    private static let sections = ["server", "replication", "persistence", "memory"]

    /// Asks over a connection; between a fence and its transaction, too.
    init(over link: RedisLink) throws(StorageError) {
        var commands = RedisCommandBuffer(reserving: 128)
        for section in Self.sections {
            commands.begin("INFO", argumentCount: 1)
            commands.append(section)
        }
        try link.send(commands)
        var information: [UInt8] = []
        var failure: StorageError?
        for _ in Self.sections {
            let reply = try link.nextReply()
            if let error = reply.error { failure = failure ?? .refused(error) }
            information += reply.bytes ?? []
        }
        if let failure { throw failure }
        let text = InfoText(information)
        guard let run = text["run_id"], let history = text["master_replid"], let role = text["role"] else {
            throw .incompatible("Redis does not say which one it is")
        }
        self.identity = RedisIdentity(run: String(run), history: String(history))
        self.isPrimary = role == "master"
        self.isLoading = text.flag("loading") || text.flag("async_loading")
        let policy = text["maxmemory_policy"].map(String.init) ?? ""
        self.evictionPolicy = policy.hasPrefix("allkeys-") && text.number("maxmemory") ?? 0 > 0 ? policy : nil
    }

    /// What is to be told about an ``evictionPolicy``.
    private static func reproach(_ policy: String) -> String {
        "Redis drops jobs when its memory is full (maxmemory-policy \(policy)); set maxmemory-policy noeviction"
    }

    /// Throws `.incompatible` if it drops data that it has no room for.
    func requireKeeping() throws(StorageError) {
        if let evictionPolicy { throw .incompatible(Self.reproach(evictionPolicy)) }
    }

    /// Throws `.disconnected` unless it takes writes and keeps them.
    func requireWritable() throws(StorageError) {
        if let evictionPolicy { throw .disconnected(reason: Self.reproach(evictionPolicy)) }
        guard self.isPrimary else { throw .disconnected(reason: "the Redis at this address is a replica") }
        guard !self.isLoading else { throw .disconnected(reason: "Redis is reading its file") }
    }
}
