import ClusterLink
import Logging
import Scheduler
import Synchronization
import Testing

@Suite("A scheduler")
struct SchedulerServiceTests {
    @Test("sends each tick to every manager, and goes on when whichever leads has answered")
    func everyManager() async throws {
        let (follower, leader) = (FakeManager(leads: false), FakeManager(leads: true))
        let scheduler = SchedulerService(
            links: [follower, leader],
            intervals: [.reap: .milliseconds(1)],
            logger: Logger(label: "scheduler") { _ in SwiftLogNoOpLogHandler() }
        )
        let start = ContinuousClock.now
        let running = Task { try await scheduler.run() }
        for await number in leader.ticks where number == 200 { break }
        // Without an answer each tick would have waited until the one before counted as lost.
        #expect(ContinuousClock.now - start < TickSchedule.patience * 190)
        running.cancel()
        try await running.value
        #expect(follower.numbers.starts(with: [1, 2, 3]))
        #expect(follower.isClosed && leader.isClosed)
    }
}

/// A manager at the other end of a link in memory.
private final class FakeManager: PeerLink {
    private struct State {
        var receive: (@Sendable (UnsafeRawBufferPointer) -> Void)?
        var numbers: [UInt64] = []
        var isClosed = false
    }

    /// The number of each tick, before it is answered.
    let ticks: AsyncStream<UInt64>
    private let continuation: AsyncStream<UInt64>.Continuation
    private let leads: Bool
    private let state = Mutex(State())

    init(leads: Bool) {
        self.leads = leads
        (self.ticks, self.continuation) = AsyncStream.makeStream()
    }

    var numbers: [UInt64] { self.state.withLock { $0.numbers } }
    var isClosed: Bool { self.state.withLock { $0.isClosed } }

    func start(_ receive: @escaping @Sendable (UnsafeRawBufferPointer) -> Void) throws(LinkError) {
        self.state.withLock { $0.receive = receive }
    }

    func send(_ bytes: [UInt8]) {
        let message = try? bytes.withUnsafeBytes { try MessageToLeader(decoding: $0) }
        guard case .tick(let task, let number) = message else { return }
        let receive = self.state.withLock { state in
            state.numbers.append(number)
            return self.leads ? state.receive : nil
        }
        self.continuation.yield(number)
        MessageFromLeader.tickDone(task, number: number, count: 0).encoded().withUnsafeBytes { receive?($0) }
    }

    func close() {
        self.state.withLock { state in
            state.isClosed = true
            state.receive = nil
        }
    }
}
