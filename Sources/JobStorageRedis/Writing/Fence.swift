import JobCore
import JobStorage
import Redis

/// Makes Redis drop the next transaction if anybody else writes a position before it.
///
/// `WATCH` is armed after a transaction and checked at once against the position that this transaction left, so that there
/// is no moment between two transactions of a leader in which another's would go unnoticed.
struct Fence {
    private let keys: RedisKeys

    init(keys: RedisKeys) {
        self.keys = keys
    }

    func encode(into commands: inout RedisCommandBuffer) {
        commands.begin("WATCH", argumentCount: 1)
        commands.append(self.keys.cluster)
        commands.begin("HMGET", argumentCount: 3)
        commands.append(self.keys.cluster)
        commands.append(RedisKeys.epochField)
        commands.append(RedisKeys.sequenceField)
    }

    /// The transaction that puts an epoch in the place of what is there, which is not empty.
    ///
    /// The sequence counts on, so that a transaction of the same leader that is still on its way is fenced as well.
    func encodeClaim(of epoch: Epoch, after position: Position, into commands: inout RedisCommandBuffer) {
        commands.begin("MULTI", argumentCount: 0)
        commands.begin("HSET", argumentCount: 5)
        commands.append(self.keys.cluster)
        commands.append(RedisKeys.epochField)
        commands.append(epoch.number)
        commands.append(RedisKeys.sequenceField)
        commands.append(position.sequence + 1)
        commands.begin("EXEC", argumentCount: 0)
    }

    /// Takes the replies: the position at the moment when the fence was armed.
    func position(over link: RedisLink) throws(StorageError) -> Position {
        let watched = try link.nextReply()
        let fields = try link.nextReply()
        if let error = watched.error ?? fields.error {
            // What was written before the fence stands, whatever has become of this Redis since.
            guard !StorageError.isPassing(error) else { throw .disconnected(reason: error) }
            throw .incompatible("Redis arms no fence: \(error)")
        }
        return try fields.withView { (reply) throws(StorageError) in try reply.position() }
    }
}

extension RedisReplyView {
    /// The fields of the epoch and the sequence; the position before all others if neither is there.
    func position() throws(StorageError) -> Position {
        let numbers = try self.items { (item) throws(StorageError) in try item.storedNumber() }
        guard numbers.count == 2 else { throw .incompatible("Redis answered \(numbers.count) fields of 2") }
        switch (numbers[0], numbers[1]) {
        case (let epoch?, let sequence?): return Position(epoch: Epoch(epoch), sequence: sequence)
        case (nil, nil): return Position(epoch: Epoch(0), sequence: 0)
        default: throw .incompatible("the data has half a position")
        }
    }
}
