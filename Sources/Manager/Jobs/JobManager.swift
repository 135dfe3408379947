import ClusterLink
import HeapModule
public import JobCore
package import JobStorage
package import Logging

/// The heart of Millrace: queues, reservations, retries, dead jobs and the middleware round them.
///
/// This is the counterpart of Faktory's `Manager`. It belongs to the leader's loop and is used on its thread alone.
/// Every operation changes what is in memory and adds to `transaction`; nothing is told to anyone before `commit()` has
/// written the transaction as one unit. When that fails the whole manager is thrown away, and the next one begins with what the
/// store has: there is no state that is only here.
public final class JobManager {
    /// How many jobs one slice of a long task handles, so that commands never wait long for it.
    public static let sliceBound = 500
    /// How many jobs FETCH drops in one turn at the most, since they are worth running no more.
    static let droppedBound = 2_000
    /// What part of the bytes that the store may take is let in before the store is asked again.
    static let storeShare: UInt64 = 64
    /// The payload of a job that is handed out stays in memory up to so many bytes; few are needed again.
    static let heldByteBound = 16 << 10
    /// How many bytes of payloads one turn reads, hands out or writes before it leaves the rest to the next.
    static let turnByteBound = 8 << 20
    /// How many bytes of payloads one read for queues, sets or reservations brings, one job beyond it excepted.
    static let readByteBudget = 4 << 20

    let store: any JobStore
    let settings: ManagerSettings
    let logger: Logger

    /// What the turn that is under way will write.
    var transaction: StorageTransaction
    private var position: Position
    var lastToken: UInt64
    /// The moment of the turn; everything in a turn happens at once.
    private(set) var now: Moment
    /// When this leadership began.
    let beganAt: Uptime

    var queues: [QueueName: JobQueue] = [:]
    let mirrorMemory: MirrorMemory
    var reservations: [JobID: Reservation] = [:]
    /// How many of them have their jobs in the store alone: those that an earlier leader gave, and large ones.
    var unreadReservationCount = 0
    /// Reservations of large jobs that the turn under way has made.
    var largeReservations: [Reservation] = []
    var busyCounts: [WorkerID: Int] = [:]
    var reservationClock: ReservationClock
    /// Jobs that lie in their queues again although their workers may have them.
    var returned: [JobID: ReturnedJob] = [:]
    var setCounts: [JobSet: Int]
    var counters: JobCounters
    var liveJobs = LiveJobIndex()
    /// The reading of the names of live jobs that is under way.
    var walk: LiveJobWalk?
    /// What the store said, in the turn that is under way, of jids that commands of it named.
    var askedStandings: [JobID: JobStanding] = [:]
    /// What the store said, in the turn that is under way, of records of the features' tables.
    var askedRecords: [Table: [[UInt8]: TableRecord?]] = [:]
    /// Whether a job of this leader has asked for such a record.
    var usesTables = false
    var workers: WorkerRegistry
    /// The jobs that were done lately.
    var outcomes: OutcomeLedger
    /// The jobs with which workers have vanished.
    var crashes: CrashLog
    var sessions: [SessionID: FrontSession] = [:]
    /// The fetches that wait, by their deadlines, and some that wait no more.
    var deadlines: Heap<FetchDeadline> = []
    /// At how many of them those that wait no more are looked for.
    var deadlineSweep = 4_096
    /// Places in the lines of queues that fetches take.
    var waitingPlaceCount = 0
    /// What was said to the log of messages that were not heard, and of sessions that began and ended.
    var refusals = SampledLines<String>()
    var beginnings = SampledLines<SessionID>()
    var ends = SampledLines<SessionID>()
    /// Before when no session of a key, or of those without one, can be ended to make room; one that has ended makes some.
    var sessionRoomAt: [String?: Uptime] = [:]
    var tasks = TaskBoard()
    /// Who has come too late for the MUTATEs that are under way, or that an earlier leader has begun.
    var latecomers: [ProgressKey: Latecomers] = [:]
    /// Bytes of the PUSHBs that were carried out at once in the turn that is under way.
    var promptByteCount = 0
    /// The task of which the turn that is under way carries out a slice.
    var sliceUnderWay: SliceUnderWay?

    /// Queues whose head must be read before a fetch that waits for them can be served.
    var coldQueues = ColdQueues()
    /// Whether the fetch that is being served has met a queue that must be read first.
    var isHeldUp = false
    /// Counts the turns of this leader.
    private(set) var turnNumber: UInt64 = 1
    /// Bytes of payloads that the turn under way has read, handed out or written.
    var turnByteCount = 0
    /// Whether a slice has left something because of its bytes.
    var isSliceCut = false
    /// What kept the turn that is under way from reading what it needed.
    var readFailure: StorageError?
    /// What a fetcher took in the call that is under way.
    var taken: [SimpleLease] = []
    /// Queues of the jobs whose leases were released in the turn that is under way.
    var releasedQueues: Set<QueueName> = []
    /// Queues that were changed in the turn that is under way.
    var touchedQueues: [JobQueue] = []
    /// Lanes whose record goes with the turn's transaction.
    var touchedLanes: [LaneKey: Lane] = [:]
    /// What is to be sent once the turn is committed.
    var outbox = Outbox()

    /// Is told of each change of a job's place, in the turn in which it happens.
    package var observer: ((Transition) -> Void)?

