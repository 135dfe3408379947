import Dispatch
import Synchronization

/// Runs many schedules on every core, and keeps the seeds of those in which something did not hold.
package struct TakeOverSearch: Sendable {
    /// What a number of schedules came to.
    package struct Summary: Sendable {
        package var scheduleCount = 0
        package var acknowledgedCount = 0
        package var leadershipCount = 0
        /// The longest time from healing to service, in nanoseconds.
        package var longestRecovery: Int64 = 0
        /// In how many of them an operator had to decide.
        package var operatorCount = 0
        /// The seeds that failed in order, with what did not hold.
        package var failures: [(seed: UInt64, violation: String)] = []

        mutating func take(_ outcome: TakeOverWorld.Outcome, of seed: UInt64, losesOnly: Bool) {
            self.scheduleCount += 1
            self.acknowledgedCount += outcome.acknowledgedCount
            self.leadershipCount += outcome.leadershipCount
            if outcome.neededOperator { self.operatorCount += 1 }
            // How soon an operator comes is not the protocol's matter.
            if !outcome.neededOperator { self.longestRecovery = max(self.longestRecovery, outcome.recoveryTime) }
            if let violation = outcome.violation, outcome.isUnsafe || !losesOnly {
                self.failures.append((seed, violation))
            }
        }

        mutating func take(_ other: Summary) {
            self.scheduleCount += other.scheduleCount
            self.acknowledgedCount += other.acknowledgedCount
            self.leadershipCount += other.leadershipCount
            self.longestRecovery = max(self.longestRecovery, other.longestRecovery)
            self.operatorCount += other.operatorCount
            self.failures = (self.failures + other.failures).sorted { $0.seed < $1.seed }
        }
    }

    /// How many schedules one core takes at a time.
    static let sliceCount = 500

    package let firstSeed: UInt64
    package let count: Int
    /// The rule that is broken; what counts as a failure is then only that a write is lost.
    package let mutation: Mutation?
    package let scenario: Scenario
    /// Whether the first failure ends the search.
    package let stopsAtFailure: Bool

    package init(
        firstSeed: UInt64,
        count: Int,
        mutation: Mutation? = nil,
        scenario: Scenario = .anything,
        stopsAtFailure: Bool = false
    ) {
        self.firstSeed = firstSeed
        self.count = count
        self.mutation = mutation
        self.scenario = scenario
        self.stopsAtFailure = stopsAtFailure
    }

    /// - Parameter report: called after each slice, by one core at a time.
    package func run(reporting report: @Sendable (Summary) -> Void = { _ in }) -> Summary {
        let total = Mutex(Summary())
        let slices = (self.count + Self.sliceCount - 1) / Self.sliceCount
        DispatchQueue.concurrentPerform(iterations: slices) { slice in
            if self.stopsAtFailure, total.withLock({ !$0.failures.isEmpty }) { return }
            let summary = self.run(slice: slice)
            total.withLock {
                $0.take(summary)
                report($0)
            }
        }
        return total.withLock { $0 }
    }

    private func run(slice: Int) -> Summary {
        var summary = Summary()
        for index in slice * Self.sliceCount..<min(self.count, (slice + 1) * Self.sliceCount) {
            let seed = self.firstSeed &+ UInt64(index)
            var world = TakeOverWorld(seed: seed, mutation: self.mutation, scenario: self.scenario)
            summary.take(world.run(), of: seed, losesOnly: self.mutation != nil)
            if self.stopsAtFailure, !summary.failures.isEmpty { break }
        }
        return summary
    }
}
