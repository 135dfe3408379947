/// Which of many lines that say the same are written to the log, so that nobody can fill it.
///
/// The first line of a subject is told; from then on one each `interval`, with the number of those that it stands for. All
/// subjects together have `bound` lines in an interval, and as many subjects are remembered: whoever changes the subject
/// with each line gets no more of them.
package struct SampledLines<Subject: Hashable & Sendable>: Sendable {
    /// How long a subject is silent after a line.
    package let interval: Duration
    /// The most lines of all subjects in one interval, and the most subjects that are remembered.
    package let bound: Int

    private struct Record {
        let toldAt: Uptime
        var untoldCount = 0
    }

    private var records: [Subject: Record] = [:]
    private var untoldOfOthers = 0

    package init(interval: Duration = .seconds(60), bound: Int = 60) {
        precondition(interval > .zero && bound > 0, "an interval of \(interval), \(bound) lines")
        self.interval = interval
        self.bound = bound
    }

    /// Takes note of something that could be told.
    ///
    /// - Returns: for how many a line is to be written now, this one included; nil for no line.
    package mutating func note(_ subject: Subject, at now: Uptime) -> Int? {
        if let record = self.records[subject] {
            guard record.toldAt + self.interval <= now else {
                self.records[subject] = Record(toldAt: record.toldAt, untoldCount: record.untoldCount + 1)
                return nil
            }
            self.records[subject] = Record(toldAt: now)
            return record.untoldCount + 1
        }
        if self.records.count >= self.bound { self.forget(at: now) }
        guard self.records.count < self.bound else {
            self.untoldOfOthers += 1
            return nil
        }
        self.records[subject] = Record(toldAt: now)
        defer { self.untoldOfOthers = 0 }
        return self.untoldOfOthers + 1
    }

    /// Forgets the subjects whose silence is over; what was not told of them counts with the next line of a new one.
    private mutating func forget(at now: Uptime) {
        for (subject, record) in self.records where record.toldAt + self.interval <= now {
            self.untoldOfOthers += record.untoldCount
            self.records[subject] = nil
        }
    }
}
