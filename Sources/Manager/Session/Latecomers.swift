import ClusterLink
import JobCore
import JobStorage

/// The jobs that have joined a set since a MUTATE began that takes whatever matches: they are not meant.
///
/// A scan of the set may show them, and the next leader scans it from its beginning. They are stored with the progress of
/// the command, in the transaction in which they join.
struct Latecomers {
    /// How many jobs are told apart; those that join behind them may be taken.
    static let bound = 100_000
    /// For how many commands at once they are noted; one more waits until one of those is done.
    static let commandBound = 8
    /// Bytes behind which a record takes in no more names.
    private static let partByteCount = 4_096

    let set: JobSet
    private(set) var jobIDs: Set<JobID> = []
    /// What the last of the records has.
    private var part: [UInt8] = []

    init(set: JobSet) {
        self.set = set
    }

    /// Takes note of a job that joins.
    ///
    /// - Returns: what its record has now, and whether that is one more than there were; nil when nothing is to be stored.
    mutating func note(_ jobID: JobID) -> (part: [UInt8], isAnother: Bool)? {
        guard self.jobIDs.count < Self.bound, self.jobIDs.insert(jobID).inserted else { return nil }
        let isAnother = self.part.isEmpty || self.part.count >= Self.partByteCount
        var writer = LinkWriter(reserving: 64)
        writer.write(jobID.text)
        self.part = isAnother ? writer.bytes : self.part + writer.bytes
        return (self.part, isAnother)
    }

    /// Takes up a record that an earlier leader has stored; they come in their order.
    mutating func restore(part: [UInt8]) {
        self.part = part
        part.withUnsafeBytes { bytes in
            var reader = LinkReader(bytes)
            // What does not read on is no name.
            while let text = try? reader.readString() { self.jobIDs.insert(JobID(text)) }
        }
    }
}
