import MillraceServer
import Testing

@Suite("The ledger of a run")
struct BenchLedgerTests {
    /// Pushes `jobCount` jobs, and has each in `fetches` fetched, and acknowledged when it is the first time.
    private static func ledger(jobCount: Int, fetches: [Int?]) -> BenchLedger {
        var ledger = BenchLedger(jobCount: jobCount)
        let jobs = ledger.issue(upTo: jobCount)
        ledger.send(jobs, dueAt: 1)
        ledger.confirmPush(of: jobs)
        for job in fetches {
            if case .first = ledger.fetch(job) { ledger.acknowledge() }
        }
        return ledger
    }

    struct Planted: Sendable {
        let fetches: [Int?]
        var lost = 0
        var duplicated = 0
        var unknown = 0
    }

    @Test(
        "losses, duplicates and strangers are each counted, and any of them makes a run unsound",
        arguments: [
            Planted(fetches: [0, 1, 2]),
            Planted(fetches: [2, 0, 1]),
            Planted(fetches: [], lost: 3),
            Planted(fetches: [0, 2], lost: 1),
            Planted(fetches: [0, 1, 1, 2], duplicated: 1),
            Planted(fetches: [0, 0, 0, 1], lost: 1, duplicated: 2),
            Planted(fetches: [0, 1, 2, nil], unknown: 1),
            Planted(fetches: [0, 1, 2, 3, -1], unknown: 2),
        ]
    )
    func planted(_ planted: Planted) {
        let ledger = Self.ledger(jobCount: 3, fetches: planted.fetches)
        #expect(ledger.lostCount == planted.lost)
        #expect(ledger.duplicateCount == planted.duplicated)
        #expect(ledger.unknownCount == planted.unknown)
        #expect(ledger.isSound == (planted.lost + planted.duplicated + planted.unknown == 0))
    }

    @Test("jobs are given out once, in order, and never more than there are")
    func issue() {
        var ledger = BenchLedger(jobCount: 5)
        #expect(ledger.issue(upTo: 2) == 0..<2)
        #expect(ledger.issue(upTo: 2) == 2..<4)
        #expect(ledger.issue(upTo: 2) == 4..<5)
        #expect(ledger.issue(upTo: 2).isEmpty)
    }

    @Test("a job that was not given out yet is unknown")
    func early() {
        var ledger = BenchLedger(jobCount: 2)
        _ = ledger.issue(upTo: 1)
        #expect(ledger.fetch(1) == .unknown)
        #expect(ledger.unknownCount == 1)
    }

    @Test("a job fetched before its push is confirmed is neither lost nor unknown, and keeps the time it was due")
    func fetchedFirst() {
        var ledger = BenchLedger(jobCount: 1)
        let jobs = ledger.issue(upTo: 1)
        ledger.send(jobs, dueAt: 7)
        #expect(ledger.fetch(0) == .first(dueAt: 7))
        ledger.acknowledge()
        #expect(!ledger.isComplete)
        ledger.confirmPush(of: jobs)
        #expect(ledger.isSound)
    }

    @Test("a job whose push was never confirmed is not lost, but the run is not sound")
    func unconfirmed() {
        var ledger = BenchLedger(jobCount: 1)
        ledger.send(ledger.issue(upTo: 1), dueAt: 0)
        #expect(ledger.lostCount == 0)
        #expect(!ledger.isSound)
    }

    @Test("a push confirmed twice counts once")
    func confirmedTwice() {
        var ledger = BenchLedger(jobCount: 1)
        let jobs = ledger.issue(upTo: 1)
        ledger.confirmPush(of: jobs)
        ledger.confirmPush(of: jobs)
        #expect(ledger.pushedCount == 1)
    }

    @Test("where nobody fetches, a run is sound as soon as every job is pushed")
    func pushedOnly() {
        var ledger = BenchLedger(jobCount: 2, hasWorkers: false)
        let jobs = ledger.issue(upTo: 2)
        ledger.confirmPush(of: 0..<1)
        #expect(ledger.doneCount == 1)
        #expect(!ledger.isComplete)
        ledger.confirmPush(of: jobs)
        #expect(ledger.isSound)
        #expect(ledger.lostCount == 0)
    }

    @Test("a job without an acknowledgement makes a run unsound")
    func unacknowledged() {
        var ledger = BenchLedger(jobCount: 1)
        ledger.confirmPush(of: ledger.issue(upTo: 1))
        _ = ledger.fetch(0)
        #expect(ledger.lostCount == 0)
        #expect(!ledger.isSound)
    }
}
