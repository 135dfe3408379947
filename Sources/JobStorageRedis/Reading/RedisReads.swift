import JobCore
import JobStorage
import Redis

/// The reads of the storage port over one connection; the leader's store and the readers share them.
package struct RedisReads {
    let link: RedisLink
    let keys: RedisKeys

    func entries(of queue: QueueName, from offset: Int, count: Int) throws(StorageError) -> [QueueEntry] {
        guard offset >= 0, count > 0 else { return [] }
        // The oldest stands at the right end, where ranks are counted from -1 downwards.
        let (last, overflows) = offset.addingReportingOverflow(count)
        return try self.range(of: queue, from: overflows ? -Int.max : -last, to: -offset - 1).reversed()
    }

    func newestEntries(of queue: QueueName, from offset: Int, count: Int) throws(StorageError) -> [QueueEntry] {
        guard offset >= 0, count > 0 else { return [] }
        let (last, overflows) = offset.addingReportingOverflow(count - 1)
        return try self.range(of: queue, from: offset, to: overflows ? Int.max : last)
    }

    /// A part of a queue's list, the newest first.
    private func range(of queue: QueueName, from first: Int, to last: Int) throws(StorageError) -> [QueueEntry] {
        var commands = RedisCommandBuffer(reserving: 256)
        commands.begin("LRANGE", argumentCount: 3)
        commands.append(self.keys.queue(queue))
        commands.append(first)
        commands.append(last)
        return try self.answer(to: commands) { (reply) throws(StorageError) in
            try reply.items { (item) throws(StorageError) in try item.queueEntry() }
        }
    }

    func due(in set: JobSet, until limit: WallTime, count: Int) throws(StorageError) -> [SetMember] {
        guard count > 0 else { return [] }
        var commands = RedisCommandBuffer(reserving: 256)
        commands.begin("ZRANGEBYSCORE", argumentCount: 7)
        commands.append(self.keys.set(set))
        commands.append("-inf")
        commands.append(SetScore(limit))
        commands.append("WITHSCORES")
        commands.append("LIMIT")
        commands.append(0)
        commands.append(count)
        return try self.answer(to: commands) { (reply) throws(StorageError) in try reply.scoredMembers() }
    }

    func members(of set: JobSet, from offset: Int, count: Int) throws(StorageError) -> [SetMember] {
        try self.ranked(self.keys.set(set), from: offset, count: count)
    }

    func scan(
        _ set: JobSet,
        from cursor: UInt64,
        count: Int
    ) throws(StorageError) -> (members: [SetMember], next: UInt64?) {
        var commands = RedisCommandBuffer(reserving: 256)
        commands.begin("ZSCAN", argumentCount: 4)
        commands.append(self.keys.set(set))
        commands.append(cursor)
        commands.append("COUNT")
        commands.append(max(1, count))
        let (next, members) = try self.slice(from: commands) { (members) throws(StorageError) in
            try members.scoredMembers()
        }
        return (members, next == 0 ? nil : next)
    }

    func expiredReservations(until limit: WallTime, count: Int) throws(StorageError) -> [JobID] {
        guard count > 0 else { return [] }
        var commands = RedisCommandBuffer(reserving: 256)
        commands.begin("ZRANGEBYSCORE", argumentCount: 6)
        commands.append(self.keys.working)
        commands.append("-inf")
        commands.append(SetScore(limit))
        commands.append("LIMIT")
        commands.append(0)
        commands.append(count)
        return try self.answer(to: commands) { (reply) throws(StorageError) in
            try reply.items { (item) throws(StorageError) in try item.jobID() }
        }
    }

    func scores(of jobs: [JobID], in set: JobSet) throws(StorageError) -> [WallTime?] {
        try self.lookUp(jobs, by: "ZMSCORE", in: self.keys.set(set)) { (item) throws(StorageError) in
            item.isNull ? nil : try item.score()
        }
    }

    func recordByteCounts(of jobs: [JobID]) throws(StorageError) -> [Int] {
        guard !jobs.isEmpty else { return [] }
        // There is no command that tells the lengths of many fields, so that each has one of its own, in one write.
        var commands = RedisCommandBuffer(reserving: jobs.count * 80)
        for job in jobs {
            commands.begin("HSTRLEN", argumentCount: 2)
            commands.append(self.keys.jobs)
            commands.append(job.text)
        }
        try self.link.send(commands)
        var byteCounts: [Int] = []
        byteCounts.reserveCapacity(jobs.count)
        for _ in jobs {
            byteCounts.append(
                try self.link.nextReply().withView { (reply) throws(StorageError) in try reply.number() }
            )
        }
        return byteCounts
    }

    func records(of jobs: [JobID]) throws(StorageError) -> [JobRecord] {
        try self.lookUp(jobs, by: "HMGET", in: self.keys.jobs) { (item) throws(StorageError) in try item.record() }
    }

    func tableRecords(of names: [[UInt8]], in table: Table) throws(StorageError) -> [TableRecord?] {
        guard !names.isEmpty else { return [] }
        var commands = RedisCommandBuffer(reserving: names.count * 48)
        var run = VariadicRun("HMGET", self.keys.table(table), itemCount: names.count)
        for name in names {
            run.beginItem(in: &commands)
            commands.append(name)
        }
        return try self.answers(to: commands, count: names.count) { (item) throws(StorageError) in
            try item.storedBytes().flatMap { TableRecord(reading: $0) }
        }
    }

    func endedNames(in table: Table, until limit: WallTime, count: Int) throws(StorageError) -> [[UInt8]] {
        guard count > 0 else { return [] }
        var commands = RedisCommandBuffer(reserving: 256)
        commands.begin("ZRANGEBYSCORE", argumentCount: 6)
        commands.append(self.keys.ends(of: table))
        commands.append("-inf")
        commands.append(SetScore(limit))
        commands.append("LIMIT")
        commands.append(0)
        commands.append(count)
        return try self.answer(to: commands) { (reply) throws(StorageError) in
            try reply.items { (item) throws(StorageError) in try item.storedBytes() ?? [] }
        }
    }

    func counters(on days: [String]) throws(StorageError) -> [JobCounters] {
        guard !days.isEmpty else { return [] }
        var commands = RedisCommandBuffer(reserving: 256)
        commands.begin("MGET", argumentCount: days.count * 2)
        for day in days {
            commands.append(self.keys.processed(on: day))
            commands.append(self.keys.failures(on: day))
        }
        let counters = try self.answer(to: commands) { (reply) throws(StorageError) in
            try reply.pairs { (processed, failures) throws(StorageError) in
                JobCounters(
                    processed: try processed.storedNumber() ?? 0,
                    failures: try failures.storedNumber() ?? 0
                )
            }
        }
        guard counters.count == days.count else { throw .incompatible("Redis answered for too few days") }
        return counters
    }

    func keyValue(_ key: String) throws(StorageError) -> [UInt8]? {
        var commands = RedisCommandBuffer(reserving: 256)
        commands.begin("GET", argumentCount: 1)
        commands.append(self.keys.keyValue(key))
        return try self.answer(to: commands) { (reply) throws(StorageError) in try reply.storedBytes() }
    }

    func outcomes(in segment: Int, from offset: Int, count: Int) throws(StorageError) -> [UInt8] {
        guard count > 0 else { return [] }
        var commands = RedisCommandBuffer(reserving: 64)
        commands.begin("GETRANGE", argumentCount: 3)
        commands.append(self.keys.outcomes(segment))
        commands.append(offset)
        commands.append(offset + count - 1)
        return try self.answer(to: commands) { (reply) throws(StorageError) in try reply.storedBytes() ?? [] }
    }

    func memoryByteCount() throws(StorageError) -> UInt64? {
        var commands = RedisCommandBuffer(reserving: 256)
        commands.begin("INFO", argumentCount: 1)
        commands.append("memory")
        let label = "used_memory:"
        let text = try self.answer(to: commands) { (reply) throws(StorageError) in try reply.text() }
        for line in text.split(whereSeparator: \.isNewline) {
            guard line.hasPrefix(label) else { continue }
            return UInt64(line.dropFirst(label.count))
        }
        return nil
    }

    /// Members of a sorted set by rank.
    func ranked(_ key: String, from offset: Int, count: Int) throws(StorageError) -> [SetMember] {
        guard offset >= 0, count > 0 else { return [] }
        let (end, overflows) = offset.addingReportingOverflow(count - 1)
        var commands = RedisCommandBuffer(reserving: 256)
        commands.begin("ZRANGE", argumentCount: 4)
        commands.append(key)
        commands.append(offset)
        commands.append(overflows ? Int.max : end)
        commands.append("WITHSCORES")
        return try self.answer(to: commands) { (reply) throws(StorageError) in try reply.scoredMembers() }
    }

    /// What the closure makes of the answers of a command that answers for each of its arguments, in their order.
    func lookUp<Answer>(
        _ jobs: [JobID],
        by verb: String,
        in key: String,
        _ transform: (RedisReplyView) throws(StorageError) -> Answer
    ) throws(StorageError) -> [Answer] {
        guard !jobs.isEmpty else { return [] }
        var commands = RedisCommandBuffer(reserving: jobs.count * 32)
        var run = VariadicRun(verb, key, itemCount: jobs.count)
        for job in jobs {
            run.beginItem(in: &commands)
            commands.append(job.text)
        }
        return try self.answers(to: commands, count: jobs.count, transform)
    }

    /// What the closure makes of the items with which Redis answers these commands, so many in all.
    private func answers<Answer>(
        to commands: borrowing RedisCommandBuffer,
        count: Int,
        _ transform: (RedisReplyView) throws(StorageError) -> Answer
    ) throws(StorageError) -> [Answer] {
        try self.link.send(commands)
        var answers: [Answer] = []
        for _ in 0..<commands.commandCount {
            let more = try self.link.nextReply().withView { (reply) throws(StorageError) in try reply.items(transform) }
            if answers.isEmpty { answers = more } else { answers += more }
        }
        guard answers.count == count else { throw .incompatible("Redis answered for too few names") }
        return answers
    }

    /// What the closure makes of the reply to a single command.
    func answer<Answer>(
        to commands: borrowing RedisCommandBuffer,
        _ transform: (RedisReplyView) throws(StorageError) -> Answer
    ) throws(StorageError) -> Answer {
        try self.link.reply(to: commands).withView(transform)
    }

    /// What a scan answers: where to go on, which is 0 at the end, and what the closure makes of what it found.
    func slice<Found>(
        from commands: borrowing RedisCommandBuffer,
        _ transform: (RedisReplyView) throws(StorageError) -> Found
    ) throws(StorageError) -> (next: UInt64, found: Found) {
        try self.answer(to: commands) { (reply) throws(StorageError) in
            let parts = try reply.pairs { (cursor, found) throws(StorageError) in
                (try cursor.storedNumber(), try transform(found))
            }
            guard parts.count == 1, let next = parts[0].0 else {
                throw .incompatible("Redis answered a scan without a cursor")
            }
            return (next, parts[0].1)
        }
    }
}
