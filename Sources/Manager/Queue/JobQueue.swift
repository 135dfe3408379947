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

    /// What is known of an entry's job.
    enum Content {
        case job(Job)
        /// The entry no longer counts.
        case stale
        /// The job is in the store alone; only entries that came back to the head are mirrored so.
        case unread

        var byteCount: Int {
            if case .job(let job) = self { job.payload.count + MirrorMemory.entryByteCount } else { 0 }
        }

        var isUnread: Bool {
            if case .unread = self { true } else { false }
        }
    }

    struct Entry {
        let entry: QueueEntry
        var content: Content
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
    private var mirrorByteCount = 0 {
        didSet { self.memory.byteCount += self.mirrorByteCount - oldValue }
    }
    private let memory: MirrorMemory
    /// The last turn in which a job was taken or the list was read.
    var lastUse: UInt64 = 0
    /// How many entries of the mirror are unread.
    private var unreadCount = 0
    /// How large the jobs were that were read last, on average.
    private var typicalByteCount: Int?
    /// How large the largest job can be that is in the list; nil while it may have entries that an earlier leader appended.
    private(set) var largestByteCount: Int?
    private var line: Deque<WaitingFetch> = []
    private var waitingCount = 0

    init(name: QueueName, entryCount: Int = 0, memory: MirrorMemory) {
        self.name = name
        self.memory = memory
        self.entryCount = entryCount
        self.largestByteCount = entryCount == 0 ? 0 : nil
    }

    // MARK: Entries

    /// Whether the mirror holds every entry of the list.
    private var mirrorIsComplete: Bool { self.mirror.count == self.entryCount }

    /// Whether the list has entries and the next one's job is not in memory.
    var isCold: Bool {
        self.entryCount > 0 && (self.mirror.isEmpty || (self.unreadCount > 0 && self.mirror[0].content.isUnread))
    }

    /// Whether it is time to read more of the list.
    var wantsRefill: Bool {
        self.mirror.count < Self.lowWater && self.mirrorByteCount <= Self.mirrorByteBound / 2 && !self.mirrorIsComplete
    }

    /// How many entries to read next, so that the mirror stays within its bytes if the next jobs are like the last.
    var nextRefillCount: Int {
        guard let typicalByteCount = self.typicalByteCount else { return Self.firstRefillCount }
        return min(max(self.byteRoom / max(typicalByteCount, 1), 1), Self.refillCount)
    }

    /// How many bytes of payload the mirror may take beside those that it has.
    var byteRoom: Int { max(0, Self.mirrorByteBound - self.mirrorByteCount) }

    /// How many entries of the list are mirrored.
    var mirroredCount: Int { self.mirror.count }

    /// A job joins at the tail.
    func append(_ entry: QueueEntry, _ job: Job, in changes: inout QueueChanges) {
        if self.mirrorIsComplete && self.hasRoom { self.mirrorTail(Entry(entry: entry, content: .job(job))) }
        let largest = self.entryCount == 0 ? 0 : self.largestByteCount
        self.largestByteCount = largest.map { max($0, job.payload.count) }
        self.entryCount += 1
        self.appendedCount += 1
        changes.append(entry)
    }

    /// The oldest job leaves; entries that no longer count leave with it.
    ///
    /// Nil when the next one is not in memory, or has entered the queue after this token.
    func take(through token: UInt64 = .max, in changes: inout QueueChanges) -> (job: Job, token: UInt64)? {
        while !self.mirror.isEmpty, !self.isCold, self.mirror[0].entry.token <= token,
            let head = self.takeHead(in: &changes)
        {
            guard case .job(let job) = head.content else { continue }
            self.mirrorByteCount -= head.content.byteCount
            return (job, head.entry.token)
        }
        return nil
    }

    /// The job of one entry leaves before its turn; nil when its job is not in memory.
    ///
    /// Its entry counts no longer, and leaves the list when it is the first.
    func withdraw(_ token: UInt64, in changes: inout QueueChanges) -> Job? {
        guard let index = self.mirror.firstIndex(where: { $0.entry.token == token }) else { return nil }
        let content = self.replaceContent(at: index, with: .stale)
        while case .stale = self.mirror.first?.content { _ = self.takeHead(in: &changes) }
        guard case .job(let job) = content else { return nil }
        return job
    }

    /// Puts another content into an entry of the mirror; what it was before.
    @discardableResult
    private func replaceContent(at index: Int, with content: Content) -> Content {
        let before = self.mirror[index].content
        self.mirror[index].content = content
        self.mirrorByteCount += content.byteCount - before.byteCount
        self.unreadCount += (content.isUnread ? 1 : 0) - (before.isUnread ? 1 : 0)
        return before
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

    /// A job comes back to the head; without it, it is read when its turn comes.
    func giveBack(_ entry: QueueEntry, _ job: Job?, in changes: inout QueueChanges) {
        let content: Content = job.map { .job($0) } ?? .unread
        self.largestByteCount = self.largestByteCount.flatMap { largest in job.map { max(largest, $0.payload.count) } }
        self.mirror.prepend(Entry(entry: entry, content: content))
        self.mirrorByteCount += content.byteCount
        if content.isUnread { self.unreadCount += 1 }
        self.entryCount += 1
        changes.giveBack(entry)
    }

    /// The oldest job, if it is mirrored.
    var oldest: Job? {
        for entry in self.mirror {
            switch entry.content {
            case .job(let job): return job
            case .stale: continue
            case .unread: return nil
            }
        }
        return nil
    }

    /// The first of the mirrored entries whose jobs are not in memory.
    func unreadEntries(atMost count: Int) -> [QueueEntry] {
        guard self.unreadCount > 0 else { return [] }
        return Array(self.mirror.lazy.filter(\.content.isUnread).map(\.entry).prefix(count))
    }

    /// What was read for the first entries that were unread.
    func fill(_ contents: [Content]) {
        var index = 0
        for content in contents {
            while !self.mirror[index].content.isUnread { index += 1 }
            self.replaceContent(at: index, with: content)
        }
    }

    /// Entries that were read behind those that are mirrored.
    func refill(_ entries: [Entry]) {
        let byteCount = self.mirrorByteCount
        for entry in entries { self.mirrorTail(entry) }
        if !entries.isEmpty { self.typicalByteCount = (self.mirrorByteCount - byteCount) / entries.count }
        // A list that is shorter than was thought must not be waited for.
        if entries.isEmpty { self.entryCount = self.mirror.count }
    }

    /// Whether the mirror takes memory.
    var hasMirroredJobs: Bool { self.mirrorByteCount > 0 }

    /// The jobs in memory are let go of; the list in the store has them all.
    ///
    /// Right only between turns, when every change of the list is in the store.
    func dropMirror() {
        precondition(self.appendedCount == 0, "\(self.appendedCount) entries of \(self.name) are not in the store yet")
        self.mirror.removeAll()
        self.mirrorByteCount = 0
        self.unreadCount = 0
    }

    /// The list is emptied and nothing is known of the queue; those who wait go on waiting.
    func reset() {
        self.isKnown = false
        self.isPaused = false
        self.entryCount = 0
        self.largestByteCount = 0
        self.appendedCount = 0
        self.mirror.removeAll()
        self.mirrorByteCount = 0
        self.unreadCount = 0
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
        self.mirrorByteCount += entry.content.byteCount
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
