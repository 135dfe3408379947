/// What a member keeps on its own disks: its Redis, and the record beside it.
///
/// It carries out what it is given one after the other, in the order in which it was given, on a thread of its own; no
/// call waits for that.
package protocol MemberStore: Sendable {
    /// What was written last, or `MemberRecord.missing`.
    ///
    /// - Throws: when there is a record that cannot be read. A member that forgets its promise can make an acknowledged
    ///   job be lost, so that it must not go on without.
    func readRecord() throws -> MemberRecord

    /// Begins to look after Redis and to carry out what it is given.
    ///
    /// - Parameters:
    ///   - tell: called with every answer, with `.redis(.started)` when Redis was found or has started, with
    ///     `.redis(.stopped)` when its process is gone, and with `.stored`. It must not block.
    ///   - fail: called when the record cannot be written; the process must end, since nobody knows what is on disk.
    func start(
        _ tell: @escaping @Sendable (TakeOverEvent) -> Void,
        failing fail: @escaping @Sendable (any Error) -> Void
    )

    /// Writes the record to disk; `.stored` is told when it is there.
    func store(_ record: MemberRecord)

    /// Commands Redis.
    func perform(_ action: RedisAction)

    /// Takes a replica that calls itself so for the Redis of this member, and no other one.
    func admit(_ name: ReplicaName, of member: MemberID)

    /// Asks Redis what it says of itself, for an operator; nil when it does not answer.
    func report(_ answer: @escaping @Sendable (RedisReport?) -> Void)

    /// Ends the thread once what was given before is done, and waits for its end.
    func stop()
}
