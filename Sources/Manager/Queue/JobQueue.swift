import DequeModule
import JobCore
import JobStorage

/// A queue as the leader knows it: how many entries its list has, and the jobs of the first of them.
///
/// The list itself is in the store. Its head is mirrored here, within bounds, so that the leader knows what it hands out
/// without asking: nothing leaves the list before it is reserved, in the same transaction.
final class JobQueue {
    /// How many entries are mirrored at the most.
    static let mirrorBound = 2_048
    /// How many bytes of payload are mirrored at the most, one job beyond it excepted.
    static let mirrorByteBound = 4 << 20
    /// How many entries are read at a time at the most.
    static let refillCount = 512
    /// How many entries are read while it is not known how large the queue's jobs are.
    static let firstRefillCount = 32
    /// With fewer entries than this, the mirror is filled again.
    static let lowWater = 128

    struct Entry {
        let entry: QueueEntry
        /// Nil for an entry that no longer counts.
        let job: Job?
    }

    let name: QueueName
    /// Whether the queue is listed: it had a job once and was not removed since.
    var isKnown = false
    var isPaused = false
    /// Entries in the list, with the changes of the turn that is under way.
    private(set) var entryCount: Int
    /// Of those, entries that were appended in the turn that is under way.
    private var appendedCount = 0
    private var mirror: Deque<Entry> = []
    private var mirrorByteCount = 0
    /// How large the jobs were that were read last, on average.
    private var typicalByteCount: Int?
    private var line: Deque<WaitingFetch> = []
    private var waitingCount = 0

    init(name: QueueName, entryCount: Int = 0) {
        self.name = name
        self.entryCount = entryCount
    }

    // MARK: Entries

    /// Whether the mirror holds every entry of the list.
    private var mirrorIsComplete: Bool { self.mirror.count == self.entryCount }

    /// Whether the list has entries and the mirror has none.
    var isCold: Bool { self.mirror.isEmpty && self.entryCount > 0 }

    /// Whether it is time to read more of the list.
    var wantsRefill: Bool {
        self.mirror.count < Self.lowWater && self.mirrorByteCount <= Self.mirrorByteBound / 2 && !self.mirrorIsComplete
    }

    /// How many entries to read next, so that the mirror stays within its bytes if the next jobs are like the last.
    var nextRefillCount: Int {
        guard let typicalByteCount = self.typicalByteCount else { return Self.firstRefillCount }
        let room = max(0, Self.mirrorByteBound - self.mirrorByteCount)
        return min(max(room / max(typicalByteCount, 1), 1), Self.refillCount)
    }

    /// How many entries of the list are mirrored.
    var mirroredCount: Int { self.mirror.count }

    /// A job joins at the tail.
    func append(_ entry: QueueEntry, _ job: Job, in changes: inout QueueChanges) {
        if self.mirrorIsComplete && self.hasRoom { self.mirrorTail(Entry(entry: entry, job: job)) }
        self.entryCount += 1
        self.appendedCount += 1
        changes.append(entry)
    }

    /// The oldest job leaves; entries that no longer count leave with it.
    ///
    /// Nil when none is mirrored, or when the next one has entered the queue after this token.
    func take(through token: UInt64 = .max, in changes: inout QueueChanges) -> (job: Job, token: UInt64)? {
        while let next = self.mirror.first, next.entry.token <= token, let head = self.takeHead(in: &changes) {
            guard let job = head.job else { continue }
            self.mirrorByteCount -= job.payload.count
            return (job, head.entry.token)
        }
        return nil
    }

    /// The job of one entry leaves before its turn; nil when the entry is not mirrored.
    ///
    /// Its entry counts no longer, and leaves the list when it is the first.
    func withdraw(_ token: UInt64, in changes: inout QueueChanges) -> Job? {
        guard let index = self.mirror.firstIndex(where: { $0.entry.token == token }),
            let job = self.mirror[index].job
        else { return nil }
        self.mirror[index] = Entry(entry: self.mirror[index].entry, job: nil)
        self.mirrorByteCount -= job.payload.count
        while let head = self.mirror.first, head.job == nil { _ = self.takeHead(in: &changes) }
        return job
    }

    private func takeHead(in changes: inout QueueChanges) -> Entry? {
        guard let head = self.mirror.popFirst() else { return nil }
        if self.entryCount == self.appendedCount {
            changes.takeAppended()
            self.appendedCount -= 1
        } else {
            changes.take()
        }
        self.entryCount -= 1
        return head
    }

    /// A job comes back to the head.
    func giveBack(_ entry: QueueEntry, _ job: Job, in changes: inout QueueChanges) {
        self.mirror.prepend(Entry(entry: entry, job: job))
        self.mirrorByteCount += job.payload.count
        self.entryCount += 1
        changes.giveBack(entry)
    }

    /// The oldest job, if it is mirrored.
    var oldest: Job? {
        self.mirror.first { $0.job != nil }?.job
    }

    /// Entries that were read behind those that are mirrored.
    func refill(_ entries: [Entry]) {
        let byteCount = self.mirrorByteCount
        for entry in entries { self.mirrorTail(entry) }
        if !entries.isEmpty { self.typicalByteCount = (self.mirrorByteCount - byteCount) / entries.count }
        // A list that is shorter than was thought must not be waited for.
        if entries.isEmpty { self.entryCount = self.mirror.count }
    }

    /// The list is emptied and nothing is known of the queue; those who wait go on waiting.
    func reset() {
        self.isKnown = false
        self.isPaused = false
        self.entryCount = 0
        self.appendedCount = 0
        self.mirror.removeAll()
        self.mirrorByteCount = 0
    }

    /// The turn's changes are in the store.
    func endTurn() {
        self.appendedCount = 0
    }

    private var hasRoom: Bool {
        self.mirror.count < Self.mirrorBound && self.mirrorByteCount < Self.mirrorByteBound
    }

    private func mirrorTail(_ entry: Entry) {
        self.mirror.append(entry)
        self.mirrorByteCount += entry.job?.payload.count ?? 0
    }

    // MARK: Waiting fetches

    /// Whether a fetch waits for this queue.
    var hasWaiting: Bool { self.waitingCount > 0 }

    /// A fetch joins the line; false when it was the last that did, because it names this queue twice.
    func wait(_ fetch: WaitingFetch) -> Bool {
        guard self.line.last !== fetch else { return false }
        self.line.append(fetch)
        self.waitingCount += 1
        // Fetches that have left are dropped before they outnumber the others.
        if self.line.count > 64 && self.line.count > 2 * self.waitingCount {
            self.line.removeAll { $0.hasLeftLines }
        }
        return true
    }

    /// One of the fetches in the line was answered or withdrawn.
    func stopWaiting() {
        self.waitingCount -= 1
        if self.waitingCount == 0 { self.line.removeAll(keepingCapacity: true) }
    }

    /// The fetches that wait, those that came first in front.
    var waitingFetches: [WaitingFetch] {
        self.line.filter { !$0.hasLeftLines }
    }

    /// The fetch that has waited longest.
    func firstWaiting() -> WaitingFetch? {
        while let first = self.line.first, first.hasLeftLines { self.line.removeFirst() }
        return self.line.first
    }

    /// Whether the leader may forget this queue: nothing is known of it and nobody waits for it.
    var isForgettable: Bool {
        !self.isKnown && !self.isPaused && self.entryCount == 0 && self.waitingCount == 0
    }
}
