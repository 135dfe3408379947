import JobCore

/// The jobs that a MUTATE names and that are not done yet.
struct NamedJobs {
    private let list: JobIDList
    private var offset = 0
    /// How many are done, counted from the first.
    private(set) var doneCount = 0

    /// - Parameter doneCount: how many an earlier leader has done, which are passed over.
    init(_ list: JobIDList, passing doneCount: Int) {
        self.list = list
        self.passOver(min(doneCount, list.count))
    }

    /// Whether all are done.
    var isEmpty: Bool { self.doneCount >= self.list.count }

    /// The next of them, at the most so many; one that is named twice comes twice.
    func prefix(_ count: Int) -> [JobID] {
        var offset = self.offset
        return self.list.next(count, from: &offset)
    }

    /// So many of them are done.
    mutating func passOver(_ count: Int) {
        self.list.skip(count, from: &self.offset)
        self.doneCount += count
    }
}
