import ClusterLinkZeroMQ
import Front
import NIOCore
import Synchronization
import Testing

@Suite("Fronts that share a port", .timeLimit(.minutes(10)))
struct RestartTests {
    @Test("can take each other's places under load: a client that connects again never hears an error")
    func underLoad() async throws {
        let cluster = try TestManagers(count: 1)
        cluster.managers[0].elect(in: 1)
        let producers = Producers()
        try await Self.run(over: cluster, at: 0) { first in
            let port = try #require(first.address.port)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<8 { group.addTask { await producers.produce(number, at: first.address) } }
                await producers.wait(forMore: 200)
                try await Self.run(over: cluster, at: port) { second in
                    await first.shutDown()
                    await producers.wait(forMore: 200)
                    try await Self.run(over: cluster, at: port) { _ in
                        await second.shutDown()
                        await producers.wait(forMore: 200)
                        producers.stop()
                        try await group.waitForAll()
                    }
                }
            }
        }
        #expect(producers.errors == [])
        // Each front that went had clients, all of whom found the next.
        #expect(producers.reconnectionCount >= 2)
        // What was answered is there once, and nothing else.
        try await Self.run(over: cluster, at: 0) { front in
            try await front.connect { client in
                #expect(await client.hello())
                let figures = try await client.information()
                #expect(figures.contains(#""total_enqueued":\#(producers.answeredCount),"#), "\(figures)")
            }
        }
    }

    private static func run(
        over cluster: TestManagers,
        at port: Int,
        _ body: (FrontFixture) async throws -> Void
    ) async throws {
        try await FrontFixture.run(links: cluster.makeLinks()) {
            $0.port = port
            $0.reusesPort = true
        } _: { front in
            try await body(front)
        }
    }
}

/// Clients that send each job until it is answered, connecting again whenever their connection ends.
private final class Producers: Sendable {
    private struct State {
        var mayGoOn = true
        var answeredCount = 0
        var reconnectionCount = 0
        var errors: [String] = []
        var waiter: (count: Int, continuation: CheckedContinuation<Void, Never>)?
    }

    private let state = Mutex(State())

    var answeredCount: Int { self.state.withLock { $0.answeredCount } }
    var reconnectionCount: Int { self.state.withLock { $0.reconnectionCount } }
    var errors: [String] { self.state.withLock { $0.errors } }

    func stop() {
        self.state.withLock { $0.mayGoOn = false }
    }

    /// Waits until so many more jobs have been answered.
    func wait(forMore count: Int) async {
        await withCheckedContinuation { continuation in
            self.state.withLock { $0.waiter = ($0.answeredCount + count, continuation) }
        }
    }

    func produce(_ number: Int, at address: SocketAddress) async {
        var index = 0
        while self.state.withLock({ $0.mayGoOn }) {
            do {
                try await TestClient.connect(to: address) { client in
                    // It was accepted by a front that has just stopped to listen.
                    guard await client.hello() else { return }
                    while self.state.withLock({ $0.mayGoOn }) {
                        guard
                            await self.push(#"{"jid":"restart-\#(number)-\#(index)","jobtype":"A","args":[]}"#, client)
                        else { return }
                        index += 1
                    }
                }
                self.state.withLock { if $0.mayGoOn { $0.reconnectionCount += 1 } }
            } catch {
                self.state.withLock { $0.errors.append("\(error)") }
            }
        }
    }

    /// Whether the job was taken; if not, the connection has ended without a word.
    private func push(_ job: String, _ client: TestClient) async -> Bool {
        guard (try? await client.send("PUSH \(job)\r\n")) != nil else { return false }
        let reply = await client.readLine()
        guard !reply.isEmpty else { return false }
        let ready = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
            if reply == "+OK\r\n" { state.answeredCount += 1 } else { state.errors.append(reply) }
            guard let waiter = state.waiter, waiter.count <= state.answeredCount else { return nil }
            state.waiter = nil
            return waiter.continuation
        }
        ready?.resume()
        return true
    }
}
