import Foundation

extension EtcdClient {
    /// The most keys that one reading of a prefix takes.
    package static let keyCountLimit = 1_000

    /// Creates a key if there is none, so that the first of several bidders has it until its lease ends.
    ///
    /// A bid whose answer was lost and that is repeated finds itself: a key with this value and this lease was won.
    ///
    /// - Parameter conditions: what has to hold as well at the moment at which the key is created.
    package func campaign(
        for key: String,
        as value: [UInt8],
        under lease: LeaseID,
        if conditions: [EtcdCondition] = []
    ) async throws(EtcdError) -> CampaignOutcome {
        let request = EtcdRequest.Transaction(
            compare: ([.isAbsent(key)] + conditions).map { EtcdRequest.Comparison($0) },
            success: [EtcdRequest.Operation(.put(key, value, lease: lease))],
            failure: [EtcdRequest.Operation(reading: key)]
        )
        let reply = try await self.call("/v3/kv/txn", request, returning: EtcdReply.Transaction.self).reply
        if reply.succeeded ?? false { return .won(createRevision: reply.header.revision.revision) }
        guard let holder = reply.responses?.first?.response_range?.kvs?.first?.entry else {
            guard conditions.isEmpty else { return .prevented }
            throw .unexpectedReply(reason: "a key that is there was not sent along")
        }
        if holder.lease == lease, holder.value == value { return .won(createRevision: holder.createRevision) }
        return .held(by: holder)
    }

    /// Carries out all operations if all conditions hold, and nothing otherwise; says whether they held.
    ///
    /// A transaction whose answer was lost is repeated, and may then find that its own doing has ended a condition: false
    /// says that the conditions do not hold now, and not that nothing was done.
    package func transact(
        if conditions: [EtcdCondition],
        _ operations: [EtcdOperation]
    ) async throws(EtcdError) -> Bool {
        let request = EtcdRequest.Transaction(
            compare: conditions.map { EtcdRequest.Comparison($0) },
            success: operations.map { EtcdRequest.Operation($0) },
            failure: []
        )
        return try await self.call("/v3/kv/txn", request, returning: EtcdReply.Transaction.self).reply.succeeded
            ?? false
    }

    /// Puts a value if the key is the one that was created at this revision.
    package func put(
        _ key: String,
        _ value: [UInt8],
        ifCreatedAt revision: UInt64,
        lease: LeaseID? = nil
    ) async throws(EtcdError) -> Bool {
        try await self.transact(if: [.wasCreated(key, at: revision)], [.put(key, value, lease: lease)])
    }

    /// Removes the key if it is the one that was created at this revision.
    package func delete(_ key: String, ifCreatedAt revision: UInt64) async throws(EtcdError) -> Bool {
        try await self.transact(if: [.wasCreated(key, at: revision)], [.delete(key)])
    }

    /// Reads all keys with a prefix, linearizably; more than ``keyCountLimit`` are an error.
    package func get(prefix: String) async throws(EtcdError) -> EtcdSnapshot {
        let request = EtcdRequest.Range(
            key: Data(prefix.utf8),
            range_end: Self.end(ofPrefix: prefix),
            limit: QuotedNumber(Int64(Self.keyCountLimit))
        )
        let reply = try await self.call("/v3/kv/range", request, returning: EtcdReply.Range.self).reply
        guard reply.more != true else {
            throw .unexpectedReply(reason: "there are more than \(Self.keyCountLimit) keys with the prefix \(prefix)")
        }
        let entries = (reply.kvs ?? []).map { ($0.name, $0.entry) }
        return EtcdSnapshot(
            revision: reply.header.revision.revision,
            entries: Dictionary(entries, uniquingKeysWith: { _, last in last })
        )
    }

    /// Tells the state of all keys with a prefix: at once, and whenever it has changed.
    ///
    /// Each element is the state at some revision, later than the one before; states that followed each other quickly may
    /// be left out. A watch outlives lost connections and restarts of etcd, and reads the state anew after each. It ends
    /// when its task is cancelled, and fails when asking again is of no use, as with a wrong password.
    package nonisolated func watch(prefix: String) -> EtcdWatch {
        EtcdWatch(client: self, prefix: prefix)
    }

    /// The first key behind all those with a prefix.
    static func end(ofPrefix prefix: String) -> Data {
        var end = Array(prefix.utf8)
        // UTF-8 has no byte that could not be counted up.
        if let last = end.indices.last { end[last] += 1 }
        return Data(end)
    }
}
