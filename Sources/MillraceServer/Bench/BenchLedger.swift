/// Which jobs of a run were pushed, fetched and acknowledged.
///
/// Jobs are known by their number, from 0; the ledger is bounded by the number of jobs that it is made for.
package struct BenchLedger: Sendable {
    /// What a fetched job turned out to be.
    package enum Fetched: Sendable, Equatable {
        /// Fetched for the first time; due at this time, in nanoseconds.
        case first(dueAt: UInt64)
        /// Fetched before.
        case duplicate
        /// Never pushed in this run.
        case unknown
    }

    /// How many jobs there will be.
    package let jobCount: Int
    /// Whether the jobs are also fetched and acknowledged, or only pushed.
    package let hasWorkers: Bool
    /// How many pushes the server has confirmed, in jobs.
    package private(set) var pushedCount = 0
    /// How many different jobs have been fetched.
    package private(set) var fetchedCount = 0
    /// How many acknowledgements the server has confirmed, of jobs fetched for the first time.
    package private(set) var acknowledgedCount = 0
    /// How many times a job was fetched that had been fetched before.
    package private(set) var duplicateCount = 0
    /// How many fetched jobs are not of this run.
    package private(set) var unknownCount = 0

    private var issuedCount = 0
    private var dueTimes: [UInt64]
    private var isPushed: [Bool]
    private var isFetched: [Bool]

    package init(jobCount: Int, hasWorkers: Bool = true) {
        precondition(BenchOptions.jobBounds.contains(jobCount), "a ledger for \(jobCount) jobs")
        self.jobCount = jobCount
        self.hasWorkers = hasWorkers
        self.dueTimes = Array(repeating: 0, count: jobCount)
        self.isPushed = Array(repeating: false, count: jobCount)
        self.isFetched = Array(repeating: false, count: jobCount)
    }

    /// Gives out the numbers of the next jobs to push, as many as are left; empty when all have been given out.
    package mutating func issue(upTo count: Int) -> Range<Int> {
        let range = self.issuedCount..<min(self.issuedCount + count, self.jobCount)
        self.issuedCount = range.upperBound
        return range
    }

    /// Notes when jobs that are about to be pushed were due.
    package mutating func send(_ jobs: Range<Int>, dueAt: UInt64) {
        for job in jobs { self.dueTimes[job] = dueAt }
    }

    /// Notes that the server has confirmed a push; a worker may have had the jobs before.
    package mutating func confirmPush(of jobs: Range<Int>) {
        for job in jobs where !self.isPushed[job] {
            self.isPushed[job] = true
            self.pushedCount += 1
        }
    }

    /// Notes that a worker was given a job; nil for one whose name is none of this run's.
    package mutating func fetch(_ job: Int?) -> Fetched {
        guard let job, (0..<self.issuedCount).contains(job) else {
            self.unknownCount += 1
            return .unknown
        }
        guard !self.isFetched[job] else {
            self.duplicateCount += 1
            return .duplicate
        }
        self.isFetched[job] = true
        self.fetchedCount += 1
        return .first(dueAt: self.dueTimes[job])
    }

    /// Notes that the server has confirmed the acknowledgement of a job fetched for the first time.
    package mutating func acknowledge() {
        self.acknowledgedCount += 1
    }

    /// How many jobs have gone all the way: acknowledged, or pushed where nobody fetches.
    package var doneCount: Int {
        self.hasWorkers ? self.acknowledgedCount : self.pushedCount
    }

    /// How many jobs the server has confirmed that no worker was given; 0 where nobody fetches.
    package var lostCount: Int {
        guard self.hasWorkers else { return 0 }
        return zip(self.isPushed, self.isFetched).count { isPushed, isFetched in isPushed && !isFetched }
    }

    /// Whether every job was pushed, and fetched and acknowledged unless nobody fetches.
    package var isComplete: Bool {
        self.pushedCount == self.jobCount && self.doneCount == self.jobCount
    }

    /// Whether the run is complete, and no job was fetched twice or from elsewhere.
    package var isSound: Bool {
        self.isComplete && self.duplicateCount == 0 && self.unknownCount == 0
    }
}
