import Foundation
import Testing

extension Load {
    /// How long all open jobs may take to be done once the producers have stopped.
    static let drainTime = Duration.seconds(180)
    /// How long to wait between two looks at what lies among the retries.
    private static let look = Duration.milliseconds(250)

    /// Lets the producers end, works everything off, and holds the ledger against the server.
    func drainAndCheck(_ server: MillraceProcesses, rounds: Int, _ name: String) throws {
        self.stopProducing()
        let administrator = try server.connect()
        let deadline = ContinuousClock.now + Self.drainTime
        var figures = try administrator.info()
        while ContinuousClock.now < deadline {
            _ = try administrator.ask(#"MUTATE {"cmd":"requeue","target":"retries"}"#)
            let isDone = self.ledger.wait(within: Self.look) { $0.openCount == 0 }
            figures = try administrator.info()
            if isDone, figures.liveCount == 0 { break }
        }
        self.stop()
        figures = try administrator.info()

        let ledger = self.ledger.value
        let acknowledged = ledger.acknowledgedCount
        print(
            "\(name): rounds \(rounds), acknowledged \(acknowledged), lost \(ledger.lost.count),",
            "duplicated \(ledger.duplicateCount), stuck \(ledger.stuck.count), resent \(ledger.resentCount),",
            "given out after they were done \(ledger.repeats.count)"
        )
        #expect(acknowledged > 0)
        #expect(ledger.violations.isEmpty, "\(ledger.violations.prefix(5))")
        #expect(ledger.repeats.isEmpty, "\(ledger.histories(of: Array(ledger.repeats.prefix(5))))")
        #expect(ledger.lost.isEmpty, "\(ledger.histories(of: Array(ledger.lost.prefix(5))))")
        #expect(ledger.stuck.isEmpty, "\(ledger.histories(of: Array(ledger.stuck.prefix(5))))")
        #expect(figures.liveCount == 0, "\(figures.faktory)")
        #expect(figures.faktory.sets["dead"] == 0)
        // A PUSH that was sent again may have found its job done already, and been a new one.
        let succeeded = figures.faktory.total_processed - figures.faktory.total_failures
        #expect(
            (acknowledged...acknowledged + ledger.resentCount).contains(succeeded),
            "\(figures.faktory)"
        )
    }
}
