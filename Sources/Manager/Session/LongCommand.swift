import ClusterLink
import JobCore
import JobStorage

/// A command that takes many turns, as its lane remembers it until the front has its answer.
///
/// Each transaction of such a command carries how far it has come, and the last one its answer. The front sends the
/// command again when the leader has changed: one that is finished is only answered again, and one that was under way
/// goes on where it was, so that jobs which came later are left alone.
struct LongCommand: Equatable {
    /// How many finished commands of a lane are remembered whose front has not said that it has the answer.
    ///
    /// A front says so at once. One of an earlier version never does.
    static let finishedBound = 1_000
    /// How many bytes the answers of those may take.
    static let finishedByteBound = 32 << 20
    /// The version of the record that this program writes.
    private static let recordVersion: UInt8 = 2

    /// The last token that had been given when the command began: what entered a queue later is not meant.
    var boundary: UInt64 = 0
    /// How many of its elements are done, counted from the first.
    var doneCount = 0
    /// The queue that QUEUE REMOVE has emptied last.
    var lastQueue = ""
    /// What a PUSHB has refused so far: the members of its answer, with commas between them.
    private(set) var refused: [UInt8] = []
    /// The set from which a MUTATE takes whatever matches, once it has begun.
    var set: JobSet?
    /// How many records there are beside the first one: what a PUSHB has refused, or who came too late for a MUTATE.
    private(set) var partCount: UInt32 = 0
    /// What it was answered with; nil while it is under way.
    private(set) var outcome: LinkReply?

    /// Whether this leader carries it out.
    var isOnBoard = false
    /// Whether nobody waits for its answer.
    var isAbandoned = false

    init() {}

    /// About how many bytes its answer takes.
    var outcomeByteCount: Int {
        switch self.outcome {
        case .bulk(let bytes), .job(_, let bytes): bytes.count
        case .error(let text): text.utf8.count
        case nil, .nothing, .ok, .null, .parked, .deferred: 0
        }
    }

    mutating func finish(with reply: LinkReply) {
        self.outcome = reply
        self.isOnBoard = false
        self.refused = []
    }

    /// Takes note of members that are refused; the number of the record that holds them.
    mutating func refuse(_ members: [UInt8]) -> UInt32 {
        self.append(members)
        return self.addPart()
    }

    /// One more record is needed; its number.
    mutating func addPart() -> UInt32 {
        self.partCount += 1
        return self.partCount
    }

    private mutating func append(_ members: [UInt8]) {
        if !self.refused.isEmpty { self.refused.append(UInt8(ascii: ",")) }
        self.refused += members
    }
}

// MARK: - The record

extension LongCommand {
    /// What is stored of it under part 0.
    var record: [UInt8] {
        var writer = LinkWriter(reserving: 64)
        writer.write(Self.recordVersion)
        writer.write(self.boundary)
        writer.write(UInt64(self.doneCount))
        writer.write(self.lastQueue)
        writer.write(self.set?.rawValue ?? "")
        writer.write(self.partCount)
        writer.write(UInt8(self.outcome == nil ? 0 : 1))
        self.outcome?.encode(into: &writer)
        return writer.bytes
    }

    /// Reads what `record` writes; nil when it is something else.
    init?(reading record: [UInt8]) {
        let read = record.withUnsafeBytes { bytes in
            var reader = LinkReader(bytes)
            return try? LongCommand(from: &reader)
        }
        guard let read else { return nil }
        self = read
    }

    private init(from reader: inout LinkReader) throws(LinkFormatError) {
        let version = try reader.readUInt8()
        guard version == Self.recordVersion else { throw .version(version) }
        self.boundary = try reader.readUInt64()
        self.doneCount = Int(clamping: try reader.readUInt64())
        self.lastQueue = try reader.readString()
        self.set = JobSet(rawValue: try reader.readString())
        self.partCount = try reader.readUInt32()
        if try reader.readUInt8() != 0 { self.outcome = try LinkReply(from: &reader) }
        try reader.finish()
    }

    /// Takes up what an earlier leader has stored under another part.
    mutating func restore(part members: [UInt8]) {
        self.append(members)
    }
}
