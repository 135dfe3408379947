import ClusterLink
import JobCore

/// Commands that will leave, or have left, in one batch: encoded one behind the other.
struct CommandChunk {
    /// Whose a command is, and what becomes of its reply.
    enum Owner {
        /// A client waits for the reply.
        case client(ConnectionID)
        /// A FETCH, which the machine's table of fetches knows more about.
        case fetch
        /// The command takes back the request of its own number.
        case withdrawal
        /// A worker's connection came.
        case join
        /// The worker's connection that came with the request of this number has gone.
        case leave
    }

    struct Entry {
        let request: UInt64
        let owner: Owner
        let appendedAt: Uptime
        /// Where the command begins in the bytes.
        let start: Int
    }

    private(set) var entries: [Entry] = []
    private(set) var writer = LinkWriter(reserving: 0)
    /// Whether any command is not a client's own.
    private(set) var hasControl = false
    /// Whether a command asks for figures of which this front has some.
    private(set) var asksForFigures = false
    /// How many entries, counted from the first, have been looked at for being too old.
    var expiredCount = 0

    var byteCount: Int { self.writer.bytes.count }

    mutating func append(_ command: LinkCommand, owner: Owner, at now: Uptime) {
        self.note(command.request, owner, now)
        if case .info = command.body { self.asksForFigures = true }
        command.encode(into: &self.writer)
    }

    /// Appends a command that is encoded already.
    mutating func append(encoded: [UInt8], request: UInt64, owner: Owner, at now: Uptime) {
        self.note(request, owner, now)
        self.writer.writeEncoded(encoded)
    }

    /// Appends the commands of another chunk.
    mutating func append(contentsOf other: CommandChunk) {
        let offset = self.byteCount
        for entry in other.entries {
            self.entries.append(
                Entry(
                    request: entry.request,
                    owner: entry.owner,
                    appendedAt: entry.appendedAt,
                    start: offset + entry.start
                )
            )
        }
        self.writer.writeEncoded(other.writer.bytes)
        self.hasControl = self.hasControl || other.hasControl
        self.asksForFigures = self.asksForFigures || other.asksForFigures
    }

    /// The bytes of one command.
    func encoded(_ index: Int) -> [UInt8] {
        let end = index + 1 < self.entries.count ? self.entries[index + 1].start : self.byteCount
        return Array(self.writer.bytes[self.entries[index].start..<end])
    }

    /// The first byte of one command, which says what it is.
    func operation(_ index: Int) -> UInt8 {
        self.writer.bytes[self.entries[index].start]
    }

    private mutating func note(_ request: UInt64, _ owner: Owner, _ now: Uptime) {
        self.entries.append(Entry(request: request, owner: owner, appendedAt: now, start: self.byteCount))
        switch owner {
        case .client, .fetch: break
        case .withdrawal, .join, .leave: self.hasControl = true
        }
    }
}