    var chains: [MiddlewareKind: MiddlewareChain] = [:]
    var fetcher: any Fetcher = BasicFetch()
    /// Spreads retries; seeded anew for each leadership.
    var generator: SeededGenerator
    /// Bytes that the store took when it was last asked.
    var storeByteCount: UInt64 = 0
    /// Bytes of jobs that were let in since then; as good as endless before the store was asked for the first time.
    var unseenByteCount = UInt64.max

    /// Begins a leadership with what the store has.
    ///
    /// The transaction that follows carries the new epoch; commit it before anything is served.
    package init(
        state: StoredState,
        epoch: Epoch,
        store: any JobStore,
        settings: ManagerSettings,
        seed: UInt64,
        at now: Moment,
        logger: Logger
    ) {
        self.store = store
        self.settings = settings
        self.logger = logger
        self.position = Position(epoch: epoch, sequence: state.position.sequence)
        self.lastToken = state.lastToken
        self.now = now
        self.beganAt = now.uptime
        self.transaction = StorageTransaction(
            position: self.position,
            lastToken: state.lastToken,
            day: now.wall.dayText
        )
        self.mirrorMemory = MirrorMemory(byteBound: settings.mirrorByteBound)
        self.setCounts = state.setCounts
        self.counters = state.counters
        self.workers = WorkerRegistry(
            silence: settings.workerTimeout,
            releaseAfter: settings.releaseAfter,
            states: state.workerStates,
            beating: state.beatingWorkers
        )
        self.outcomes = OutcomeLedger(memory: settings.outcomeMemory)
        self.crashes = CrashLog(state.crashes)
        self.reservationClock = ReservationClock(at: now)
        self.generator = SeededGenerator(seed: seed)
        self.restore(state)
    }

    /// The leadership that this manager writes under.
    package var epoch: Epoch { self.position.epoch }

    // MARK: Turns

    /// Reads which jobs were done lately, as far as that must be known before the first command.
    package func loadOutcomes(of state: StoredState) throws(StorageError) {
        try self.outcomes.load(state.outcomeByteCounts, from: self.store)
    }

    /// Whether more of that is to be read between the turns.
    package var wantsOutcomes: Bool { self.outcomes.isIncomplete }

    /// Reads some of it.
    package func readOutcomes() throws(StorageError) {
        try self.outcomes.readOn(from: self.store)
    }

    /// Begins a turn at this moment.
    package func beginTurn(at now: Moment) {
        self.now = now
        self.sliceUnderWay = nil
        self.promptByteCount = 0
    }

    /// Writes what the turn has changed, as one unit, and lets go of what waits for that.
    ///
    /// - Parameter always: writes even when nothing has changed, as a new leader does to mark its epoch.
    package func commit(always: Bool = false) throws(StorageError) {
        // What was decided without what it had to know is not kept.
        if let readFailure = self.readFailure { throw readFailure }
        if !self.releasedQueues.isEmpty { self.serveReleased() }
        if let change = self.outcomes.takeChange() { self.transaction.outcomes = change }
        if !self.transaction.isEmpty || always {
            for (key, lane) in self.touchedLanes { self.transaction.lanes[key] = lane.makeRecord() }
            self.position.sequence += 1
            self.transaction.position = self.position
            self.transaction.lastToken = self.lastToken
            self.transaction.day = self.now.wall.dayText
            // What may yet be lost is not answered: as with a lost answer, a new load tells whether it has happened.
            guard try self.store.commit(self.transaction) == .confirmed else {
                throw .disconnected(reason: "too few replicas confirmed the transaction in time")
            }
            self.transaction.reset()
        }
        self.touchedLanes.removeAll(keepingCapacity: true)
        for queue in self.touchedQueues { queue.endTurn() }
        self.touchedQueues.removeAll(keepingCapacity: true)
        self.turnNumber += 1
        if !self.largeReservations.isEmpty { self.letGoOfLargeJobs() }
        self.makeRoomForMirrors()
        if !self.askedStandings.isEmpty { self.askedStandings.removeAll() }
        if !self.askedRecords.isEmpty { self.askedRecords.removeAll() }
        self.turnByteCount = 0
    }

    /// Whether the turn that is under way has moved as many bytes as one should.
    package var isTurnFull: Bool { self.turnByteCount >= Self.turnByteBound }

    // MARK: The Manager API

    /// Jobs that are being worked on.
    public func workingCount() -> Int {
        self.reservations.count
    }

    /// Jobs that this worker process is working on.
    public func busyCount(of worker: WorkerID) -> Int {
        self.busyCounts[worker] ?? 0
    }

    /// Adds a link inside the links that are there for this kind of command.
    public func addMiddleware(_ kind: MiddlewareKind, _ link: @escaping MiddlewareFunction) {
        self.chains[kind, default: MiddlewareChain()].add(link)
    }

    /// Puts a fetcher of one's own in the place of `BasicFetch`.
    public func setFetcher(_ fetcher: any Fetcher) {
        self.fetcher = fetcher
    }

    /// A scratch store for middleware.
    public var keyValues: KeyValueStore { KeyValueStore(manager: self) }

    /// Redis commands that join the command's atomic unit.
    public var redis: RedisEffects { RedisEffects(manager: self) }

    /// The moment at which everything in this turn happens.
    public var currentTime: WallTime { self.now.wall }
}
