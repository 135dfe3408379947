package import Election
package import JobCore
package import JobStorage
import Redis

/// The Redis of this member, as its agent commands it.
///
/// The agent is the only one that commands it, over the Unix socket. A member of this class stays on the thread that made
/// it, and its calls block: none longer than the configuration's time for an answer. It connects when it is first needed
/// and after a failure, and repeats nothing.
///
/// An earlier command whose outcome is unknown cannot take effect after a later ``detach()`` or ``promote(to:)`` has
/// succeeded: both drop every other connection first, and what it had not carried out yet with it.
package final class MemberRedis {
    /// Where nobody listens.
    ///
    /// A Redis that follows it serves as a replica and keeps its place in the stream of its last primary, so that it can
    /// go on there; one that follows nobody begins a stream of its own.
    package static let void = RedisAddress(host: "127.0.0.1", port: 1)

    private let keys: RedisKeys
    private let link: RedisLink
    private let longestWait: Duration
    /// How far the stream was when this connection had written; nil while it has not, and `WAIT` means nothing on it.
    private var writtenOffset: UInt64?

    package init(configuration: RedisStoreConfiguration) {
        self.keys = RedisKeys(prefix: configuration.keyPrefix)
        self.link = RedisLink(configuration: configuration)
        self.longestWait = configuration.ioTimeout / 2
    }

    /// Lets the connection go, because the server was started anew; the next call connects.
    package func disconnect() {
        self.link.disconnect()
    }

    /// Becomes readable when the server closes the connection, which its end does; nil while there is none.
    package var fileDescriptor: Int32? { self.link.isConnected ? self.link.fileDescriptor : nil }

    /// What this run of the server is called; another one begins with its next start.
    package func runName() throws(StorageError) -> String {
        try self.connectIfNeeded()
        var commands = RedisCommandBuffer(reserving: 64)
        commands.begin("INFO", argumentCount: 1)
        commands.append("server")
        let text = try self.link.reply(to: commands).withView { (reply) throws(StorageError) in
            try reply.storedBytes()
        }
        guard let name = InfoText(text ?? [])["run_id"] else { throw .incompatible("Redis does not say its run") }
        return String(name)
    }

    /// Whether it confirms nothing before that is on its disk, as it was told when it was started.
    package func syncsEachWrite() throws(StorageError) -> Bool {
        try self.connectIfNeeded()
        var commands = RedisCommandBuffer(reserving: 64)
        commands.begin("CONFIG", argumentCount: 2)
        commands.append("GET")
        commands.append("appendfsync")
        let answer = try self.link.reply(to: commands).withView { (reply) throws(StorageError) in
            try reply.items { (item) throws(StorageError) in try item.storedBytes() }
        }
        guard answer.count == 2 else { throw .incompatible("Redis does not say when it syncs its log") }
        return answer[1].map { Array($0) } == Array("always".utf8)
    }

    /// Cuts it off: it follows the void, and every connection but this one is dropped, those of replicas too.
    package func detach() throws(StorageError) {
        var commands = RedisCommandBuffer(reserving: 512)
        // Before, so that nothing that was sent already is carried out in between; after, for who connected meanwhile.
        Self.encodeKill("normal", into: &commands)
        Self.encode(Self.void, into: &commands)
        Self.encodeKill("normal", into: &commands)
        Self.encodeKill("replica", into: &commands)
        self.writtenOffset = nil
        try self.run(commands)
    }

    /// How far its data is; the position before all others if there is none.
    package func position() throws(StorageError) -> Position {
        try self.connectIfNeeded()
        var commands = RedisCommandBuffer(reserving: 256)
        commands.begin("HMGET", argumentCount: 3)
        commands.append(self.keys.cluster)
        commands.append(RedisKeys.epochField)
        commands.append(RedisKeys.sequenceField)
        return try self.link.reply(to: commands).withView { (reply) throws(StorageError) in try reply.position() }
    }

    /// Makes it the primary of an epoch, and writes the epoch's marker as a transaction, whose position is returned.
    ///
    /// Throws `.refused`, and changes nothing, if its data is of that epoch already or of a later one. It must have been
    /// detached before.
    package func promote(to epoch: Epoch) throws(StorageError) -> Position {
        let before = try self.position()
        guard before.epoch < epoch else { throw .refused(overtaken: epoch, by: before.epoch) }
        var commands = RedisCommandBuffer(reserving: 1024)
        Self.encodeKill("normal", into: &commands)
        commands.begin("REPLICAOF", argumentCount: 2)
        commands.append("NO")
        commands.append("ONE")
        commands.begin("MULTI", argumentCount: 0)
        self.encodeMarker(of: epoch, into: &commands)
        commands.begin("EXEC", argumentCount: 0)
        ReplicaWait.encodeInformation(into: &commands)
        self.writtenOffset = nil
        try self.link.send(commands)

        var refusal: String?
        for _ in 0..<(commands.commandCount - 2) {
            let error = try self.link.nextReply().error
            refusal = refusal ?? error
        }
        let outcome = try self.link.nextReply()
        let information = InfoText(try self.link.nextReply().bytes ?? [])
        if let refusal { throw .refused(refusal) }
        if let error = outcome.error { throw .refused(error) }
        let results = try outcome.withView { (reply) throws(StorageError) in
            try reply.items { (result) throws(StorageError) in try result.number() }
        }
        // The last command of the marker counts the sequence up, and answers it.
        guard let sequence = results.last else { throw .incompatible("Redis answered nothing to the marker") }
        self.writtenOffset = information.number("master_repl_offset")
        return Position(epoch: epoch, sequence: UInt64(clamping: sequence))
    }

    /// Lets it follow a primary; the link need not be up when this returns.
    ///
    /// - Parameter name: how it calls itself to that one in place of its address. A link that is there already is not made
    ///   anew for another name.
    package func follow(_ primary: RedisAddress, as name: ReplicaName? = nil) throws(StorageError) {
        var commands = RedisCommandBuffer(reserving: 256)
        if let name {
            commands.begin("CONFIG", argumentCount: 3)
            commands.append("SET")
            commands.append("replica-announce-ip")
            commands.append(name.text)
        }
        Self.encode(primary, into: &commands)
        self.writtenOffset = nil
        try self.run(commands)
    }

    /// What it says about itself; it answers while it reads its data, too.
    package func replicationState() throws(StorageError) -> ReplicationState {
        try self.connectIfNeeded()
        var information: [UInt8] = []
        for section in ["replication", "persistence"] {
            var commands = RedisCommandBuffer(reserving: 64)
            commands.begin("INFO", argumentCount: 1)
            commands.append(section)
            let text = try self.link.reply(to: commands).withView { (reply) throws(StorageError) in
                try reply.storedBytes()
            }
            information += text ?? []
        }
        guard let state = ReplicationState(InfoText(information)) else {
            throw .incompatible("Redis does not say what it replicates")
        }
        return state
    }

    /// Waits until so many connections of replicas have what was written here last, and says how many have.
    ///
    /// It waits no longer than half the configuration's time for an answer. Throws `.refused` if this connection has
    /// written nothing since the role changed, as after a failure: Redis itself would count replicas of another history.
    package func waitForReplicas(_ count: Int, within timeout: Duration) throws(StorageError) -> Int {
        try self.wait(ReplicaAcknowledgement(replicaCount: count, timeout: timeout)).replicaCount
    }

    /// Waits until so many of these members have what was written here last, and says which have.
    ///
    /// Each member counts once, and nobody else. It may wait twice as long as it was told, when others are connected who do
    /// not count; the rest is as above.
    package func waitForReplicas(
        _ count: Int,
        among members: Set<RedisAddress>,
        within timeout: Duration
    ) throws(StorageError) -> Set<RedisAddress> {
        try self.wait(ReplicaAcknowledgement(replicaCount: count, timeout: timeout, members: members)).members
    }

    /// Lets every replica say how far it is, which by itself it does once a second, and returns when this time is over.
    package func askReplicas(within timeout: Duration) throws(StorageError) {
        try self.connectIfNeeded()
        var commands = RedisCommandBuffer(reserving: 64)
        commands.begin("WAIT", argumentCount: 2)
        // More than there ever are, so that Redis asks them and does not answer at once.
        commands.append(Int(Int32.max))
        commands.append(timeout.wholeMilliseconds)
        _ = try self.link.reply(to: commands)
    }

    private func wait(_ acknowledgement: ReplicaAcknowledgement) throws(StorageError) -> ReplicaWait.Outcome {
        guard self.link.isConnected, let writtenOffset = self.writtenOffset else {
            throw .refused("nothing was written on this connection that a replica could confirm")
        }
        var acknowledgement = acknowledgement
        acknowledgement.timeout = min(acknowledgement.timeout, self.longestWait)
        return try self.link.wait(ReplicaWait(acknowledgement, writtenOffset: writtenOffset))
    }

    private func connectIfNeeded() throws(StorageError) {
        guard !self.link.isConnected else { return }
        self.writtenOffset = nil
        try self.link.connect(waitsWhileLoading: false)
    }

    /// Sends commands and takes all replies; throws the first that is an error.
    private func run(_ commands: borrowing RedisCommandBuffer) throws(StorageError) {
        try self.connectIfNeeded()
        try self.link.send(commands)
        var refusal: String?
        for _ in 0..<commands.commandCount {
            let error = try self.link.nextReply().error
            refusal = refusal ?? error
        }
        if let refusal { throw .refused(refusal) }
    }

    private func encodeMarker(of epoch: Epoch, into commands: inout RedisCommandBuffer) {
        // In an empty data set the marker is also what says of which form the data is.
        for (field, value) in [(RedisKeys.versionField, RedisKeys.dataVersion), (RedisKeys.tokenField, 0)] {
            commands.begin("HSETNX", argumentCount: 3)
            commands.append(self.keys.cluster)
            commands.append(field)
            commands.append(value)
        }
        commands.begin("HSET", argumentCount: 3)
        commands.append(self.keys.cluster)
        commands.append(RedisKeys.epochField)
        commands.append(epoch.number)
        commands.begin("HINCRBY", argumentCount: 3)
        commands.append(self.keys.cluster)
        commands.append(RedisKeys.sequenceField)
        commands.append(1)
    }

    private static func encode(_ primary: RedisAddress, into commands: inout RedisCommandBuffer) {
        commands.begin("REPLICAOF", argumentCount: 2)
        commands.append(primary.host)
        commands.append(primary.port)
    }

    /// Drops the connections of a type, but for the one that says so.
    private static func encodeKill(_ type: String, into commands: inout RedisCommandBuffer) {
        commands.begin("CLIENT", argumentCount: 5)
        commands.append("KILL")
        commands.append("TYPE")
        commands.append(type)
        commands.append("SKIPME")
        commands.append("yes")
    }
}
