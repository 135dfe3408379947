import DequeModule

/// Which of the jobs that were offered to a lane have come to their end.
///
/// The leader numbers its offers from 1 in each lane. They end in any order, but are confirmed as one number: all
/// up to it have ended. Numbers may also be missing, when the message that carried them was lost.
struct OfferWindow {
    private enum State {
        /// Not seen, though a later one was.
        case missing
        /// On its way to a client, or to be taken back.
        case open
        /// Written to a client, or taken back.
        case closed
    }

    /// All offers up to this number have ended.
    private(set) var settled: UInt64 = 0
    /// How many numbers below the highest one have not been seen.
    private(set) var missingCount = 0
    /// The offers after `settled`, in their order; the first is not closed.
    private var states: Deque<State> = []
    private let maximumCount: Int

    init(maximumCount: Int) {
        self.maximumCount = maximumCount
    }

    /// The highest number that has been seen.
    var highest: UInt64 { self.settled + UInt64(self.states.count) }

    /// Whether every offer that is known of has ended.
    var isSettled: Bool { self.states.isEmpty }

    /// Notes that an offer has arrived; false when it had arrived before, or is too far ahead to be true.
    mutating func open(_ offer: UInt64) -> Bool {
        guard offer > self.settled, offer - self.settled <= UInt64(self.maximumCount) else { return false }
        let index = Int(offer - self.settled) - 1
        guard index >= self.states.count else {
            guard self.states[index] == .missing else { return false }
            self.states[index] = .open
            self.missingCount -= 1
            return true
        }
        while self.states.count < index {
            self.states.append(.missing)
            self.missingCount += 1
        }
        self.states.append(.open)
        return true
    }

    /// Notes that an open offer has ended.
    mutating func close(_ offer: UInt64) {
        guard offer > self.settled, offer <= self.highest else { return }
        let index = Int(offer - self.settled) - 1
        guard self.states[index] == .open else { return }
        self.states[index] = .closed
        self.advance()
    }

    /// Gives up the missing offers up to a number, because nobody waits for them any more.
    mutating func closeMissing(through offer: UInt64) {
        guard offer > self.settled else { return }
        for index in 0..<min(Int(offer - self.settled), self.states.count) where self.states[index] == .missing {
            self.states[index] = .closed
            self.missingCount -= 1
        }
        self.advance()
    }

    private mutating func advance() {
        while self.states.first == .closed {
            self.states.removeFirst()
            self.settled += 1
        }
    }
}
