import JobCore

/// Tells of almost every jid that is not alive that it is not, without asking the store.
///
/// Holds 64 bits of hash per live job instead of the jid. "Perhaps" must be checked against the store; that happens
/// when a client sends a job again, and by chance about never.
///
/// A leader begins with an index that knows few of the live jobs, and learns the others while it serves. Until it is
/// complete, what it does not know may be alive all the same.
struct LiveJobIndex {
    /// How many parts there are; each grows for itself, so that no insertion moves more than a small share of all.
    private static let partCount = 256

    private var parts: [Set<Int>] = Array(repeating: [], count: Self.partCount)
    /// Whether every live job is known.
    private(set) var isComplete = false

    init() {}

    /// Makes room for so many jobs.
    mutating func reserveCapacity(_ count: Int) {
        let perPart = count / Self.partCount
        guard perPart > 0 else { return }
        // Parts differ by chance; a part that outgrows its room is moved once.
        for part in self.parts.indices { self.parts[part].reserveCapacity(perPart + perPart / 16) }
    }

    /// False only for a job that is certainly not alive.
    func mayContain(_ jobID: JobID) -> Bool {
        guard self.isComplete else { return true }
        let hash = jobID.hashValue
        return self.parts[Self.part(of: hash)].contains(hash)
    }

    mutating func insert(_ jobID: JobID) {
        let hash = jobID.hashValue
        self.parts[Self.part(of: hash)].insert(hash)
    }

    mutating func remove(_ jobID: JobID) {
        let hash = jobID.hashValue
        self.parts[Self.part(of: hash)].remove(hash)
    }

    /// Everything is gone; whether it is known of all that there is stays as it was.
    mutating func removeAll() {
        for part in self.parts.indices { self.parts[part].removeAll() }
    }

    /// Every live job has been inserted.
    mutating func complete() {
        self.isComplete = true
    }

    /// The highest bits choose the part; the set inside looks at a hash of all of them.
    private static func part(of hash: Int) -> Int {
        Int(UInt(bitPattern: hash) >> (UInt.bitWidth - 8))
    }
}
