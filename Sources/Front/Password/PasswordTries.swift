import DequeModule
package import JobCore

/// Whose password is looked at next, and what a wrong one costs.
///
/// The right password always lets in, whatever others of the same address have sent: what slows guessing is that each
/// wrong one costs its own connection time, and that an address which was wrong lately has one password looked at after
/// the other, with a pause between them. Addresses take turns, so that one with many tries holds up none of the others.
///
/// It knows no clock and no connection: tries are numbers, and addresses texts.
package struct PasswordTries: Sendable {
    package struct Limits: Sendable {
        /// How many passwords are looked at at the same time.
        package var width = 2
        /// After how many wrong ones an address waits for the longest time; 0 answers all of them at once.
        package var attempts = 10
        /// How long the first wrong one waits for its answer.
        package var shortestDelay: Duration = .seconds(1)
        /// How long one waits at the most.
        package var longestDelay: Duration = .seconds(2)
        /// How long it takes until one wrong password is forgiven.
        package var recovery: Duration = .seconds(6)
        /// The pause after a wrong one before the next of its address is looked at.
        package var pause: Duration = .milliseconds(10)
        /// How many answers of one address wait at the same time; one more is given at once.
        package var delayedPerAddress = 16
        /// How many answers wait at the same time.
        package var delayedCount = 128
        /// How many addresses that were wrong are remembered.
        package var addressCount = 1_024

        package init() {}
    }

    /// What is to be done now.
    package enum Next: Equatable, Sendable {
        /// Look at the password of this try, and tell ``finish(from:isRight:at:)``.
        case look(UInt64)
        /// Nothing until then, unless a try comes or ends.
        case wait(until: Uptime)
        /// Nothing until a try comes or ends.
        case rest
    }

    /// What becomes of a try.
    package enum Outcome: Equatable, Sendable {
        case right
        /// - Parameters:
        ///   - delay: how long the answer waits.
        ///   - told: for how many wrong ones a line goes to the log, if one does.
        case wrong(delay: Duration, told: Int?)
    }

    private struct Line {
        var waiting: Deque<UInt64> = []
        var runningCount = 0
    }

    private struct Record {
        /// When the last wrong password is forgiven.
        var forgivenAt: Uptime
        /// Before when none is looked at.
        var nextAt: Uptime
    }

    package let limits: Limits
    private var lines: [String: Line] = [:]
    /// The addresses with tries that wait, the next first.
    private var turns: Deque<String> = []
    private var runningCount = 0
    private var records: [String: Record] = [:]
    private var delayed: [(address: String, until: Uptime)] = []
    private var log = SampledLines<String>()

    package init(limits: Limits = Limits()) {
        precondition(limits.width > 0 && limits.addressCount > 0, "\(limits)")
        self.limits = limits
    }

    /// A try has come.
    package mutating func begin(_ number: UInt64, from address: String) {
        if self.lines[address, default: Line()].waiting.isEmpty { self.turns.append(address) }
        self.lines[address, default: Line()].waiting.append(number)
    }

    /// What to do at this moment; to be asked until it is not ``Next/look(_:)``.
    package mutating func next(at now: Uptime) -> Next {
        guard self.runningCount < self.limits.width else { return .rest }
        var wake: Uptime?
        for _ in 0..<self.turns.count {
            guard let address = self.turns.popFirst() else { break }
            let record = self.records[address].flatMap { $0.forgivenAt > now ? $0 : nil }
            if let record, record.nextAt > now {
                wake = min(wake ?? record.nextAt, record.nextAt)
            } else if record == nil || self.lines[address]?.runningCount == 0,
                let number = self.lines[address]?.waiting.popFirst()
            {
                self.lines[address]?.runningCount += 1
                self.runningCount += 1
                if self.lines[address]?.waiting.isEmpty == false { self.turns.append(address) }
                return .look(number)
            }
            self.turns.append(address)
        }
        return wake.map { .wait(until: $0) } ?? .rest
    }

    /// A try that was to be looked at is over: its client has gone.
    package mutating func drop(from address: String) {
        self.runningCount -= 1
        self.lines[address]?.runningCount -= 1
        if let line = self.lines[address], line.runningCount == 0, line.waiting.isEmpty { self.lines[address] = nil }
    }

    /// The password of a try was looked at.
    package mutating func finish(from address: String, isRight: Bool, at now: Uptime) -> Outcome {
        self.drop(from: address)
        guard !isRight else { return .right }
        let wrongCount = self.noteWrong(address, at: now)
        return .wrong(
            delay: self.delay(of: address, afterWrong: wrongCount, at: now),
            told: self.log.note(address, at: now)
        )
    }

    /// Notes a wrong one, and says how many of the address are not forgiven.
    private mutating func noteWrong(_ address: String, at now: Uptime) -> Int {
        if self.records[address] == nil, self.records.count >= self.limits.addressCount { self.forget(at: now) }
        // What is long past the last delay changes nothing, so that everything is forgiven in the end.
        let longest = now + self.limits.recovery * (self.limits.attempts + 1)
        let start = max(self.records[address]?.forgivenAt ?? now, now)
        let forgivenAt = min(start + self.limits.recovery, longest)
        self.records[address] = Record(forgivenAt: forgivenAt, nextAt: now + self.limits.pause)
        return Int((now.duration(to: forgivenAt) / self.limits.recovery).rounded(.up))
    }

    private mutating func delay(of address: String, afterWrong count: Int, at now: Uptime) -> Duration {
        guard self.limits.attempts > 0 else { return .zero }
        self.delayed.removeAll { $0.until <= now }
        let isCrowded =
            self.delayed.count >= self.limits.delayedCount
            || self.delayed.count { $0.address == address } >= self.limits.delayedPerAddress
        guard !isCrowded else { return .zero }
        let growth = Double(min(count - 1, self.limits.attempts)) / Double(self.limits.attempts)
        let delay = self.limits.shortestDelay + (self.limits.longestDelay - self.limits.shortestDelay) * growth
        self.delayed.append((address, now + delay))
        return delay
    }

    private mutating func forget(at now: Uptime) {
        self.records = self.records.filter { $0.value.forgivenAt > now }
        guard self.records.count >= self.limits.addressCount,
            let nearest = self.records.min(by: { $0.value.forgivenAt < $1.value.forgivenAt })
        else { return }
        self.records[nearest.key] = nil
    }
}
