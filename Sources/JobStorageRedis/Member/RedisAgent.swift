import Election
import JobCore
import JobStorage

/// The part of a member that commands its Redis, on one thread.
///
/// It notices at once when the process of Redis ends, by its connection. Before it says that Redis has started, nobody
/// else has a connection to it and it follows nobody, so that whatever an earlier process of this member had sent is void.
final class RedisAgent {
    /// How long it waits before it looks again for a Redis that is not there, or that reads its file.
    static let pause = Duration.milliseconds(50)
    /// How long one question for confirmations of the marker takes, before newer work is looked for.
    static let waitSlice = Duration.milliseconds(200)
    /// How long it waits for replicas that are connected to say that they have what the primary had.
    static let catchUpBound = Duration.milliseconds(500)
    /// How long a replica has to answer before they are asked again.
    static let catchUpSlice = Duration.milliseconds(5)
    /// A replica that was silent for longer does not count.
    static let longestSilence = Duration.seconds(2)

    private let redis: MemberRedis
    private let durability: MemberRedisServer.Durability
    private let record: PromiseFile
    private let files: TransferFiles
    private let others: [MemberID: RedisAddress]
    private let roster: ReplicaRoster
    /// How this Redis calls itself, for as long as this agent commands it.
    private let name = ReplicaName(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max))
    private let queue: AgentQueue<RedisMemberStore.Work>
    private let warn: (String) -> Void
    private let tell: (TakeOverEvent) -> Void
    private let fail: (any Error) -> Void

    /// The run of Redis that was said to have started; nil while there is none.
    private var startedRun: String?
    /// Whether this run of Redis was detached for a vote and has kept since what it had then.
    private var isDetached = false
    /// The epoch whose marker was written last on the connection that there is now.
    private var markedEpoch: Epoch?
    /// Whether something was sent whose outcome is unknown, and that might still take effect.
    private var hasLooseEnd = false
    private var lastWarning = ""

    init(
        redis: MemberRedis,
        durability: MemberRedisServer.Durability,
        directory: String,
        others: [MemberID: RedisAddress],
        roster: ReplicaRoster,
        queue: AgentQueue<RedisMemberStore.Work>,
        warn: @escaping (String) -> Void,
        tell: @escaping (TakeOverEvent) -> Void,
        fail: @escaping (any Error) -> Void
    ) {
        self.redis = redis
        self.durability = durability
        self.record = PromiseFile(directory: directory)
        self.files = TransferFiles(directory: directory)
        self.others = others
        self.roster = roster
        self.queue = queue
        self.warn = warn
        self.tell = tell
        self.fail = fail
    }

    /// Works until the queue has ended.
    func run() {
        while !self.queue.hasEnded {
            self.workOff()
            if let descriptor = self.redis.fileDescriptor {
                if case .descriptor = self.queue.wait(for: descriptor) { self.redis.disconnect() }
            } else {
                _ = self.queue.wait(upTo: Self.pause)
            }
        }
    }

    /// Does what there is to do.
    ///
    /// Before each piece of it the connection is that of the Redis that was said to have started: a command never goes to
    /// one that was started since, and that the machine knows nothing of.
    private func workOff() {
        while true {
            if self.redis.fileDescriptor == nil { self.connect() }
            guard let work = self.queue.take() else { return }
            self.carryOut(work)
        }
    }

    // MARK: Whether there is a Redis

    /// Connects, and finds out whether it is still the same Redis.
    private func connect() {
        self.markedEpoch = nil
        do {
            let run = try self.redis.runName()
            guard run != self.startedRun else { return }
            self.noteEnd()
            guard try self.settle() else { return self.redis.disconnect() }
            let isIntact = try self.isIntact()
            // What the settings say may be newer than this Redis.
            let isDurable = try self.redis.syncsEachWrite()
            self.startedRun = run
            self.lastWarning = ""
            if self.durability == .disk, !isDurable {
                self.warnOnce("Redis does not sync each write yet, as durability asks: start this host anew")
            }
            self.tell(.redis(.started(isIntact: isIntact, run: isDurable ? nil : RedisRun(run))))
        } catch {
            self.redis.disconnect()
            self.warnOnce("Redis cannot be commanded: \(error)")
            // One that is silent for so long is as good as gone; when it answers again, it is looked at like a new one.
            self.noteEnd()
        }
    }

    private func noteEnd() {
        guard self.startedRun != nil else { return }
        self.startedRun = nil
        self.isDetached = false
        self.tell(.redis(.stopped))
    }

    /// Makes sure that nothing that was sent before takes effect any more; false while Redis reads its file.
    private func settle() throws -> Bool {
        guard try !self.redis.replicationState().isLoading else { return false }
        try self.redis.detach()
        self.hasLooseEnd = false
        return true
    }

    private func isIntact() throws -> Bool {
        let hasTransferFile = try self.files.exist()
        return try self.redis.position() > Self.noPosition && !hasTransferFile
    }

    private static let noPosition = Position(epoch: Epoch(0), sequence: 0)

    private func warnOnce(_ text: String) {
        guard text != self.lastWarning else { return }
        self.lastWarning = text
        self.warn(text)
    }

    // MARK: Work

    private func carryOut(_ work: RedisMemberStore.Work) {
        switch work {
        case .store(let record): self.store(record)
        case .report(let answer): answer(self.startedRun == nil ? nil : try? self.report())
        case .perform(let action): self.perform(action)
        }
    }

    private func store(_ record: MemberRecord) {
        do {
            try self.record.write(
                PromiseFile.Content(promise: record.promise, isClean: record.isClean, run: record.run?.name)
            )
            self.tell(.stored(record))
        } catch {
            self.fail(error)
        }
    }

    private func perform(_ action: RedisAction) {
        switch action {
        case .detach(let operation):
            self.attempt(operation) {
                try self.redis.detach()
                self.hasLooseEnd = false
                self.isDetached = true
                return .detached(operation: operation, try self.report())
            }
        case .promote(let operation, let epoch):
            self.attempt(operation) {
                // A Redis that was started anew since may not have any more what the vote was about.
                guard self.isDetached else { throw StorageError.refused("this Redis was not detached for the vote") }
                self.isDetached = false
                let position = try self.redis.promote(to: epoch)
                self.hasLooseEnd = false
                self.markedEpoch = epoch
                return .promoted(operation: operation, position)
            }
        case .replicate(let operation, let primary):
            self.attempt(operation) {
                self.isDetached = false
                try self.follow(primary)
                return .replicating(operation: operation, as: self.name)
            }
        case .awaitMarker(let epoch, let replicaCount, let bound):
            self.tell(.redis(.markerHeld(epoch, by: self.holders(of: epoch, replicaCount, within: bound))))
        case .removeTransferFile:
            do { try self.files.remove() } catch { self.warn("a file that Redis left cannot be removed: \(error)") }
        case .inspect(let operation):
            // Nothing is said of a Redis that does not answer: the machine notices that it is silent.
            guard self.startedRun != nil, let report = try? self.report(waitsForReplicas: true) else { return }
            self.tell(.redis(.inspected(operation: operation, report)))
        }
    }

    /// Does what changes the role of Redis, and tells how it came out.
    private func attempt(_ operation: UInt64, _ body: () throws -> RedisEvent) {
        guard self.startedRun != nil else { return self.tell(.redis(.failed(operation: operation))) }
        self.markedEpoch = nil
        do {
            self.tell(.redis(try body()))
        } catch {
            self.hasLooseEnd = true
            self.warnOnce("Redis did not take on its role: \(error)")
            self.tell(.redis(.failed(operation: operation)))
        }
    }

    private func follow(_ primary: MemberID) throws {
        guard let address = self.others[primary] else {
            throw StorageError.incompatible("nobody knows where member \(primary.number) is")
        }
        // What was sent earlier on a connection that is lost could otherwise undo this.
        if self.hasLooseEnd {
            try self.redis.detach()
            self.hasLooseEnd = false
        }
        try self.redis.follow(address, as: self.name)
    }

    /// Which members have the marker; it goes on waiting only as long as there is nothing else to do.
    private func holders(of epoch: Epoch, _ replicaCount: Int, within bound: Duration) -> MemberSet {
        guard self.markedEpoch == epoch, replicaCount > 0 else { return MemberSet() }
        let deadline = ContinuousClock.now + bound
        var holders = MemberSet()
        repeat {
            let found = try? self.redis.waitForReplicas(
                replicaCount,
                among: self.roster.addresses,
                within: min(Self.waitSlice, max(.milliseconds(1), deadline - .now))
            )
            guard let found else { return MemberSet() }
            holders = self.roster.members(at: found)
        } while holders.count < replicaCount && ContinuousClock.now < deadline && self.queue.isEmpty
        return holders
    }

    // MARK: Reports

    private func report(waitsForReplicas: Bool = false) throws -> RedisReport {
        // Before Redis is asked: a file that is seen later may be of a data set that Redis has not told of.
        let hasTransferFile = try self.files.exist()
        let state = try self.redis.replicationState()
        // Loading, it answers nothing about its data.
        let position = state.isLoading ? Self.noPosition : try self.redis.position()
        let isReplica = state.role != .primary && state.role != .replica(of: MemberRedis.void)
        return RedisReport(
            position: position,
            isLinkUp: isReplica && state.isLinkUp,
            isSynchronizing: state.isSynchronizing,
            isRewriting: state.isRewritingLog,
            hasTransferFile: hasTransferFile,
            replicas: state.role == .primary ? try self.replicas(of: state, waits: waitsForReplicas) : MemberSet()
        )
    }

    /// The members that have all that the primary had when it was asked first.
    private func replicas(of first: ReplicationState, waits: Bool) throws -> MemberSet {
        let members = self.roster.addresses
        let deadline = ContinuousClock.now + Self.catchUpBound
        var state = first
        while true {
            let talking = state.replicas(among: members, heardWithin: Self.longestSilence)
            let complete = state.replicas(
                among: members,
                atLeastAt: first.offset,
                heardWithin: Self.longestSilence
            )
            guard complete != talking, waits, ContinuousClock.now < deadline, self.queue.isEmpty else {
                return self.roster.members(at: complete)
            }
            try self.redis.askReplicas(within: Self.catchUpSlice)
            state = try self.redis.replicationState()
        }
    }
}
