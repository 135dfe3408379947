import JobStorage
import Redis

/// What the replies to a `MULTI … EXEC` say.
enum TransactionOutcome {
    /// Takes all replies to so many commands, and returns if everything was carried out.
    ///
    /// Throws `.refused` when Redis took in the commands and then dropped them all (no memory, no disk, a replica),
    /// `.fenced` when it dropped them because a key that was watched had been changed, and `.incompatible` when a command failed while the others were carried out: a key had another type
    /// than it must have.
    static func requireSuccess(of commandCount: Int, over link: RedisLink) throws(StorageError) {
        let openingError = try link.nextReply().error
        // Redis says why it did not take a command in before `EXEC`, which then only refers to it.
        var queueingError: String?
        for _ in 0..<(commandCount - 2) {
            let error = try link.nextReply().error
            queueingError = queueingError ?? error
        }
        let result = try link.nextReply()
        if let openingError { throw .incompatible("Redis opened no transaction: \(openingError)") }
        switch result.kind {
        case .array:
            try result.withView { (results) throws(StorageError) in
                try Self.requireSuccess(of: commandCount - 2, in: results)
            }
        case .error:
            throw .refused(queueingError ?? result.error ?? "")
        case .null:
            throw .fenced
        case .status, .bulk, .integer:
            throw .incompatible("Redis answered EXEC with something else than an array")
        }
    }

    private static func requireSuccess(of count: Int, in results: RedisReplyView) throws(StorageError) {
        guard results.count == count else {
            throw .incompatible("Redis carried out \(results.count) commands of \(count)")
        }
        for index in 0..<count {
            if let error = results.withElement(index, { $0.error }) {
                throw .incompatible("a command failed inside a transaction: \(error)")
            }
        }
    }
}
