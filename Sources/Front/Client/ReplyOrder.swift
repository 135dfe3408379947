import ClusterLink
import DequeModule

/// Puts the replies of one connection into the order of its commands, when the leader defers one of them.
struct ReplyOrder {
    private var slots: Deque<(request: UInt64, reply: LinkReply?)> = []

    /// Whether replies must wait for an earlier one.
    var isWaiting: Bool { !self.slots.isEmpty }

    /// Keeps a place for a reply that comes late.
    mutating func reserve(for request: UInt64) {
        guard !self.slots.contains(where: { $0.request == request }) else { return }
        self.slots.append((request, nil))
    }

    /// Takes a reply: into the place that was kept for it, or behind all that are here.
    mutating func insert(_ reply: LinkReply, for request: UInt64) {
        if let index = self.slots.firstIndex(where: { $0.request == request }) {
            self.slots[index].reply = reply
        } else {
            self.slots.append((request, reply))
        }
    }

    /// The next reply whose turn it is.
    mutating func next() -> (request: UInt64, reply: LinkReply)? {
        guard let first = self.slots.first, let reply = first.reply else { return nil }
        self.slots.removeFirst()
        return (first.request, reply)
    }
}
