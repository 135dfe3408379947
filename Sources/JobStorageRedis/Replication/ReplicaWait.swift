import JobStorage
import Redis

/// The question which replicas have what this connection wrote, and the answer.
///
/// It has to go over the connection that wrote, and not first: `WAIT` compares with what that connection wrote last, and
/// answers one that wrote nothing that everybody has it.
struct ReplicaWait {
    /// What is known when the wait is over.
    struct Outcome: Equatable {
        /// Whether as many as were asked for have it.
        var isSufficient: Bool
        /// Connections, or members where they are told apart, that have it.
        var replicaCount: Int
        /// Who they are, where they are told apart.
        var members: Set<RedisAddress>
        /// Connections of replicas beyond one for each member; 0 unless they are told apart.
        var surplusReplicaCount: Int
        /// How far the stream was when the transaction had been written; nil unless they are told apart.
        var writtenOffset: UInt64?
    }

    /// Replicas say how far they are at least once a second.
    private static let longestSilence = Duration.seconds(2)

    private let acknowledgement: ReplicaAcknowledgement
    private let surplusReplicaCount: Int
    private let writtenOffset: UInt64?

    /// - Parameters:
    ///   - surplusReplicaCount: how many connections more have to have it, because so many do not count.
    ///   - writtenOffset: how far the stream was after the transaction; nil if the question follows it in the same write.
    init(_ acknowledgement: ReplicaAcknowledgement, surplusReplicaCount: Int = 0, writtenOffset: UInt64? = nil) {
        self.acknowledgement = acknowledgement
        self.writtenOffset = writtenOffset
        self.surplusReplicaCount = surplusReplicaCount
    }

    func encode(into commands: inout RedisCommandBuffer) {
        // How far the replicas have to be is asked right after the transaction, since the stream goes on by itself (Redis
        // pings its replicas in it); how far each of them is, after the wait.
        if self.asksForOffset { Self.encodeInformation(into: &commands) }
        commands.begin("WAIT", argumentCount: 2)
        commands.append(self.acknowledgement.replicaCount + self.surplusReplicaCount)
        commands.append(self.acknowledgement.timeout.wholeMilliseconds)
        if self.acknowledgement.members != nil { Self.encodeInformation(into: &commands) }
    }

    /// Takes the replies; whatever they are, what was written stays written.
    func outcome(over link: RedisLink) throws(StorageError) -> Outcome {
        guard let members = self.acknowledgement.members else {
            let count = try link.nextReply().integer ?? 0
            return Outcome(
                isSufficient: count >= self.acknowledgement.replicaCount,
                replicaCount: count,
                members: [],
                surplusReplicaCount: 0,
                writtenOffset: nil
            )
        }
        var offset = self.writtenOffset
        if self.asksForOffset {
            offset = InfoText(try link.nextReply().bytes ?? []).number("master_repl_offset")
        }
        _ = try link.nextReply()
        let information = InfoText(try link.nextReply().bytes ?? [])
        return self.outcome(among: members, writtenUpTo: offset, information.replicas)
    }

    /// Asks once more, for longer, if the wait was over early because of connections that do not count; nil if not.
    func again(after outcome: Outcome) -> ReplicaWait? {
        guard !outcome.isSufficient, outcome.surplusReplicaCount > self.surplusReplicaCount else { return nil }
        return ReplicaWait(
            self.acknowledgement,
            surplusReplicaCount: outcome.surplusReplicaCount,
            writtenOffset: outcome.writtenOffset
        )
    }

    private func outcome(
        among members: Set<RedisAddress>,
        writtenUpTo offset: UInt64?,
        _ replicas: [ConnectedReplica]
    ) -> Outcome {
        let online = replicas.filter(\.isOnline)
        // A connection that is dead, and not yet noticed to be, says nothing and ends no wait.
        let talking = online.filter { $0.silence.map { $0 <= Self.longestSilence } ?? false }
        let known = Set(talking.map(\.address)).intersection(members)
        let confirming = offset.map { offset in online.filter { $0.acknowledgedOffset >= offset } } ?? []
        let confirmingMembers = Set(confirming.map(\.address)).intersection(members)
        return Outcome(
            isSufficient: confirmingMembers.count >= self.acknowledgement.replicaCount,
            replicaCount: confirmingMembers.count,
            members: confirmingMembers,
            surplusReplicaCount: talking.count - known.count,
            writtenOffset: offset
        )
    }

    private var asksForOffset: Bool { self.acknowledgement.members != nil && self.writtenOffset == nil }

    static func encodeInformation(into commands: inout RedisCommandBuffer) {
        commands.begin("INFO", argumentCount: 1)
        commands.append("replication")
    }
}

extension Duration {
    /// Milliseconds, rounded up; never 0, which would mean that there is no bound.
    var wholeMilliseconds: Int {
        let (seconds, attoseconds) = self.components
        let (milliseconds, rest) = attoseconds.quotientAndRemainder(dividingBy: 1_000_000_000_000_000)
        return max(1, Int(seconds) * 1_000 + Int(milliseconds) + (rest > 0 ? 1 : 0))
    }
}
