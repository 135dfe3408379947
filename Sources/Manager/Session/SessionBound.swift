import JobCore

/// What one leader keeps for those who may speak to it, at the most.
enum SessionBound {
    /// Sessions, over all fronts; a front has one for each address that it listens on, and one for its web port.
    static let sessionCount = 1_000
    /// Sessions that began with the same key.
    static let sessionsPerKey = 100
    /// How long a session must have been silent to make room for a new one.
    static let idleTime = Duration.seconds(5)
    /// Lanes of a session; a front has one for each event loop.
    static let laneCount = 64
    /// How far the first batch of a lane may be ahead of the lane's record, which tells only of batches with an effect.
    static let batchLead: UInt64 = 1 << 40
    /// Bytes of a front's name.
    static let nameByteCount = 512
    /// Fetches that wait, and the places in lines that they take together.
    static let waitingFetchCount = 262_144
    static let waitingPlaceCount = 4_000_000
    /// How long a fetch waits; no front may be configured to wait longer.
    static let fetchMilliseconds: UInt32 = 60_000
}

/// What the store keeps of a session beside its identity: its front's name, and the key that began it.
struct SessionLabel: Equatable {
    /// What no name has in it, since names are visible characters.
    private static let separator: Character = "\n"

    var name: String
    var key: String?

    init(name: String, key: String?) {
        self.name = name
        self.key = key
    }

    /// Reads what `text` writes; a text without a key is what was written for a front that had none.
    init(parsing text: String) {
        let parts = text.split(separator: Self.separator, maxSplits: 1, omittingEmptySubsequences: false)
        self.name = String(parts[0])
        self.key = parts.count > 1 ? String(parts[1]) : nil
    }

    var text: String {
        self.key.map { "\(self.name)\(Self.separator)\($0)" } ?? self.name
    }
}
