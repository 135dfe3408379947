import DequeModule
import JobCore

/// The queues whose heads are to be read, each once, those that were named first in front.
struct ColdQueues {
    private var line: Deque<QueueName> = []
    private var names: Set<QueueName> = []

    var isEmpty: Bool { self.line.isEmpty }

    mutating func insert(_ name: QueueName) {
        if self.names.insert(name).inserted { self.line.append(name) }
    }

    mutating func popFirst() -> QueueName? {
        guard let name = self.line.popFirst() else { return nil }
        self.names.remove(name)
        return name
    }

    mutating func removeAll() {
        self.line.removeAll()
        self.names.removeAll()
    }
}
