import JobCore
import JobStorage

/// Which jobs were done, or discarded, within the last minutes.
///
/// A client that lost the answer to its PUSH sends the job again, perhaps after it was done: what is in the ledger is not run
/// again. It is written in the transaction that ends the job, so that no leader can know of the one without the other.
///
/// The ledger is a ring of segments, each for a third of the time or a quarter of the room; when the next one begins, the
/// oldest is forgotten. So a job is remembered for the whole time, unless more jobs end than there is room for.
struct OutcomeLedger {
    /// How many jobs are remembered at the most.
    static let countBound = 1_000_000
    /// How many bytes their records may have at the most.
    static let byteBound = 64 << 20
    /// How much a new leader reads before it serves its first command, unless the last segment alone is more.
    static let loadedAtOnce = 4 << 20
    /// How many bytes are read in one go.
    static let readByteCount = 1 << 20

    /// For how long a job is remembered, in seconds; 0 for not at all.
    private let memory: Int64
    private var segments: [OutcomeSegment]
    /// The segment that grows.
    private var current = 0
    /// How many of its bytes are stored; nil when it begins in the turn that is under way.
    private var storedByteCount: Int?
    /// Segments that are still to be read, the next one last, each with the bytes that it has.
    private var unread: [(segment: Int, byteCount: Int)] = []

    init(memory: Duration) {
        self.memory = memory.components.seconds
        self.segments = Array(repeating: OutcomeSegment(), count: OutcomeLog.segmentCount)
    }

    /// How many jobs are remembered.
    var count: Int { self.segments.reduce(0) { $0 + $1.count } }

    /// Whether an earlier leader wrote something that is not known here yet.
    var isIncomplete: Bool { !self.unread.isEmpty }

    // MARK: Turns

    /// A job has ended, and a PUSH that comes again is not to run it.
    mutating func note(_ jobID: JobID, at now: WallTime) {
        guard self.memory > 0 else { return }
        let second = Self.second(of: now)
        if self.isFull(at: second) { self.beginSegment() }
        self.segments[self.current].append(jobID, at: second)
    }

    /// Whether this job ended within the time.
    func contains(_ jobID: JobID, at now: WallTime) -> Bool {
        guard self.memory > 0 else { return false }
        let second = Int64(Self.second(of: now))
        let hash = OutcomeSegment.hash(of: jobID)
        return self.segments.contains { segment in
            segment.second(of: jobID, hash: hash).map { Int64($0) + self.memory > second } ?? false
        }
    }

    /// What the turn has added, for its transaction.
    mutating func takeChange() -> OutcomeChange? {
        let bytes = self.segments[self.current].bytes
        let stored = self.storedByteCount ?? 0
        guard bytes.count > stored else { return nil }
        let change = OutcomeChange(
            segment: self.current,
            beginsFor: self.storedByteCount == nil ? .seconds(self.memory * 2) : nil,
            bytes: stored == 0 ? bytes : Array(bytes[stored...])
        )
        self.storedByteCount = bytes.count
        return change
    }

    /// Everything was flushed.
    mutating func removeAll() {
        for index in self.segments.indices { self.segments[index].removeAll() }
        self.current = 0
        self.storedByteCount = nil
        self.unread = []
    }

    private func isFull(at second: UInt32) -> Bool {
        let segment = self.segments[self.current]
        guard let first = segment.firstSecond else { return false }
        let share = OutcomeLog.segmentCount
        let age = Int64(second) - Int64(first)
        // A turn's records go into one segment, so that one may be a little larger than its share.
        guard self.storedByteCount == segment.bytes.count else { return false }
        return age * Int64(share - 1) >= self.memory || age < 0 || segment.count >= Self.countBound / share
            || segment.bytes.count >= Self.byteBound / share
    }

    private mutating func beginSegment() {
        self.current = (self.current + 1) % OutcomeLog.segmentCount
        self.segments[self.current].removeAll()
        self.unread.removeAll { $0.segment == self.current }
        self.storedByteCount = nil
    }

    private static func second(of time: WallTime) -> UInt32 {
        UInt32(clamping: time.nanosecondsSinceEpoch / 1_000_000_000)
    }

    // MARK: Taking over

    /// Reads what an earlier leader wrote last; the rest is read by ``readOn(from:)``.
    ///
    /// - Parameter byteCounts: what each segment has.
    mutating func load(_ byteCounts: [Int], from store: any JobStore) throws(StorageError) {
        guard self.memory > 0 else { return }
        var ages: [(second: UInt32, segment: Int)] = []
        for (segment, byteCount) in byteCounts.enumerated() where byteCount > 0 {
            var head = OutcomeSegment()
            head.load(try store.outcomes(in: segment, from: 0, count: OutcomeSegment.headerByteCount))
            guard let second = head.firstSecond else { continue }
            ages.append((second, segment))
        }
        ages.sort { $0 < $1 }
        guard let last = ages.last else { return }
        self.current = last.segment
        self.unread = ages.map { ($0.segment, byteCounts[$0.segment]) }
        var loaded = 0
        while loaded < Self.loadedAtOnce, let next = self.unread.last {
            while self.unread.last?.segment == next.segment { loaded += try self.readOn(from: store) }
        }
        self.storedByteCount = self.segments[self.current].bytes.count
    }

    /// Reads some more of what an earlier leader wrote; how many bytes that was.
    @discardableResult
    mutating func readOn(from store: any JobStore) throws(StorageError) -> Int {
        guard let next = self.unread.last else { return 0 }
        let offset = self.segments[next.segment].bytes.count
        let count = min(Self.readByteCount, next.byteCount - offset)
        let bytes = try store.outcomes(in: next.segment, from: offset, count: count)
        self.segments[next.segment].load(bytes)
        // Its time may be over meanwhile.
        if bytes.count < count || offset + count >= next.byteCount { self.unread.removeLast() }
        return bytes.count
    }
}
