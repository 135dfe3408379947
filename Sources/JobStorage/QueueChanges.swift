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
        case .giveBack(var entries) where entries.count > 1:
            entries.removeLast()
            self.headChanges.append(.giveBack(entries))
        case .giveBack:
            break
        case nil:
            self.headChanges.append(.take(1))
        }
    }

    /// An entry comes back to the head and is the next to leave.
    package mutating func giveBack(_ entry: QueueEntry) {
        // The last change is taken out while it grows, so that its entries are not copied.
        guard case .giveBack(var entries) = self.headChanges.last else {
            self.headChanges.append(.giveBack([entry]))
            return
        }
        self.headChanges.removeLast()
        entries.append(entry)
        self.headChanges.append(.giveBack(entries))
    }

    /// Everything that is in the list, or was to be, goes.
    package mutating func clear() {
        self.isCleared = true
        self.joining.removeAll()
        self.joiningStart = 0
        self.headChanges.removeAll()
    }
}
