import ClusterLink
import JobCore

/// The batches that the store refused, with what their fronts were told.
///
/// A front sends a batch again until it has heard of it, so that a copy may still be on its way when its clients were
/// told that nothing was done. It gets the same answer, and is never carried out. Whose key a batch came with counts, too:
/// nobody can have another one's batches taken for refused.
struct RefusedBatches {
    /// How many lanes are remembered at the most; each front has as many as it has event loops.
    static let laneBound = 10_000

    private struct Sender: Hashable {
        let lane: LaneKey
        let key: String?
    }

    private var lanes: [Sender: (number: UInt64, replies: [LinkReply])] = [:]

    /// Whether nothing was refused that could come again.
    var isEmpty: Bool { self.lanes.isEmpty }

    /// Notes the answer to a batch, which is the last that its lane has sent.
    mutating func note(_ replies: [LinkReply], to number: UInt64, of lane: LaneKey, from peer: LinkPeer) {
        // A session that is gone does not say so here.
        if self.lanes.count >= Self.laneBound { self.lanes.removeAll() }
        self.lanes[Sender(lane: lane, key: peer.owner?.key)] = (number, replies)
    }

    /// What was answered to this batch, which is nothing when its front does not wait any more; nil when it was not refused.
    mutating func replies(to batch: CommandBatch, from peer: LinkPeer) -> [LinkReply]? {
        let sender = Sender(lane: batch.lane, key: peer.owner?.key)
        guard let refused = self.lanes[sender] else { return nil }
        guard batch.number > refused.number else { return batch.number == refused.number ? refused.replies : [] }
        self.lanes[sender] = nil
        return nil
    }
}
