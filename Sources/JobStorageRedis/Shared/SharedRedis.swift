import JobCore
package import JobStorage
import Redis

/// The Redis of all managers, as one of them looks at it; it connects when it is first needed and after a failure.
///
/// It stays on the thread that made it, and its calls block: none longer than the configuration's time for an answer.
package final class SharedRedis {
    private let keys: RedisKeys
    private let link: RedisLink

    package init(configuration: RedisStoreConfiguration) {
        self.keys = RedisKeys(prefix: configuration.keyPrefix)
        self.link = RedisLink(configuration: configuration)
    }

    /// Becomes readable when the connection is closed at the other end; nil while there is none.
    var fileDescriptor: Int32? { self.link.isConnected ? self.link.fileDescriptor : nil }

    func disconnect() {
        self.link.disconnect()
    }

    /// Makes sure that it lets this user in, and that the user may do what a leader must.
    ///
    /// Throws `.refused` if not, and `.incompatible` if it would drop data; one that is not there, or that takes no writes
    /// at the moment, throws `.disconnected`.
    package func checkEntry() throws(StorageError) {
        defer { self.link.disconnect() }
        try self.link.connect(waitsWhileLoading: false)
        let condition = try RedisCondition(over: self.link)
        try condition.requireKeeping()
        try condition.requireWritable()
        _ = try self.position()
        var commands = RedisCommandBuffer(reserving: 64)
        for name in ["MULTI", "EXEC", "UNWATCH"] { commands.begin(name, argumentCount: 0) }
        commands.begin("EVAL", argumentCount: 2)
        commands.append("return 1")
        commands.append(0)
        try self.link.send(commands)
        var refusal: String?
        for _ in 0..<commands.commandCount {
            let error = try self.link.nextReply().error
            refusal = refusal ?? error
        }
        if let refusal { throw .refused(refusal) }
    }

    func condition() throws(StorageError) -> RedisCondition {
        if !self.link.isConnected { try self.link.connect(waitsWhileLoading: false) }
        return try RedisCondition(over: self.link)
    }

    /// How far the data is; the position before all others if there is none.
    func position() throws(StorageError) -> Position {
        var commands = RedisCommandBuffer(reserving: 256)
        commands.begin("HMGET", argumentCount: 3)
        commands.append(self.keys.cluster)
        commands.append(RedisKeys.epochField)
        commands.append(RedisKeys.sequenceField)
        return try self.link.reply(to: commands).withView { (reply) throws(StorageError) in try reply.position() }
    }
}
