import Election
import JobCore

/// What must hold whatever happens, checked at each step.
struct TakeOverChecker {
    private struct Acknowledged {
        let write: Int
        let length: Int
    }

    private let majority: Int
    private var acknowledged: [Acknowledged] = []
    /// The write that was acknowledged at each length of the log.
    private var writeAtLength: [Int: Int] = [:]
    /// The members on whose disk or memory each write has been.
    private var holders: [MemberSet] = []
    private var latestEpoch: UInt64 = 0
    /// The data with which the leader of the latest epoch began to serve.
    private var latestLog: [LogEntry] = []
    /// The moments at which each later epoch acknowledged first.
    private var firstAcknowledgements: [(epoch: UInt64, at: Int64)] = []
    /// The first thing that did not hold.
    private(set) var violation: String?

    private(set) var acknowledgedCount = 0
    private(set) var leadershipCount = 0

    init(majority: Int) {
        self.majority = majority
    }

    /// A number for the next write.
    mutating func newWrite() -> Int {
        self.holders.append(MemberSet())
        return self.holders.count - 1
    }

    mutating func note(_ entry: LogEntry, heldBy member: Int) {
        guard let write = entry.write else { return }
        self.holders[write].insert(MemberID(UInt8(member)))
    }

    mutating func fail(_ violation: String) {
        if self.violation == nil { self.violation = violation }
    }

    /// A leader begins to serve with this data.
    mutating func noteServing(epoch: UInt64, with log: [LogEntry]) {
        self.leadershipCount += 1
        guard epoch > self.latestEpoch else { return }
        self.latestEpoch = epoch
        self.latestLog = log
        for acknowledged in self.acknowledged where !Self.holds(log, acknowledged) {
            return self.fail("epoch \(epoch) began to serve without the acknowledged write \(acknowledged.write)")
        }
    }

    mutating func acknowledge(_ write: Int, length: Int, epoch: UInt64, executedAt: Int64, at now: Int64) {
        let acknowledged = Acknowledged(write: write, length: length)
        if let other = self.writeAtLength.updateValue(write, forKey: length), other != write {
            self.fail("writes \(other) and \(write) were both acknowledged as number \(length)")
        }
        if self.holders[write].count < self.majority {
            self.fail("write \(write) was acknowledged, and only \(self.holders[write].count) members had it")
        }
        if epoch < self.latestEpoch, !Self.holds(self.latestLog, acknowledged) {
            self.fail("epoch \(epoch) acknowledged write \(write), which epoch \(self.latestEpoch) serves without")
        }
        for first in self.firstAcknowledgements where first.epoch > epoch && first.at < executedAt {
            self.fail("epoch \(epoch) acknowledged write \(write), executed after epoch \(first.epoch) acknowledged")
        }
        if self.firstAcknowledgements.last.map({ $0.epoch < epoch }) ?? true {
            self.firstAcknowledgements.append((epoch, now))
        }
        self.acknowledged.append(acknowledged)
        self.acknowledgedCount += 1
    }

    /// An operator accepted that what was acknowledged so far may be missing.
    mutating func acceptLoss() {
        self.acknowledged = []
        self.writeAtLength = [:]
    }

    private static func holds(_ log: [LogEntry], _ acknowledged: Acknowledged) -> Bool {
        acknowledged.length <= log.count && log[acknowledged.length - 1].write == acknowledged.write
    }
}
