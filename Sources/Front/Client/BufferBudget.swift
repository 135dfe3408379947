import Synchronization

/// How much a front keeps for all of its clients together: commands that have not ended yet, and replies that were not
/// taken.
///
/// Each client has ``freeByteCount`` beside it, so that clients which send and read as they should never meet the
/// bound, however much others try to make the front keep.
final class BufferBudget: Sendable {
    /// What each client may let the front keep without its counting.
    static let freeByteCount = 64 * 1024

    /// The bytes that all shares together may have.
    let bound: Int
    private let used = Atomic<Int>(0)

    init(bound: Int) {
        self.bound = bound
    }

    /// The bytes of all shares.
    var usedByteCount: Int { self.used.load(ordering: .relaxed) }

    /// Changes what is used; whether it is within the bound then.
    func change(by difference: Int) -> Bool {
        self.used.add(difference, ordering: .relaxed).newValue <= self.bound
    }
}

/// One client's part of a ``BufferBudget``; what it holds is given back with `change(to: 0)`.
struct BufferShare {
    private let budget: BufferBudget
    /// What counts of the bytes that are kept for the client.
    private(set) var byteCount = 0

    init(of budget: BufferBudget) {
        self.budget = budget
    }

    /// Notes how many bytes are kept for the client now; false when they grew and all together are beyond the bound.
    mutating func change(to keptByteCount: Int) -> Bool {
        let counted = max(0, keptByteCount - BufferBudget.freeByteCount)
        let difference = counted - self.byteCount
        guard difference != 0 else { return true }
        self.byteCount = counted
        return self.budget.change(by: difference) || difference < 0
    }
}
