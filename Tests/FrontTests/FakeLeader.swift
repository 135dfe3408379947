import ClusterLink
import Glibc
import JobCore
import Synchronization

/// A leader in memory, at the other end of a front's link.
///
/// It attaches every session and answers each batch by its script, at once, unless it is told to be silent, as a
/// manager is that does not lead.
final class FakeLeader: PolledPeerLink {
    typealias Script = @Sendable (LinkCommand) -> LinkReply

    private struct State {
        var hasMessages: (@Sendable () -> Void)?
        /// The writing end of the descriptor; nothing is ever written.
        var silentEnd: CInt = -1
        var waiting: [[UInt8]] = []
        var messages: [MessageToLeader] = []
        var isSilent = false
        var isConnected = true
        var isClosed = false
        var lane: LaneKey?
        var session: SessionID?
        var waiters:
            [(condition: @Sendable ([MessageToLeader]) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let script: Script
    private let epoch: Epoch
    private let answersBatches: Bool
    private let state: Mutex<State>

    /// - Parameter answersBatches: whether batches are answered without being asked to.
    init(
        isSilent: Bool = false,
        epoch: UInt64 = 1,
        answersBatches: Bool = true,
        script: @escaping Script = FakeLeader.standard
    ) {
        self.answersBatches = answersBatches
        self.script = script
        self.epoch = Epoch(epoch)
        self.state = Mutex(State(isSilent: isSilent))
    }

    deinit {
        let silentEnd = self.state.withLock { $0.silentEnd }
        if silentEnd >= 0 { Glibc.close(silentEnd) }
    }

    /// Parks what fetches, defers what asks for INFO, agrees to everything else.
    static let standard: Script = { command in
        switch command.body {
        case .fetch: .parked
        case .info: .bulk(Array("{}".utf8))
        case .withdraw, .workerJoined, .workerLeft: .nothing
        default: .ok
        }
    }

    // MARK: PolledPeerLink

    /// The descriptor never tells of anything: every message is announced by a call.
    func open(_ hasMessages: @escaping @Sendable () -> Void) throws(LinkError) -> CInt {
        var ends: [CInt] = [-1, -1]
        guard pipe(&ends) == 0 else { throw .failed(String(cString: strerror(errno))) }
        self.state.withLock { state in
            state.hasMessages = hasMessages
            state.silentEnd = ends[1]
        }
        return ends[0]
    }

    func receive(afterReading count: UInt64, _ body: (UnsafeRawBufferPointer) -> Void) {
        let messages = self.state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
        for message in messages { message.withUnsafeBytes(body) }
    }

    func close() {
        self.state.withLock { state in
            state.isClosed = true
            state.hasMessages = nil
        }
    }

    func send(_ bytes: [UInt8]) {
        guard let message = try? bytes.withUnsafeBytes({ try MessageToLeader(decoding: $0) }) else { return }
        let (isSilent, ready) = self.state.withLock { state in
            state.messages.append(message)
            switch message {
            case .attach(let introduction): if !state.isSilent { state.session = introduction.session }
            case .batch(let batch): state.lane = batch.lane
            case .heartbeat, .detach, .tick: break
            }
            let ready = state.waiters.filter { $0.condition(state.messages) }
            state.waiters.removeAll { $0.condition(state.messages) }
            return (state.isSilent || (!self.answersBatches && message.isBatch), ready)
        }
        if !isSilent { self.answer(message) }
        for waiter in ready { waiter.continuation.resume() }
    }

    // MARK: For tests

    var isConnected: Bool { self.state.withLock { $0.isConnected } }

    /// Its process comes or goes.
    func setConnected(_ isConnected: Bool) {
        let notify = self.state.withLock { state in
            state.isConnected = isConnected
            return state.hasMessages
        }
        notify?()
    }

    var isClosed: Bool { self.state.withLock { $0.isClosed } }
    var messages: [MessageToLeader] { self.state.withLock { $0.messages } }
    var lastBatch: MessageToLeader? { self.messages.last { $0.isBatch } }
    var commands: [LinkCommand] { Self.commands(of: self.messages) }

    func setSilent(_ isSilent: Bool) {
        self.state.withLock { $0.isSilent = isSilent }
    }

    /// Answers what was sent while the leader was silent.
    func answer(_ message: MessageToLeader) {
        switch message {
        case .attach(let introduction):
            self.tell(.attached(introduction.session, epoch: self.epoch))
        case .batch(let batch):
            self.tell(.replies(batch.lane, batch: batch.number, batch.commands.map(self.script)))
        case .heartbeat(let session, _):
            self.tell(self.session == session ? .alive(session, epoch: self.epoch) : .attachFirst(session))
        case .detach, .tick:
            break
        }
    }

    func tell(_ message: MessageFromLeader) {
        let hasMessages = self.state.withLock { state in
            state.waiting.append(message.encoded())
            return state.hasMessages
        }
        hasMessages?()
    }

    /// Answers a parked or deferred command.
    func tellLate(_ request: UInt64, _ reply: LinkReply) {
        guard let lane = self.state.withLock({ $0.lane }) else { return }
        self.tell(.late(lane, [LateReply(request: request, reply: reply)]))
    }

    var session: SessionID? { self.state.withLock { $0.session } }

    /// Waits until what was sent up to now is as the condition wants it.
    func waitUntil(_ condition: @escaping @Sendable ([MessageToLeader]) -> Bool) async {
        await withCheckedContinuation { continuation in
            let isReady = self.state.withLock { state in
                guard !condition(state.messages) else { return true }
                state.waiters.append((condition, continuation))
                return false
            }
            if isReady { continuation.resume() }
        }
    }

    /// Waits for a command and returns its number.
    func request(where isWanted: @escaping @Sendable (LinkCommand) -> Bool) async -> UInt64 {
        await self.waitUntil { Self.commands(of: $0).contains(where: isWanted) }
        return self.commands.first(where: isWanted)?.request ?? 0
    }

    static func commands(of messages: [MessageToLeader]) -> [LinkCommand] {
        messages.flatMap { message -> [LinkCommand] in
            guard case .batch(let batch) = message else { return [] }
            return batch.commands
        }
    }
}

extension MessageToLeader {
    var isBatch: Bool { if case .batch = self { true } else { false } }
}

extension LinkCommand {
    var isFetch: Bool { if case .fetch = self.body { true } else { false } }
    var isWithdrawal: Bool { if case .withdraw = self.body { true } else { false } }
    var isPush: Bool { if case .push = self.body { true } else { false } }
    var isInfo: Bool { if case .info = self.body { true } else { false } }

    func joins(_ worker: String) -> Bool {
        if case .workerJoined(let introduction) = self.body { introduction.worker == worker } else { false }
    }

    func leaves(_ worker: String) -> Bool {
        if case .workerLeft(let left) = self.body { left == worker } else { false }
    }
}
