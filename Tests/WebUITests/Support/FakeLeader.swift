import ClusterLink
import JobCore
import Synchronization

/// A leader at the other end of a link in memory, which knows nothing but INFO.
final class FakeLeader: PeerLink {
    /// How it behaves.
    enum Mood: Sendable {
        /// Knows the session once it is attached, and answers.
        case answering
        /// Says nothing.
        case silent
    }

    private struct State {
        var mood: Mood
        var isAttached = false
        let answered: ClosedRange<Int>
        var receive: (@Sendable (UnsafeRawBufferPointer) -> Void)?
        var received: [String] = []
        var isClosed = false
        var onQuestion: (@Sendable (Int) -> Void)?
        var questionCount = 0
    }

    private let document: [UInt8]
    private let epoch: Epoch
    private let state: Mutex<State>

    /// - Parameters:
    ///   - document: what it answers to INFO.
    ///   - questions: which questions it answers, counted from 1; all others are lost.
    ///   - onQuestion: called with the number of each question, before it is answered.
    init(
        answering document: String,
        mood: Mood = .answering,
        epoch: UInt64 = 1,
        questions: ClosedRange<Int> = 1...Int.max,
        onQuestion: (@Sendable (Int) -> Void)? = nil
    ) {
        self.document = Array(document.utf8)
        self.epoch = Epoch(epoch)
        self.state = Mutex(State(mood: mood, answered: questions, onQuestion: onQuestion))
    }

    /// The kinds of the messages that came in, in their order.
    var received: [String] { self.state.withLock { $0.received } }

    var isClosed: Bool { self.state.withLock { $0.isClosed } }

    /// A new leader, which does not know the session.
    func forget() {
        self.state.withLock { $0.isAttached = false }
    }

    func start(_ receive: @escaping @Sendable (UnsafeRawBufferPointer) -> Void) throws(LinkError) {
        self.state.withLock { $0.receive = receive }
    }

    func close() {
        self.state.withLock { state in
            state.isClosed = true
            state.receive = nil
        }
    }

    func send(_ message: [UInt8]) {
        let decoded = message.withUnsafeBytes { bytes in try? MessageToLeader(decoding: bytes) }
        let onQuestion = self.state.withLock { $0.onQuestion }
        switch decoded {
        case .attach(let introduction):
            self.state.withLock { $0.isAttached = true }
            self.answer(.attached(introduction.session, epoch: self.epoch), noting: "attach")
        case .batch(let batch):
            let number = self.state.withLock { state in
                state.questionCount += 1
                return state.questionCount
            }
            onQuestion?(number)
            self.answer(batch, number)
        case .detach:
            self.state.withLock { $0.received.append("detach") }
        case .heartbeat, .tick, nil:
            self.state.withLock { $0.received.append("something else") }
        }
    }

    private func answer(_ batch: CommandBatch, _ number: Int) {
        let (isKnown, isIgnored) = self.state.withLock { state in
            (isKnown: state.isAttached, isIgnored: !state.answered.contains(number))
        }
        guard isKnown else { return self.answer(.attachFirst(batch.lane.session), noting: "question") }
        guard !isIgnored, let command = batch.commands.first, case .info = command.body else {
            self.state.withLock { $0.received.append("question") }
            return
        }
        self.answer(.replies(batch.lane, batch: batch.number, [.deferred]), noting: "question")
        let late = LateReply(request: command.request, reply: .bulk(self.document))
        self.answer(.late(batch.lane, [late]), noting: nil)
    }

    private func answer(_ message: MessageFromLeader, noting kind: String?) {
        let receive = self.state.withLock { state in
            if let kind { state.received.append(kind) }
            return state.mood == .answering ? state.receive : nil
        }
        message.encoded().withUnsafeBytes { receive?($0) }
    }
}
