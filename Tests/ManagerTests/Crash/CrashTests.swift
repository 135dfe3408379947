import JobCore
import Testing

@testable import Manager

@Suite("Leaders that die at any commit")
struct CrashTests {
    @Test(
        "no acknowledged job is lost, none runs twice, and what is counted has happened",
        arguments: UInt64(1)...15
    )
    func randomFaults(seed: UInt64) throws {
        var world = try CrashWorld(seed: seed)
        for step in 0..<200 {
            try world.step()
            try #require(
                world.history.violations.isEmpty,
                "seed \(seed), step \(step): \(world.history.violations)"
            )
        }
        try world.drain()
        let violations = try world.violationsAtTheEnd()
        #expect(violations.isEmpty, "seed \(seed): \(violations)")
    }

    @Test(
        "fronts that die as well lose no job, and a job runs twice only when its front died with it",
        arguments: UInt64(1)...12
    )
    func dyingFronts(seed: UInt64) throws {
        var world = try CrashWorld(seed: seed, faults: CrashWorld.Faults(loss: 5, crash: 3, frontDeath: 3))
        for step in 0..<200 {
            try world.step()
            try #require(
                world.history.violations.isEmpty,
                "seed \(seed), step \(step): \(world.history.violations)"
            )
        }
        try world.drain()
        let violations = try world.violationsAtTheEnd()
        #expect(violations.isEmpty, "seed \(seed): \(violations)")
    }

    @Test("the faults are bad enough to prove something")
    func faultsAreBad() throws {
        var world = try CrashWorld(seed: 4, faults: CrashWorld.Faults(frontDeath: 2))
        for _ in 0..<1_000 { try world.step() }
        #expect(world.crashCount > 50)
        #expect(world.frontDeathCount > 10)
        #expect(world.lossCount > 200)
        #expect(world.repetitionCount > 200)
        #expect(world.withdrawalCount > 50)
        #expect(world.history.acknowledgedCount > 100)
        #expect(world.history.failedCount > 30)
    }

    @Test("a leader may die at each commit of a history, before it is written and after", arguments: 1...60)
    func eachCommit(commit: Int) throws {
        let calm = CrashWorld.Faults(loss: 0, repetition: 0, crash: 0)
        for end in [CrashWorld.CommitEnd.lost, .unanswered] {
            var world = try CrashWorld(seed: 11, faults: calm, planned: (commit, end))
            for _ in 0..<40 { try world.step() }
            try world.drain()
            #expect(world.crashCount == 1)
            let violations = try world.violationsAtTheEnd()
            #expect(violations.isEmpty, "commit \(commit), \(end): \(violations)")
        }
    }
}
