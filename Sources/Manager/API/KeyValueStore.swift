import JobStorage

/// A scratch store for middleware (`KV` of the Manager API).
///
/// Its keys have a name space of their own. What is set joins the command's atomic unit; a read sees what was set
/// before it in the same turn.
public struct KeyValueStore {
    let manager: JobManager

    /// The value under a key, or nil.
    ///
    /// Asks the store, which takes the leader's loop some tens of microseconds, unless the key was set in this turn.
    public func value(forKey key: String) throws -> [UInt8]? {
        if let pending = self.manager.transaction.keyValues[key] { return pending }
        return try self.manager.store.keyValue(key)
    }

    /// Sets the value under a key.
    public func set(_ value: [UInt8], forKey key: String) {
        self.manager.transaction.keyValues[key] = .some(value)
    }

    /// Removes a key; one that is not there is no error.
    public func removeValue(forKey key: String) {
        self.manager.transaction.keyValues.updateValue(nil, forKey: key)
    }
}

/// Effects on keys of middleware's own, as Redis commands (`Redis` of the Manager API).
public struct RedisEffects {
    let manager: JobManager

    /// Adds a command that is carried out with the command's atomic unit, behind everything else in it.
    ///
    /// Its answer is not read. Keys of Millrace itself begin with the configured prefix, `mr:` by default: leave them alone.
    public func perform(_ arguments: String...) {
        self.manager.transaction.redisCommands.append(arguments.map { Array($0.utf8) })
    }
}
