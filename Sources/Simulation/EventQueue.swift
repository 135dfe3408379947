/// Events in the order of their times; those of one time in the order in which they were added.
struct EventQueue<Event> {
    private struct Entry {
        let time: Int64
        let number: UInt64
        let event: Event

        func precedes(_ other: Entry) -> Bool {
            self.time < other.time || self.time == other.time && self.number < other.number
        }
    }

    /// A binary heap: no entry precedes its parent.
    private var entries: [Entry] = []
    private var count: UInt64 = 0

    /// The time of the next event.
    var nextTime: Int64? { self.entries.first?.time }

    mutating func add(_ event: Event, at time: Int64) {
        self.count += 1
        let entry = Entry(time: time, number: self.count, event: event)
        self.entries.append(entry)
        var index = self.entries.count - 1
        while index > 0 {
            let parent = (index - 1) / 2
            guard entry.precedes(self.entries[parent]) else { break }
            self.entries[index] = self.entries[parent]
            index = parent
        }
        self.entries[index] = entry
    }

    mutating func removeNext() -> Event? {
        guard let first = self.entries.first, let last = self.entries.popLast() else { return nil }
        guard !self.entries.isEmpty else { return first.event }
        var index = 0
        while true {
            var child = 2 * index + 1
            guard child < self.entries.count else { break }
            if child + 1 < self.entries.count, self.entries[child + 1].precedes(self.entries[child]) { child += 1 }
            guard self.entries[child].precedes(last) else { break }
            self.entries[index] = self.entries[child]
            index = child
        }
        self.entries[index] = last
        return first.event
    }
}
