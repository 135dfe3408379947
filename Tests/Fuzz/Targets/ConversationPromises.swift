import ClusterLink
import Election
import JobCore
import JobStorage
import Logging
import Manager

/// Whatever fronts, schedulers and strangers say to a leader, one message after the other, it goes on, answers each batch as
/// a whole and only to whoever sent it, keeps its bounds, and what it has written is what the next leader finds.
///
/// The input is a sequence of pieces: a byte that says who speaks and whether another leader has begun before, two bytes
/// with the length of the message, and its bytes.
enum ConversationPromises {
    /// The most lines that one conversation may write to the log.
    ///
    /// Each subject has one a minute. No conversation takes so long, but sessions that begin and end have lines of their own.
    private static let lineBound = 400

    static func check(_ input: [UInt8]) throws(BrokenPromise) {
        let data = InMemoryJobData()
        var workingCount = 0
        for part in self.parts(of: input) {
            let link = SpokenLink(part)
            let log = CountingLog()
            let before = workingCount
            var counts: (begin: Int, manager: JobManager)?
            let loop = LeaderLoop(
                link: link,
                store: InMemoryJobStore(over: data),
                election: SoleElection(),
                settings: ManagerSettings(),
                extend: { counts = ($0.workingCount(), $0) },
                clocks: Clocks(wall: { link.wall }, uptime: { link.uptime }),
                stop: link.stop,
                logger: Logger(label: "fuzz") { _ in log }
            )
            do {
                try loop.run()
            } catch {
                throw BrokenPromise("a leader goes on: \(error)")
            }
            if let broken = link.broken { throw broken }
            guard let counts else { throw BrokenPromise("a leader begins") }
            try BrokenPromise.unless(counts.begin == before, "a leader finds \(counts.begin) of \(before) reservations")
            try BrokenPromise.unless(log.count <= Self.lineBound, "\(log.count) lines were written")
            workingCount = counts.manager.workingCount()
        }
    }

    /// The conversations with one leader after the other; the last one hears nothing, and only reads what there is.
    private static func parts(of input: [UInt8]) -> [[SpokenLink.Piece]] {
        var parts: [[SpokenLink.Piece]] = [[]]
        var rest = input[...]
        while let control = rest.popFirst(), let low = rest.popFirst(), let high = rest.popFirst() {
            let bytes = Array(rest.prefix(Int(low) | Int(high) << 8))
            rest = rest.dropFirst(bytes.count)
            if control & 0x80 != 0, parts.count < 4 { parts.append([]) }
            parts[parts.count - 1].append(
                SpokenLink.Piece(speaker: control & 0x03, seconds: control >> 2 & 0x1F, bytes)
            )
        }
        return parts + [[]]
    }
}

/// A link over which the pieces of an input are said, one in each turn; used on one thread.
///
/// Unchecked, because the loop wants to wake it from others, which nobody does here.
private final class SpokenLink: LeaderLink, LinkWaker, @unchecked Sendable {
    struct Piece {
        let peer: LinkPeer
        let seconds: UInt8
        let bytes: [UInt8]

        /// - Parameter speaker: a stranger without a key, two fronts, or a scheduler.
        init(speaker: UInt8, seconds: UInt8, _ bytes: [UInt8]) {
            let owner: LinkOwner? =
                switch speaker {
                case 0: nil
                case 3: LinkOwner(key: "scheduler", isFront: false, isScheduler: true)
                default: LinkOwner(key: "front \(speaker)", isFront: true, isScheduler: false)
                }
            self.peer = LinkPeer(identity: [speaker], owner: owner)
            self.seconds = seconds
            self.bytes = bytes
        }
    }

    let stop = StopSignal()
    private(set) var broken: BrokenPromise?
    private var seconds: Int64 = 0
    private var pieces: ArraySlice<Piece>
    /// Whether what waited before the leader began was thrown away.
    private var hasDiscarded = false
    /// Who has sent which batches, and how many commands were in each.
    private var batches: [LaneKey: [UInt64: (peers: Set<LinkPeer>, counts: Set<Int>)]] = [:]

    init(_ pieces: [Piece]) {
        self.pieces = pieces[...]
    }

    var waker: any LinkWaker { self }

    func wake() {}

    var wall: WallTime { WallTime(nanosecondsSinceEpoch: (1_700_000_000 + self.seconds) * 1_000_000_000) }
    var uptime: Uptime { Uptime(nanoseconds: (1_000 + self.seconds) * 1_000_000_000) }

    func receive(
        waitingAtMost wait: Duration,
        bound: Int,
        _ body: (LinkPeer, UnsafeRawBufferPointer) -> Void
    ) throws(LinkError) {
        guard self.hasDiscarded else {
            self.hasDiscarded = true
            return
        }
        guard let piece = self.pieces.popFirst() else { return self.stop.request() }
        self.seconds += Int64(piece.seconds)
        piece.bytes.withUnsafeBytes { bytes in
            if case .batch(let batch) = try? MessageToLeader(decoding: bytes) {
                var known = self.batches[batch.lane]?[batch.number] ?? (peers: [], counts: [])
                known.peers.insert(piece.peer)
                known.counts.insert(batch.commands.count)
                self.batches[batch.lane, default: [:]][batch.number] = known
            }
            body(piece.peer, bytes)
        }
    }

    func send(_ message: [UInt8], to peer: LinkPeer) throws(LinkError) {
        guard self.broken == nil else { return }
        guard let decoded = message.withUnsafeBytes({ try? MessageFromLeader(decoding: $0) }) else {
            self.broken = BrokenPromise("an answer is read")
            return
        }
        guard case .replies(let lane, let number, let replies) = decoded else { return }
        let batch = self.batches[lane]?[number]
        if batch?.peers.contains(peer) != true {
            self.broken = BrokenPromise("a batch is answered to whoever sent it")
        } else if batch?.counts.contains(replies.count) != true {
            self.broken = BrokenPromise("each command of a batch is answered")
        }
    }
}

/// A log that counts its lines.
///
/// Unchecked, because everything happens on one thread.
private final class CountingLog: LogHandler, @unchecked Sendable {
    private(set) var count = 0
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        self.count += 1
    }
}
