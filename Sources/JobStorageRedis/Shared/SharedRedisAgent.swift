import Election
import JobCore
import JobStorage

/// Looks after the connection to the Redis of all managers, on one thread, and tells whether it is there.
final class SharedRedisAgent {
    /// How long it waits before it looks again for a Redis that is not there.
    static let pause = Duration.milliseconds(100)
    /// How long it waits before it asks a Redis that is there whether it still is, and still the same.
    static let probeInterval = Duration.milliseconds(500)
    /// What an empty Redis counts as: nobody has more, so that it may lead like any other.
    static let emptyPosition = Position(epoch: Epoch(0), sequence: 1)

    private let redis: SharedRedis
    private let membership: Membership
    private let queue: AgentQueue<SharedMemberStore.Work>
    private let warn: (String) -> Void
    private let tell: (TakeOverEvent) -> Void

    /// The Redis that was said to have started; nil while there is none.
    private var started: RedisIdentity?
    /// How far the data was when it was seen last.
    private var seen = Position(epoch: Epoch(0), sequence: 0)
    private var probeAt = ContinuousClock.now
    private var lastWarning = ""

    init(
        redis: SharedRedis,
        membership: Membership,
        queue: AgentQueue<SharedMemberStore.Work>,
        warn: @escaping (String) -> Void,
        tell: @escaping (TakeOverEvent) -> Void
    ) {
        self.redis = redis
        self.membership = membership
        self.queue = queue
        self.warn = warn
        self.tell = tell
    }

    /// Works until the queue has ended.
    func run() {
        while !self.queue.hasEnded {
            if self.redis.fileDescriptor == nil || ContinuousClock.now >= self.probeAt { self.probe() }
            while let work = self.queue.take() { self.carryOut(work) }
            if let descriptor = self.redis.fileDescriptor {
                let wait = max(.zero, self.probeAt - .now)
                if case .descriptor = self.queue.wait(for: descriptor, upTo: wait) { self.redis.disconnect() }
            } else {
                _ = self.queue.wait(upTo: Self.pause)
            }
        }
    }

    // MARK: Whether there is a Redis

    /// Finds out whether the Redis is there, takes writes, and is the one that it was.
    private func probe() {
        self.probeAt = .now + Self.probeInterval
        do {
            let condition = try self.redis.condition()
            try condition.requireWritable()
            self.compare(try self.redis.position())
            guard condition.identity != self.started else { return }
            self.noteEnd()
            self.started = condition.identity
            self.lastWarning = ""
            self.tell(.redis(.started(isIntact: true, run: nil)))
        } catch {
            self.redis.disconnect()
            self.warnOnce("the shared Redis cannot be used: \(error)")
            self.noteEnd()
        }
    }

    /// Says so when there is less than there was: another Redis, with a copy that was behind, or the same without its end.
    private func compare(_ position: Position) {
        if position < self.seen {
            self.warn(
                "the shared Redis has lost transactions: it was at epoch \(self.seen.epoch.number), sequence "
                    + "\(self.seen.sequence), and is at epoch \(position.epoch.number), sequence \(position.sequence)"
            )
        }
        self.seen = position
    }

    private func noteEnd() {
        guard self.started != nil else { return }
        self.started = nil
        self.tell(.redis(.stopped))
    }

    private func warnOnce(_ text: String) {
        guard text != self.lastWarning else { return }
        self.lastWarning = text
        self.warn(text)
    }

    // MARK: Work

    private func carryOut(_ work: SharedMemberStore.Work) {
        switch work {
        case .store(let record): self.tell(.stored(record))
        case .report(let answer): answer(self.position().map(self.report(at:)))
        case .perform(let action): self.perform(action)
        }
    }

    private func perform(_ action: RedisAction) {
        switch action {
        case .detach(let operation):
            guard let position = self.position() else { return self.fail(operation) }
            self.tell(.redis(.detached(operation: operation, self.vote(at: position))))
        case .promote(let operation, let epoch):
            self.promote(operation, to: epoch)
        case .replicate(let operation, _): self.tell(.redis(.replicating(operation: operation, as: nil)))
        case .awaitMarker(let epoch, _, _): self.tell(.redis(.markerHeld(epoch, by: MemberSet())))
        case .removeTransferFile: break
        case .inspect(let operation):
            guard let position = self.position() else { return }
            self.tell(.redis(.inspected(operation: operation, self.vote(at: position))))
        }
    }

    /// Lets the leader's loop begin, which writes the epoch itself before it reads anything.
    private func promote(_ operation: UInt64, to epoch: Epoch) {
        guard let position = self.position() else { return self.fail(operation) }
        guard position.epoch < epoch else {
            self.warnOnce(
                "the data was written in epoch \(position.epoch.number), and etcd gives out epoch \(epoch.number): "
                    + "was etcd emptied, or does another cluster use this Redis under the same prefix?"
            )
            return self.fail(operation)
        }
        self.tell(.redis(.promoted(operation: operation, position)))
    }

    private func fail(_ operation: UInt64) {
        self.tell(.redis(.failed(operation: operation)))
    }

    /// How far the data is; nil, and the Redis is let go of, when it does not say.
    private func position() -> Position? {
        guard self.started != nil, self.redis.fileDescriptor != nil else { return nil }
        do {
            let position = try self.redis.position()
            self.compare(position)
            return position
        } catch {
            self.redis.disconnect()
            self.warnOnce("the shared Redis cannot be used: \(error)")
            self.noteEnd()
            return nil
        }
    }

    private func vote(at position: Position) -> RedisReport {
        self.report(at: max(position, Self.emptyPosition))
    }

    private func report(at position: Position) -> RedisReport {
        RedisReport(
            position: position,
            isLinkUp: true,
            isSynchronizing: false,
            isRewriting: false,
            hasTransferFile: false,
            // Whoever takes part has everything.
            replicas: MemberSet(self.membership.members)
        )
    }
}
