import Election
import JobCore
import Synchronization
import TestSupport

@testable import Manager

/// An etcd in memory, with no other member in it.
final class FakeRegister: LeaderRegister {
    private struct State {
        var revision: UInt64 = 1
        var leader: ClusterState.Holder?
    }

    let actions = Told<EtcdAction>()
    private let member: MemberID
    private let state = Mutex(State())
    private let states: AsyncStream<ClusterState>
    private let changes: AsyncStream<ClusterState>.Continuation
    private let refusal = Mutex<(any Error)?>(nil)

    init(member: MemberID) {
        self.member = member
        (self.states, self.changes) = AsyncStream.makeStream()
    }

    func perform(_ action: EtcdAction) async -> EtcdEvent? {
        self.actions.put(action)
        switch action {
        case .readState(let askedAt), .raiseEpochs(_, let askedAt): return .read(self.current, askedAt: askedAt)
        case .campaign(let askedAt):
            let epoch = self.change { state in
                state.leader = ClusterState.Holder(epoch: Epoch(state.revision), member: self.member)
            }
            return .won(epoch, askedAt: askedAt)
        case .keepAlive(let epoch, let askedAt): return .kept(epoch, askedAt: askedAt)
        case .found(let epoch): return .founded(epoch)
        case .publish(let epoch): return .published(epoch)
        case .removeLeader, .resign:
            self.change { $0.leader = nil }
            return nil
        }
    }

    var troubles: [String] { ["etcd is of a bad version"] }

    func watch(_ tell: @Sendable (ClusterState) -> Void) async throws {
        tell(self.current)
        for await state in self.states { tell(state) }
        if let error = self.refusal.withLock({ $0 }) { throw error }
    }

    /// etcd will never do as it is asked.
    func refuse(_ error: any Error) {
        self.refusal.withLock { $0 = error }
        self.changes.finish()
    }

    private var current: ClusterState {
        self.state.withLock { state in
            ClusterState(revision: state.revision, leader: state.leader, primary: nil, preferred: nil)
        }
    }

    @discardableResult
    private func change(_ body: (inout State) -> Void) -> Epoch {
        let epoch = self.state.withLock { state in
            state.revision += 1
            body(&state)
            return Epoch(state.revision)
        }
        self.changes.yield(self.current)
        return epoch
    }
}

/// A Redis that does at once whatever it is told.
final class FakeStore: MemberStore {
    let actions = Told<RedisAction>()
    private let tell = Mutex<(@Sendable (TakeOverEvent) -> Void)?>(nil)
    private let fail = Mutex<(@Sendable (any Error) -> Void)?>(nil)
    private let position = Mutex(Position(epoch: Epoch(0), sequence: 0))

    func readRecord() throws -> MemberRecord { .missing }

    func start(
        _ tell: @escaping @Sendable (TakeOverEvent) -> Void,
        failing fail: @escaping @Sendable (any Error) -> Void
    ) {
        self.fail.withLock { $0 = fail }
        self.tell.withLock { $0 = tell }
        tell(.redis(.started(isIntact: false, run: nil)))
    }

    /// The disk cannot be written.
    func breakDisk(_ error: any Error) {
        self.fail.withLock { $0 }?(error)
    }

    /// The process of Redis ends.
    func die() {
        self.answer(.redis(.stopped))
    }

    func store(_ record: MemberRecord) {
        self.answer(.stored(record))
    }

    func perform(_ action: RedisAction) {
        self.actions.put(action)
        switch action {
        case .detach(let operation): self.answer(.redis(.detached(operation: operation, self.current)))
        case .promote(let operation, let epoch):
            let position = self.position.withLock { position in
                position = Position(epoch: epoch, sequence: position.sequence + 1)
                return position
            }
            self.answer(.redis(.promoted(operation: operation, position)))
        case .replicate(let operation, _): self.answer(.redis(.replicating(operation: operation, as: nil)))
        case .awaitMarker(let epoch, _, _): self.answer(.redis(.markerHeld(epoch, by: MemberSet())))
        case .removeTransferFile: break
        case .inspect(let operation): self.answer(.redis(.inspected(operation: operation, self.current)))
        }
    }

    func admit(_ name: ReplicaName, of member: MemberID) {}

    func report(_ answer: @escaping @Sendable (RedisReport?) -> Void) {
        answer(self.current)
    }

    func stop() {
        self.tell.withLock { $0 = nil }
        self.fail.withLock { $0 = nil }
    }

    private var current: RedisReport {
        RedisReport(
            position: self.position.withLock { $0 },
            isLinkUp: false,
            isSynchronizing: false,
            isRewriting: false,
            hasTransferFile: false,
            replicas: MemberSet()
        )
    }

    private func answer(_ event: TakeOverEvent) {
        self.tell.withLock { $0 }?(event)
    }
}

/// A network without other members, in which an operator may ask.
final class FakeNetwork: PeerNetwork {
    let answers = Told<[UInt8]>()
    private let tell = Mutex<(@Sendable (PeerNetworkEvent) -> Void)?>(nil)

    func start(_ tell: @escaping @Sendable (PeerNetworkEvent) -> Void) throws {
        self.tell.withLock { $0 = tell }
    }

    func send(_ message: PeerMessage, to member: MemberID) {}

    func answer(_ bytes: [UInt8], to asker: PeerAsker) {
        self.answers.put(bytes)
    }

    func close() {
        self.tell.withLock { $0 = nil }
    }

    func ask(_ bytes: [UInt8]) {
        self.tell.withLock { $0 }?(.question(bytes, from: PeerAsker(identity: [1])))
    }
}
