import ClusterLink
import JobCore

/// What is sent to fronts and schedulers once the turn's transaction is written.
struct Outbox {
    /// The answers to a batch.
    struct BatchReplies {
        let peer: LinkPeer
        let lane: LaneKey
        let batch: UInt64
        let replies: [LinkReply]
        /// Whether the batch was carried out in an earlier turn, and only its answers go out again.
        let isRepetition: Bool
    }

    private(set) var batches: [BatchReplies] = []
    private(set) var late: [LaneKey: [LateReply]] = [:]
    private(set) var messages: [(message: MessageFromLeader, peer: LinkPeer)] = []

    var isEmpty: Bool { self.batches.isEmpty && self.late.isEmpty && self.messages.isEmpty }

    /// Whether a client is told for the first time what only the leader can know: that something is done, or that nothing
    /// has to be, or that it cannot be.
    ///
    /// A leader that was deposed and does not know it yet must not say so: a client that hears that its job is there, or
    /// that none is to be failed, acts on it. What is read (INFO, QUEUE LATENCY) and that a FETCH came to nothing is
    /// told without proof. Nothing is acknowledged by it, and it is what people look at while a majority is missing.
    var tellsOfData: Bool {
        self.batches.contains { !$0.isRepetition && $0.replies.contains(where: \.tellsOfData) }
            || self.late.values.contains { $0.contains { $0.reply == .ok || $0.reply.isError } }
    }

    mutating func answer(
        _ batch: UInt64,
        of lane: LaneKey,
        with replies: [LinkReply],
        to peer: LinkPeer,
        isRepetition: Bool = false
    ) {
        self.batches.append(
            BatchReplies(peer: peer, lane: lane, batch: batch, replies: replies, isRepetition: isRepetition)
        )
    }

    /// The answer to a command that was parked or deferred.
    mutating func reply(_ reply: LinkReply, to request: UInt64, on lane: LaneKey) {
        self.late[lane, default: []].append(LateReply(request: request, reply: reply))
    }

    /// The late answers of a lane in messages of a bounded size, in their order.
    static func split(
        _ late: [LateReply],
        byteBound: Int = LinkBound.replyByteCount,
        countBound: Int = MessageFromLeader.listBound
    ) -> [[LateReply]] {
        let isShort = late.count <= countBound && late.reduce(0) { $0 + $1.reply.estimatedByteCount } < byteBound
        guard !isShort else { return [late] }
        var messages: [[LateReply]] = []
        var (start, byteCount) = (late.startIndex, 0)
        for index in late.indices {
            byteCount += late[index].reply.estimatedByteCount
            guard byteCount >= byteBound || index - start + 1 >= countBound else { continue }
            messages.append(Array(late[start...index]))
            (start, byteCount) = (index + 1, 0)
        }
        if start < late.endIndex { messages.append(Array(late[start...])) }
        return messages
    }

    mutating func send(_ message: MessageFromLeader, to peer: LinkPeer) {
        self.messages.append((message: message, peer: peer))
    }

    mutating func removeAll() {
        self.batches.removeAll(keepingCapacity: true)
        self.late.removeAll(keepingCapacity: true)
        self.messages.removeAll(keepingCapacity: true)
    }
}

extension LinkReply {
    /// Whether a client reads it, and may act on it.
    fileprivate var tellsOfData: Bool {
        switch self {
        case .nothing, .parked, .deferred: false
        case .ok, .error, .bulk, .null, .job: true
        }
    }

    fileprivate var isError: Bool {
        if case .error = self { true } else { false }
    }
}
