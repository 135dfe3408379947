import ClusterLink
import DequeModule

/// The commands of one connection that were not answered yet, in their order, with the answers that came too early.
///
/// An answer leaves when all before it have left, wherever it comes from: the leader, late or not, or the front itself.
struct ReplyOrder {
    private var slots: Deque<(request: UInt64, reply: LinkReply?)> = []

    /// How many commands wait for their answer, or their answer for its turn.
    var count: Int { self.slots.count }

    var isEmpty: Bool { self.slots.isEmpty }

    /// A command was sent; its answer comes behind those of all that were sent before.
    mutating func expect(_ request: UInt64) {
        self.slots.append((request, nil))
    }

    /// Takes an answer; false when none is waited for under this number.
    mutating func take(_ reply: LinkReply, to request: UInt64) -> Bool {
        guard let index = self.slots.firstIndex(where: { $0.request == request }), self.slots[index].reply == nil
        else { return false }
        self.slots[index].reply = reply
        return true
    }

    /// The next answer whose turn it is.
    mutating func next() -> (request: UInt64, reply: LinkReply)? {
        guard let first = self.slots.first, let reply = first.reply else { return nil }
        self.slots.removeFirst()
        return (first.request, reply)
    }

    /// Forgets everything; the jobs among the answers, which nobody gets now.
    mutating func removeAll() -> [(offer: UInt64, request: UInt64)] {
        defer { self.slots.removeAll() }
        return self.slots.compactMap { slot in
            guard case .job(let offer, _) = slot.reply else { return nil }
            return (offer, slot.request)
        }
    }
}
