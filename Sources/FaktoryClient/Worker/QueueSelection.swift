/// From which queues a worker takes jobs, and which it asks first.
public struct QueueSelection: Hashable, Sendable {
    private struct Entry: Hashable {
        let name: String
        /// Nil when the order is strict.
        let weight: Int?
    }

    private let entries: [Entry]

    /// Always asks in this order: a queue gets its turn only when all before it are empty.
    public static func strict(_ names: [String]) -> QueueSelection {
        QueueSelection(entries: names.map { Entry(name: $0, weight: nil) })
    }

    /// Asks in an order that is drawn for every fetch, so that no queue starves.
    ///
    /// A queue of weight 3 is asked first three times as often as one of weight 1.
    ///
    /// - Precondition: every weight is at least 1.
    public static func weighted(_ weights: [String: Int]) -> QueueSelection {
        precondition(weights.values.allSatisfy { $0 >= 1 }, "a queue's weight is at least 1: \(weights)")
        let sorted = weights.sorted { $0.key < $1.key }
        return QueueSelection(entries: sorted.map { Entry(name: $0.key, weight: $0.value) })
    }

    /// The names in the order for one fetch.
    func order(using generator: inout some RandomNumberGenerator) -> [String] {
        guard self.entries.contains(where: { $0.weight != nil }) else { return self.entries.map(\.name) }
        var remaining = self.entries
        var names: [String] = []
        while !remaining.isEmpty {
            names.append(remaining.remove(at: Self.draw(from: remaining, using: &generator)).name)
        }
        return names
    }

    private static func draw(from entries: [Entry], using generator: inout some RandomNumberGenerator) -> Int {
        let total = entries.reduce(0) { $0 + ($1.weight ?? 0) }
        guard total > 0 else { return 0 }
        var ticket = Int.random(in: 0..<total, using: &generator)
        for (index, entry) in entries.enumerated() {
            ticket -= entry.weight ?? 0
            if ticket < 0 { return index }
        }
        return entries.count - 1
    }
}
