package import ClusterLink
package import JobCore
import Synchronization

/// Asks the leader for its INFO, for people and programs that look at the server through HTTP.
///
/// It is a session of its own on the link. What it asks changes nothing, so that an answer that was lost is simply
/// asked for again. One question is under way at a time; those who come meanwhile share its answer.
package final class LeaderInquiry: Sendable {
    /// Nobody answered in time.
    package struct NoAnswer: Error {}

    private struct State {
        var waiting: [UInt64: CheckedContinuation<[UInt8], any Error>] = [:]
        var lastNumber: UInt64 = 0
        var lastWaiter: UInt64 = 0
    }

    private let link: any PeerLink
    private let session: SessionID
    private let software: String
    private let state = Mutex(State())

    package init(link: any PeerLink, session: SessionID, software: String) {
        self.link = link
        self.session = session
        self.software = software
    }

    /// Begins to listen for answers.
    package func start() throws(LinkError) {
        try self.link.start { [self] bytes in self.receive(bytes) }
        self.attach()
    }

    /// Says good-bye and lets go of the link.
    package func close() {
        self.link.send(MessageToLeader.detach(self.session).encoded())
        self.link.close()
        self.finish { $0.resume(throwing: NoAnswer()) }
    }

    /// The leader's INFO as JSON.
    ///
    /// - Parameter patience: how long to wait in all; the question is asked again several times in it.
    package func information(within patience: Duration = .seconds(2)) async throws -> [UInt8] {
        let waiter = self.state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        return try await withThrowingTaskGroup(of: [UInt8]?.self) { group in
            group.addTask { try await self.wait(as: waiter) }
            group.addTask {
                for _ in 0..<8 {
                    self.ask()
                    try await Task.sleep(for: patience / 8)
                }
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let answer = first else {
                self.giveUp(waiter)
                throw NoAnswer()
            }
            return answer
        }
    }

    private func wait(as waiter: UInt64) async throws -> [UInt8] {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isCancelled = Task.isCancelled
                self.state.withLock { if !isCancelled { $0.waiting[waiter] = continuation } }
                if isCancelled { continuation.resume(throwing: CancellationError()) }
            }
        } onCancel: {
            self.giveUp(waiter)
        }
    }

    private func giveUp(_ waiter: UInt64) {
        let continuation = self.state.withLock { $0.waiting.removeValue(forKey: waiter) }
        continuation?.resume(throwing: NoAnswer())
    }

    private func attach() {
        let introduction = FrontIntroduction(session: self.session, name: "", software: self.software, isNew: true)
        self.link.send(MessageToLeader.attach(introduction).encoded())
    }

    private func ask() {
        let number = self.state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
        let lane = LaneKey(session: self.session, lane: 0)
        let batch = CommandBatch(
            lane: lane,
            number: number,
            settled: 0,
            commands: [LinkCommand(request: number, .info)]
        )
        self.link.send(MessageToLeader.batch(batch).encoded())
    }

    private func receive(_ bytes: UnsafeRawBufferPointer) {
        switch try? MessageFromLeader(decoding: bytes) {
        case .attachFirst, .expired:
            self.attach()
        case .attached:
            let someoneWaits = self.state.withLock { !$0.waiting.isEmpty }
            if someoneWaits { self.ask() }
        case .late(_, let late):
            guard case .bulk(let document) = late.last?.reply else { return }
            self.finish { $0.resume(returning: document) }
        default:
            break
        }
    }

    private func finish(_ body: (CheckedContinuation<[UInt8], any Error>) -> Void) {
        let waiting = self.state.withLock { state in
            defer { state.waiting = [:] }
            return state.waiting
        }
        for continuation in waiting.values { body(continuation) }
    }
}
