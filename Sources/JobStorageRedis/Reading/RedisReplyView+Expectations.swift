import JobCore
import JobStorage
import Redis

/// What a reply has to be, or the error that says what it was instead.
extension RedisReplyView {
    /// An error of Redis as the store's error.
    private static func storageError(_ text: String) -> StorageError {
        text.hasPrefix("WRONGTYPE")
            ? .incompatible("a key holds another type than this program gave it") : .refused(text)
    }

    private func unexpected(_ expected: String) -> StorageError {
        self.error.map { Self.storageError($0) } ?? .incompatible("Redis answered something else than \(expected)")
    }

    /// What the closure makes of each item of an array.
    func items<Item>(_ transform: (RedisReplyView) throws(StorageError) -> Item) throws(StorageError) -> [Item] {
        guard self.kind == .array else { throw self.unexpected("an array") }
        var items: [Item] = []
        items.reserveCapacity(self.count)
        for index in 0..<self.count { items.append(try self.withElement(index, transform)) }
        return items
    }

    /// What the closure makes of each two items of an array, such as a field and its value.
    func pairs<Pair>(
        _ transform: (RedisReplyView, RedisReplyView) throws(StorageError) -> Pair
    ) throws(StorageError) -> [Pair] {
        guard self.kind == .array, self.count.isMultiple(of: 2) else { throw self.unexpected("pairs") }
        var pairs: [Pair] = []
        pairs.reserveCapacity(self.count / 2)
        for index in stride(from: 0, to: self.count, by: 2) {
            let pair = try self.withElement(index) { (first) throws(StorageError) -> Pair in
                try self.withElement(index + 1) { (second) throws(StorageError) -> Pair in
                    try transform(first, second)
                }
            }
            pairs.append(pair)
        }
        return pairs
    }

    func number() throws(StorageError) -> Int {
        guard let integer = self.integer else { throw self.unexpected("a number") }
        return integer
    }

    /// The bytes of a string, or nil where there is none.
    func storedBytes() throws(StorageError) -> [UInt8]? {
        guard !self.isNull else { return nil }
        guard let bytes = self.bytes else { throw self.unexpected("a string") }
        return bytes
    }

    func text() throws(StorageError) -> String {
        guard let text = self.string else { throw self.unexpected("a string") }
        return text
    }

    func jobID() throws(StorageError) -> JobID {
        JobID(try self.text())
    }

    /// A number that was stored as text; nil where there is none.
    func storedNumber() throws(StorageError) -> UInt64? {
        guard !self.isNull else { return nil }
        guard let number = self.withBytes({ UInt64(decimal: $0) }) else { throw self.unexpected("a count") }
        guard let number else { throw .incompatible("\(try self.text().debugDescription) is no count") }
        return number
    }

    func record() throws(StorageError) -> JobRecord {
        guard !self.isNull else { return .missing }
        guard let record = self.withBytes({ JobRecord(reading: $0) }) else { throw self.unexpected("a string") }
        return record
    }

    func score() throws(StorageError) -> WallTime {
        let text = try self.text()
        // A score that is a large whole number may be written with an exponent.
        let number = Int64(text) ?? Double(text).flatMap { Int64(exactly: $0) }
        guard let score = number.flatMap({ SetScore(microseconds: $0) }) else {
            throw .incompatible("\(text.debugDescription) is no score that this program wrote")
        }
        return score.time
    }

    /// Members with their scores, as `WITHSCORES` answers them.
    func scoredMembers() throws(StorageError) -> [SetMember] {
        try self.pairs { (job, score) throws(StorageError) in
            SetMember(jobID: try job.jobID(), score: try score.score())
        }
    }

    func queueName() throws(StorageError) -> QueueName {
        let text = try self.text()
        do {
            return try QueueName(parsing: text)
        } catch {
            throw .incompatible("\(text.debugDescription) is no name of a queue")
        }
    }

    func queueEntry() throws(StorageError) -> QueueEntry {
        guard let entry = self.withBytes({ QueueEntry(reading: $0) }) else { throw self.unexpected("an entry") }
        guard let entry else { throw .incompatible("a queue has an entry that this program did not write") }
        return entry
    }
}
