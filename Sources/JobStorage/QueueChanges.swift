/// What one transaction does to one queue's list.
///
/// New entries join at the tail and entries leave at the head, so that all joining may be
/// done before all leaving: the outcome is the same. What is given back to the head and
/// what is taken from it keep their order among themselves.
package struct QueueChanges: Hashable, Sendable {
    package enum HeadChange: Hashable, Sendable {
        /// So many entries leave at the head.
        case take(Int)
        /// These entries come back to the head; the last of them is the next to leave.
        case giveBack([QueueEntry])
    }

    /// The list is emptied before anything else.
    package private(set) var isCleared = false
    /// The entries that join at the tail, oldest first.
    package var appended: ArraySlice<QueueEntry> { self.joining[self.joiningStart...] }
    /// What happens at the head, in order.
    package private(set) var headChanges: [HeadChange] = []

    private var joining: [QueueEntry] = []
    private var joiningStart = 0

    package init() {}

    package mutating func append(_ entry: QueueEntry) {
        self.joining.append(entry)
    }

    /// The oldest of the entries that were to join leaves again; the list never sees it.
    ///
    /// Right only while everything in front of it has left.
    package mutating func takeAppended() {
        precondition(self.joiningStart < self.joining.count, "nothing was appended in this transaction")
        self.joiningStart += 1
    }

    /// The oldest entry leaves.
    package mutating func take() {
        switch self.headChanges.popLast() {
        case .take(let count):
            self.headChanges.append(.take(count + 1))
        case .giveBack(let entries) where entries.count > 1:
            self.headChanges.append(.giveBack(Array(entries.dropLast())))
        case .giveBack:
            break
        case nil:
            self.headChanges.append(.take(1))
        }
    }

    package mutating func giveBack(_ entry: QueueEntry) {
        guard case .giveBack(let entries) = self.headChanges.last else {
            self.headChanges.append(.giveBack([entry]))
            return
        }
        self.headChanges[self.headChanges.count - 1] = .giveBack(entries + [entry])
    }

    /// Everything that is in the list, or was to be, goes.
    package mutating func clear() {
        self.isCleared = true
        self.joining.removeAll()
        self.joiningStart = 0
        self.headChanges.removeAll()
    }
}
