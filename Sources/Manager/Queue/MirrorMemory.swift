/// The memory that the mirrors of all queues take together.
///
/// Each queue's mirror has a bound of its own; with many queues their sum would have none.
final class MirrorMemory {
    /// What an entry takes beside its payload, about.
    static let entryByteCount = 256

    /// How many bytes there may be at the end of a turn.
    let byteBound: Int
    /// How many there are, in payloads and in what goes with them.
    var byteCount = 0

    init(byteBound: Int) {
        self.byteBound = byteBound
    }

    var isOverBound: Bool { self.byteCount > self.byteBound }

    /// How many are left once room was made: some less than the bound, so that room is not made in every turn.
    var roomyByteCount: Int { self.byteBound - self.byteBound / 8 }
}
