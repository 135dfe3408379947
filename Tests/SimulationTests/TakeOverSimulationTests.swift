import Simulation
import Testing

@Suite("A simulated cluster")
struct TakeOverSimulationTests {
    @Test("loses no acknowledged write and finds a leader again, whatever goes wrong")
    func holds() {
        let summary = TakeOverSearch(firstSeed: 1, count: 1_000).run()
        for failure in summary.failures { Issue.record("seed \(failure.seed): \(failure.violation)") }
        #expect(summary.scheduleCount == 1_000)
    }

    @Test("goes on without its first leader, whenever that is lost for good")
    func losesFounder() {
        let summary = TakeOverSearch(firstSeed: 1, count: 1_000, scenario: .lostFounder).run()
        for failure in summary.failures { Issue.record("seed \(failure.seed): \(failure.violation)") }
        // Some are lost before they serve, and some after.
        #expect(summary.leadershipCount > 1_200)
    }

    @Test("ends each hand-over, whenever the successor falls behind")
    func stalledHandOvers() {
        let summary = TakeOverSearch(firstSeed: 1, count: 300, scenario: .stalledHandOver).run()
        for failure in summary.failures { Issue.record("seed \(failure.seed): \(failure.violation)") }
    }

    @Test("suffers enough: leaders change, and still acknowledge")
    func suffers() {
        let summary = TakeOverSearch(firstSeed: 500_000, count: 250).run()
        #expect(summary.leadershipCount > 2 * summary.scheduleCount - summary.scheduleCount / 4)
        #expect(summary.acknowledgedCount > 10 * summary.scheduleCount)
        #expect(summary.longestRecovery > 1_000_000_000)
    }

    /// Where each broken rule is noticed within a slice of schedules.
    ///
    /// When the protocol's timing changes, so do the schedules: `scripts/simulate mutations` finds new places.
    static let places: [(mutation: Mutation, firstSeed: UInt64)] = [
        (.noCut, 1), (.promiseIgnored, 1), (.promiseForgotten, 2_001), (.deposedPrimaryFollowed, 2_001),
        (.lengthCompared, 1), (.emptyMemberVotes, 1), (.restartedMemberVotes, 1), (.noMajority, 1),
        (.resynchronizationForgotten, 1_501), (.unsettledLeader, 74_501), (.emptyMemberOverlooked, 1_001),
        (.lastPrimaryWithoutVote, 1), (.endlessHandOver, 1),
    ]

    @Test("loses a write when a rule is broken, and not when it is kept", arguments: Self.places)
    func notices(mutation: Mutation, firstSeed: UInt64) throws {
        let search = TakeOverSearch(
            firstSeed: firstSeed,
            count: 500,
            mutation: mutation,
            scenario: mutation.scenario,
            stopsAtFailure: true
        )
        let failure = try #require(search.run().failures.first)
        var world = TakeOverWorld(seed: failure.seed, scenario: mutation.scenario)
        #expect(world.run().violation == nil)
    }

    @Test("has a place for every rule that can be broken")
    func allMutations() {
        #expect(Set(Self.places.map(\.mutation)) == Set(Mutation.allCases))
    }

    @Test("happens the same way again from the same seed", arguments: [3, 4, 42, 9_865] as [UInt64])
    func repeats(seed: UInt64) throws {
        var first = TakeOverWorld(seed: seed, isTraced: true)
        var second = TakeOverWorld(seed: seed, isTraced: true)
        _ = first.run()
        _ = second.run()
        let trace = try #require(first.trace)
        #expect(trace == second.trace)
        #expect(trace.count > 20)
    }
}
