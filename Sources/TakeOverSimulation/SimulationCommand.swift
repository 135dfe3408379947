import Foundation
import Simulation

/// Runs schedules of the take-over protocol, replays one, or shows that each broken rule is noticed.
@main
struct SimulationCommand {
    /// How many schedules a broken rule may take to be noticed.
    static let mutationBound = 200_000
    /// How many failures are printed.
    static let printBound = 20

    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        let isPassed: Bool? =
            switch arguments.first {
            case "trace":
                Self.number(arguments, 1).flatMap { seed in
                    Self.replay(
                        seed: seed,
                        mutation: Self.word(arguments, 2),
                        scenario: Self.word(arguments, 2) ?? .anything
                    )
                }
            case "mutations": Self.findMutations(firstSeed: Self.number(arguments, 1) ?? 1)
            default:
                Self.number(arguments, 0).map { count in
                    Self.search(
                        count: Int(count),
                        firstSeed: Self.number(arguments, 1) ?? 1,
                        scenario: Self.word(arguments, 2) ?? .anything
                    )
                }
            }
        guard let isPassed else {
            print(
                "usage: take-over-simulation COUNT [SEED [SCENARIO]] | trace SEED [MUTATION or SCENARIO] | mutations [SEED]"
            )
            print("mutations: \(Mutation.allCases.map(\.rawValue).joined(separator: " "))")
            print("scenarios: \(Scenario.allCases.map(\.rawValue).joined(separator: " "))")
            exit(2)
        }
        exit(isPassed ? 0 : 1)
    }

    private static func search(count: Int, firstSeed: UInt64, scenario: Scenario) -> Bool {
        let step = max(count / 10, 1)
        let summary = TakeOverSearch(firstSeed: firstSeed, count: count, scenario: scenario).run { summary in
            if summary.scheduleCount % step < 500 { print("\(summary.scheduleCount) of \(count) schedules") }
        }
        for failure in summary.failures.prefix(Self.printBound) {
            print("seed \(failure.seed): \(failure.violation)")
        }
        print("\(summary.acknowledgedCount) writes acknowledged by \(summary.leadershipCount) leaders")
        print("service came back after at most \(summary.longestRecovery / 1_000_000) ms")
        print("\(summary.operatorCount) schedules needed an operator, because a disk was lost")
        print("\(summary.scheduleCount - summary.failures.count) passed, \(summary.failures.count) failed")
        return summary.failures.isEmpty
    }

    private static func replay(seed: UInt64, mutation: Mutation?, scenario: Scenario) -> Bool {
        var world = TakeOverWorld(seed: seed, mutation: mutation, scenario: scenario, isTraced: true)
        let outcome = world.run()
        for line in world.trace ?? [] { print(line) }
        print(outcome.violation ?? "everything held")
        print(outcome.violation == nil ? "1 passed, 0 failed" : "0 passed, 1 failed")
        return outcome.violation == nil
    }

    private static func findMutations(firstSeed: UInt64) -> Bool {
        var foundCount = 0
        for mutation in Mutation.allCases {
            let search = TakeOverSearch(
                firstSeed: firstSeed,
                count: Self.mutationBound,
                mutation: mutation,
                scenario: mutation.scenario,
                stopsAtFailure: true
            )
            if let first = search.run().failures.first {
                foundCount += 1
                print("\(mutation.rawValue): found by seed \(first.seed), \(first.violation)")
            } else {
                print("\(mutation.rawValue): not found in \(Self.mutationBound) schedules")
            }
        }
        print("\(foundCount) passed, \(Mutation.allCases.count - foundCount) failed")
        return foundCount == Mutation.allCases.count
    }

    private static func number(_ arguments: [String], _ index: Int) -> UInt64? {
        index < arguments.count ? UInt64(arguments[index]) : nil
    }

    private static func word<Word: RawRepresentable<String>>(_ arguments: [String], _ index: Int) -> Word? {
        index < arguments.count ? Word(rawValue: arguments[index]) : nil
    }
}
