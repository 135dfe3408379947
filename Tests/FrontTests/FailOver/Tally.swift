import Synchronization
import Testing

/// Clients that stop at the first thing that they would notice of a fail-over, and what became of their jobs.
final class Tally: Sendable {
    static let producerCount = 8
    static let jobsPerProducer = 50

    private struct State {
        var executions: [String: Int] = [:]
        var doneCount = 0
        var waiters: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    let expected: Int
    private let state = Mutex(State())

    init(expecting expected: Int) {
        self.expected = expected
    }

    /// How often each job was given to a worker.
    var executions: [String: Int] { self.state.withLock { $0.executions } }

    /// Waits until so many jobs have been acknowledged.
    func wait(forDone count: Int) async {
        await withCheckedContinuation { continuation in
            let isDone = self.state.withLock { state in
                if state.doneCount < count { state.waiters.append((count, continuation)) }
                return state.doneCount >= count
            }
            if isDone { continuation.resume() }
        }
    }

    func produce(_ number: Int, through client: TestClient) async throws {
        try #require(await client.hello())
        for index in 0..<Self.jobsPerProducer {
            let job = #"{"jid":"fail-over-\#(number)-\#(index)","jobtype":"A","args":[],"queue":"q"}"#
            try #require(await client.exchange("PUSH \(job)\r\n", for: "+OK\r\n"), "\(job)")
        }
    }

    /// Works until all jobs are done.
    func work(_ number: Int, through client: TestClient) async throws {
        try #require(await client.hello(#"{"v":2,"wid":"fail-over-worker-\#(number)"}"#))
        while self.state.withLock({ $0.doneCount }) < self.expected {
            try await client.send("FETCH q\r\n")
            guard let jid = try await client.job() else { continue }
            self.state.withLock { $0.executions[jid, default: 0] += 1 }
            try #require(await client.exchange(#"ACK {"jid":"\#(jid)"}"# + "\r\n", for: "+OK\r\n"), "\(jid)")
            self.noteDone()
        }
    }

    private func noteDone() {
        let ready = self.state.withLock { state in
            state.doneCount += 1
            let ready = state.waiters.filter { $0.count <= state.doneCount }
            state.waiters.removeAll { $0.count <= state.doneCount }
            return ready
        }
        for waiter in ready { waiter.continuation.resume() }
    }
}

extension TestClient {
    // A line's end, CR and LF, is one character.

    /// What the next reply, a bulk string, holds; nil for the null one.
    func bulk() async throws -> String? {
        let line = await self.readLine()
        if line == "$-1\r\n" { return nil }
        let count = try #require(Int(line.dropFirst().dropLast()), "\(line)")
        return String(await self.read(count + 2).dropLast())
    }

    /// The jid of the job that the next reply holds; nil when it holds none.
    func job() async throws -> String? {
        guard let payload = try await self.bulk() else { return nil }
        let parts = payload.split(separator: #""jid":""#, maxSplits: 1)
        return String(try #require(parts.last?.prefix { $0 != "\"" }))
    }

    func information() async throws -> String {
        try await self.send("INFO\r\n")
        return try #require(try await self.bulk())
    }
}
