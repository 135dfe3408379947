import JobCore

/// Tells of almost every jid that is not alive that it is not, without asking the store.
///
/// Holds 64 bits of hash per live job instead of the jid. "Perhaps" must be checked against the store; that happens
/// when a client sends a job again, and by chance about never.
struct LiveJobIndex {
    private var hashes: Set<Int> = []

    init() {}

    mutating func reserveCapacity(_ count: Int) {
        self.hashes.reserveCapacity(count)
    }

    func mayContain(_ jobID: JobID) -> Bool {
        self.hashes.contains(jobID.hashValue)
    }

    mutating func insert(_ jobID: JobID) {
        self.hashes.insert(jobID.hashValue)
    }

    mutating func remove(_ jobID: JobID) {
        self.hashes.remove(jobID.hashValue)
    }

    mutating func removeAll() {
        self.hashes.removeAll()
    }
}
