/// The identity of one run of a front: 128 random bits, chosen by the front when it starts.
package struct SessionID: Hashable, Sendable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// A new identity from the caller's generator.
    package init(using generator: inout some RandomNumberGenerator) {
        self.init(high: generator.next(), low: generator.next())
    }

    /// Thirty-two hexadecimal digits.
    package var description: String {
        Self.digits(of: self.high) + Self.digits(of: self.low)
    }

    /// The first eight digits, for people: whoever knows the whole of it can speak for its front.
    package var shortened: String { String(self.description.prefix(8)) }

    /// Reads what `description` writes.
    package init?(parsing text: String) {
        guard text.utf8.count == 32,
            let high = UInt64(text.prefix(16), radix: 16),
            let low = UInt64(text.suffix(16), radix: 16)
        else { return nil }
        self.init(high: high, low: low)
    }

    private static func digits(of number: UInt64) -> String {
        let text = String(number, radix: 16)
        return String(repeating: "0", count: 16 - text.utf8.count) + text
    }
}

/// One of a session's lanes; a lane has one batch of commands under way at a time.
package struct LaneKey: Hashable, Sendable {
    package let session: SessionID
    package let lane: UInt16

    package init(session: SessionID, lane: UInt16) {
        self.session = session
        self.lane = lane
    }
}

/// One record of what is remembered of a command that takes many turns.
package struct ProgressKey: Hashable, Sendable {
    package let lane: LaneKey
    /// The number of the command in its lane.
    package let request: UInt64
    /// A command may have several records, so that what it adds in one turn does not write all of it anew.
    package let part: UInt32

    package init(lane: LaneKey, request: UInt64, part: UInt32) {
        self.lane = lane
        self.request = request
        self.part = part
    }
}

/// What the data remembers of a lane, so that a batch sent twice is applied once.
package struct LaneRecord: Hashable, Sendable {
    /// The number of the last batch that had an effect.
    package var batch: UInt64
    /// The last number that was given to a job handed out on this lane.
    package var offered: UInt64
    /// Every job offered with a number up to this one has reached its client or was taken back.
    package var settled: UInt64
    /// The replies of that batch, encoded; jobs are named by their jid alone.
    package var replies: [UInt8]

    package init(batch: UInt64, offered: UInt64, settled: UInt64, replies: [UInt8]) {
        self.batch = batch
        self.offered = offered
        self.settled = settled
        self.replies = replies
    }
}
