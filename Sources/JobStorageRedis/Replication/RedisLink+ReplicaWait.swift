import JobStorage
import Redis

extension RedisLink {
    /// Asks the replicas about what this connection wrote, and once more if connections that do not count cut that short.
    ///
    /// - Parameter earlier: the outcome of this wait, if it was sent already.
    func wait(_ wait: ReplicaWait, after earlier: ReplicaWait.Outcome? = nil) throws(StorageError)
        -> ReplicaWait.Outcome
    {
        let outcome: ReplicaWait.Outcome
        if let earlier { outcome = earlier } else { outcome = try self.ask(wait) }
        guard let again = wait.again(after: outcome) else { return outcome }
        return try self.ask(again)
    }

    private func ask(_ wait: ReplicaWait) throws(StorageError) -> ReplicaWait.Outcome {
        var commands = RedisCommandBuffer(reserving: 256)
        wait.encode(into: &commands)
        try self.send(commands)
        return try wait.outcome(over: self)
    }
}
