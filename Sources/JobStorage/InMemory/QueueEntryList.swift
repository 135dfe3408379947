/// The entries of one queue, oldest first.
///
/// Two arrays stand back to back, so that entries join and leave at either end in constant time.
struct QueueEntryList {
    /// The oldest entries, the very oldest last.
    private var head: [QueueEntry] = []
    /// The entries that came after them, in their order.
    private var tail: [QueueEntry] = []

    var count: Int { self.head.count + self.tail.count }

    mutating func append(contentsOf entries: some Sequence<QueueEntry>) {
        self.tail.append(contentsOf: entries)
    }

    /// The oldest entries leave; all of them when there are fewer than `count`.
    mutating func take(_ count: Int) {
        if self.head.count < count {
            self.head = self.tail.reversed() + self.head
            self.tail = []
        }
        self.head.removeLast(min(count, self.head.count))
    }

    /// The last of `entries` is the next to leave.
    mutating func giveBack(_ entries: [QueueEntry]) {
        self.head.append(contentsOf: entries)
    }

    /// Up to `count` entries, beginning `offset` entries behind the oldest.
    func page(from offset: Int, count: Int) -> [QueueEntry] {
        guard offset >= 0, offset < self.count, count > 0 else { return [] }
        let end = offset + min(count, self.count - offset)
        return (offset..<end).map { position in
            position < self.head.count
                ? self.head[self.head.count - 1 - position]
                : self.tail[position - self.head.count]
        }
    }

    /// Up to `count` entries, the newest first, beginning `offset` entries in front of the newest.
    func newestPage(from offset: Int, count: Int) -> [QueueEntry] {
        guard offset >= 0, offset < self.count, count > 0 else { return [] }
        let pageCount = min(count, self.count - offset)
        return self.page(from: self.count - offset - pageCount, count: pageCount).reversed()
    }
}
