import Election
import JobCore

/// One transaction in a data set.
struct LogEntry: Equatable {
    /// The leadership that wrote it.
    let epoch: UInt64
    /// The number of the write; nil for a leader's marker.
    let write: Int?
}

/// A Redis as far as replication, persistence and `WAIT` go.
struct SimulatedRedis {
    enum Role: Equatable {
        case void
        case replica(of: Int)
        case primary
    }

    /// A `WAIT` that has not been answered.
    struct Wait {
        enum Purpose {
            case write(Int, WriteTicket, executedAt: Int64)
            case marker(Epoch)
        }

        let number: Int
        let purpose: Purpose
        let length: Int
        let replicaCount: Int
    }

    var isUp = false
    var role = Role.void
    /// How often it was started; answers of an earlier run are void.
    var run = 0
    /// The data in memory.
    var log: [LogEntry]
    /// How many transactions of the log are on disk.
    var syncedCount: Int
    /// What is on disk as long as that is an older data set: between a full synchronization and the rewrite of the AOF.
    var olderLog: [LogEntry]?
    /// Whether the file of a whole data set that a primary sent is on disk.
    var hasTransferFile = false
    var isLoading = false
    /// How often a rewrite of the AOF was begun or given up for a newer data set.
    var rewriteCount = 0
    /// Whether it can go on where a stream ended; a restart forgets how.
    var canResume = false
    /// Connections made before this one were dropped.
    var connection = 0
    /// The run in which its agent detached it for a vote, until it is told something else.
    var detachedRun = -1
    /// The run and the connection in which it was promoted last; the leader's loop uses no other one.
    var promotedRun = -1
    var promotedConnection = -1
    /// When the last command arrives that was sent to it; commands do not overtake each other.
    var lastCommandAt: Int64 = 0

    /// The link to its primary; a number of its own for each try.
    var link = 0
    var isLinkUp = false
    /// What comes over the link before the stream does.
    var incoming: [LogEntry] = []

    /// The link of each member that follows, 0 for none.
    var replicaLinks: [Int]
    /// How many transactions each of these confirmed.
    var confirmedCounts: [Int]
    var waits: [Wait] = []

    init(memberCount: Int, log: [LogEntry]) {
        self.log = log
        self.syncedCount = log.count
        self.replicaLinks = Array(repeating: 0, count: memberCount)
        self.confirmedCounts = Array(repeating: 0, count: memberCount)
    }

    var position: Position {
        Position(epoch: Epoch(self.log.last?.epoch ?? 0), sequence: UInt64(self.log.count))
    }

    /// The members that follow and have confirmed so many transactions.
    func replicas(holding length: Int) -> MemberSet {
        var replicas = MemberSet()
        for index in self.replicaLinks.indices
        where self.replicaLinks[index] != 0 && self.confirmedCounts[index] >= length {
            replicas.insert(MemberID(UInt8(index)))
        }
        return replicas
    }

    var report: RedisReport {
        let isReplica = if case .replica = self.role { true } else { false }
        return RedisReport(
            position: self.position,
            isLinkUp: isReplica && self.isLinkUp,
            isSynchronizing: self.isLoading || isReplica && !self.isLinkUp,
            isRewriting: self.olderLog != nil,
            hasTransferFile: self.hasTransferFile,
            replicas: self.role == .primary ? self.replicas(holding: self.log.count) : MemberSet()
        )
    }

    /// Drops every connection: those of clients, and those of replicas.
    mutating func dropConnections() {
        self.connection += 1
        self.waits = []
        for index in self.replicaLinks.indices { self.replicaLinks[index] = 0 }
    }

    /// Stops; what is kept is decided when it starts.
    mutating func stop() {
        self.dropConnections()
        self.isUp = false
        self.run += 1
        self.link = 0
        self.isLinkUp = false
        self.isLoading = false
        self.incoming = []
    }

    /// Loads what is on disk, and follows nobody.
    mutating func start() {
        if let olderLog { self.log = olderLog }
        self.olderLog = nil
        self.syncedCount = self.log.count
        self.isUp = true
        self.role = .void
        self.canResume = false
    }
}
