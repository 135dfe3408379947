package import ClusterLink
package import JobCore
import Synchronization

/// Asks the leader for its INFO, for people and programs that look at the server through HTTP.
///
/// It is a session of its own on the links. What it asks changes nothing, so that it asks every manager, and asks again
/// when an answer was lost. Only the leader of the latest epoch that has attached it is believed: one that was deposed
/// may tell what was true once. One question is under way at a time; those who come meanwhile share its answer.
package final class LeaderInquiry: Sendable {
    /// How long nothing must have been heard of a leader before one of an earlier epoch is believed: epochs begin anew
    /// when the data, or what counts them, are gone.
    private static let regressionPatience = Duration.seconds(5)

    /// Nobody answered in time.
    package struct NoAnswer: Error {}

    private struct State {
        var waiting: [UInt64: CheckedContinuation<[UInt8], any Error>] = [:]
        var lastNumber: UInt64 = 0
        var lastWaiter: UInt64 = 0
        /// Who has attached the session, and in which epoch.
        var leader: (manager: Int, epoch: Epoch)?
        var leaderHeardAt = ContinuousClock.now

        mutating func believe(_ manager: Int, in epoch: Epoch) -> Bool {
            if let leader, epoch < leader.epoch, manager != leader.manager,
                ContinuousClock.now - self.leaderHeardAt < LeaderInquiry.regressionPatience
            {
                return false
            }
            self.leader = (manager, epoch)
            self.leaderHeardAt = .now
            return true
        }
    }

    private let links: [any PeerLink]
    private let session: SessionID
    private let software: String
    private let state = Mutex(State())

    /// - Parameter links: one to each manager, whichever leads.
    package init(links: [any PeerLink], session: SessionID, software: String) {
        self.links = links
        self.session = session
        self.software = software
    }

    /// Begins to listen for answers.
    package func start() throws(LinkError) {
        for (manager, link) in self.links.enumerated() {
            try link.start { [self] bytes in self.receive(bytes, from: manager) }
            self.attach(to: manager)
        }
    }

    /// Says good-bye and lets go of the link.
    package func close() {
        for link in self.links {
            link.send(MessageToLeader.detach(self.session).encoded())
            link.close()
        }
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

    private func attach(to manager: Int) {
        let introduction = FrontIntroduction(session: self.session, name: "", software: self.software, isNew: true)
        self.links[manager].send(MessageToLeader.attach(introduction).encoded())
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
        let bytes = MessageToLeader.batch(batch).encoded()
        for link in self.links { link.send(bytes) }
    }

    private func receive(_ bytes: UnsafeRawBufferPointer, from manager: Int) {
        switch try? MessageFromLeader(decoding: bytes) {
        case .attachFirst, .expired:
            self.attach(to: manager)
        case .attached(_, let epoch):
            let someoneWaits = self.state.withLock { state in
                state.believe(manager, in: epoch) && !state.waiting.isEmpty
            }
            if someoneWaits { self.ask() }
        case .late(_, let late):
            let isBelieved = self.state.withLock { state in
                guard state.leader?.manager == manager else { return false }
                state.leaderHeardAt = .now
                return true
            }
            guard isBelieved, case .bulk(let document) = late.last?.reply else { return }
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
