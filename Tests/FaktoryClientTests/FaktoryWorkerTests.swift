@testable import FaktoryClient
import Synchronization
import Testing

@Suite("Worker", .timeLimit(.minutes(10)))
struct FaktoryWorkerTests {
    /// Hands out jobs, one a FETCH, and says that there are none when they are gone.
    private final class Jobs: Sendable {
        private let remaining: Mutex<[String]>

        init(_ types: [String]) {
            self.remaining = Mutex(types)
        }

        func answer(_ received: ScriptedServer.Received) -> ScriptedServer.Answer {
            guard received.line.hasPrefix("FETCH") else { return received.line == "END" ? .close("") : .ok }
            let next: (String, Int)? = self.remaining.withLock { types in
                types.isEmpty ? nil : (types.removeFirst(), types.count)
            }
            guard let (type, number) = next else { return .later("$-1\r\n", .milliseconds(5)) }
            return .bulk("{\"jid\":\"job-\(number)\",\"jobtype\":\"\(type)\",\"args\":[{\"order\":\(number)}]}")
        }
    }

    private struct Receipt: FaktoryJob {
        static let jobType = "Receipt"
        let order: Int
    }

    private struct Broken: Error, CustomStringConvertible {
        var description: String { "it broke" }
    }

    private func configuration(_ server: ScriptedServer) -> WorkerConfiguration {
        var configuration = WorkerConfiguration(client: server.configuration)
        configuration.client.identity = WorkerIdentity(id: "w-1", hostname: "h", processID: 1)
        configuration.concurrency = 2
        configuration.heartbeatInterval = .milliseconds(10)
        configuration.reconnection = Backoff(initialDelay: .milliseconds(1), maximumDelay: .milliseconds(2))
        return configuration
    }

    /// Waits for the task's cancellation, which alone ends it: the time is longer than any test may last.
    private static func untilCancelled() async throws {
        try await Task.sleep(for: .seconds(3600))
    }

    /// Runs a worker until `body` returns, then stops it and waits for its end.
    private func work(
        _ handlers: JobHandlers,
        on script: @escaping ScriptedServer.Script,
        change: (inout WorkerConfiguration) -> Void = { _ in },
        _ body: (FaktoryWorker, ScriptedServer) async throws -> Void
    ) async throws {
        try await ScriptedServer.serving(script: script) { server in
            var configuration = self.configuration(server)
            change(&configuration)
            let worker = try FaktoryWorker(handlers: handlers, configuration: configuration)
            async let running: Void = worker.run()
            try await body(worker, server)
            worker.stop()
            try await running
            #expect(worker.phase == .terminating)
        }
    }

    @Test("a job that was done is acknowledged, and the worker takes leave when it is stopped")
    func acknowledged() async throws {
        let orders = Mutex<[Int]>([])
        var handlers = JobHandlers()
        handlers.register(Receipt.self) { job, context in
            #expect(context.job.id == "job-\(job.order)")
            orders.withLock { $0.append(job.order) }
        }
        let jobs = Jobs(["Receipt", "Receipt", "Receipt"])
        try await self.work(handlers, on: jobs.answer) { worker, server in
            for number in 0..<3 {
                _ = await server.first { $0.line == "ACK {\"jid\":\"job-\(number)\"}" }
            }
            #expect(orders.withLock { $0.sorted() } == [0, 1, 2])
            #expect(server.lines("HELLO").allSatisfy { $0.contains("\"wid\":\"w-1\"") })
            worker.stop()
            _ = await server.first { $0.line == "END" }
        }
    }

    @Test("a job that failed is reported with its error and the place of its handler")
    func failed() async throws {
        var handlers = JobHandlers()
        handlers.register("Bad") { _ in throw Broken() }
        try await self.work(handlers, on: Jobs(["Bad"]).answer) { _, server in
            let line = await server.first { $0.line.hasPrefix("FAIL") }?.line ?? ""
            #expect(
                line.hasPrefix(
                    "FAIL {\"jid\":\"job-0\",\"errtype\":\"Broken\",\"message\":\"it broke\",\"backtrace\":["
                )
            )
            #expect(line.contains("FaktoryWorkerTests.swift:"))
        }
    }

    @Test("a handler decides by throwing a failure what is reported")
    func ownFailure() async throws {
        var handlers = JobHandlers()
        handlers.register("Bad") { _ in throw JobFailure(errorType: "E", message: "m", backtrace: ["here"]) }
        try await self.work(handlers, on: Jobs(["Bad"]).answer) { _, server in
            let line = await server.first { $0.line.hasPrefix("FAIL") }?.line
            #expect(line == "FAIL {\"jid\":\"job-0\",\"errtype\":\"E\",\"message\":\"m\",\"backtrace\":[\"here\"]}")
        }
    }

    @Test("a job that nobody can do, or whose argument is another, fails and the worker goes on")
    func unknown() async throws {
        var handlers = JobHandlers()
        handlers.register("Good") { _ in }
        handlers.register("Typed") { context in _ = try context.job.argument(0, as: String.self) }
        try await self.work(handlers, on: Jobs(["Unknown", "Typed", "Good"]).answer) { _, server in
            let unknown = await server.first { $0.line.hasPrefix("FAIL {\"jid\":\"job-2\"") }?.line
            #expect(unknown?.contains("UnknownJobType") == true)
            let typed = await server.first { $0.line.hasPrefix("FAIL {\"jid\":\"job-1\"") }?.line
            #expect(typed?.contains("undecodableJob") == true)
            #expect(await server.first { $0.line == "ACK {\"jid\":\"job-0\"}" } != nil)
        }
    }

    @Test("middleware goes round the handler, the first outermost, and its error fails the job")
    func middleware() async throws {
        struct Note: JobMiddleware {
            let name: String
            let notes: @Sendable (String) -> Void

            func run(_ context: JobContext, next: (JobContext) async throws -> Void) async throws {
                self.notes("\(self.name)>")
                try await next(context)
                self.notes("<\(self.name)")
                if self.name == "a" { throw Broken() }
            }
        }
        let notes = Mutex<[String]>([])
        let note: @Sendable (String) -> Void = { text in notes.withLock { $0.append(text) } }
        var handlers = JobHandlers()
        handlers.register("T") { _ in note("job") }
        let change: (inout WorkerConfiguration) -> Void = { configuration in
            configuration.middleware = [Note(name: "a", notes: note), Note(name: "b", notes: note)]
        }
        try await self.work(handlers, on: Jobs(["T"]).answer, change: change) { _, server in
            #expect(await server.first { $0.line.hasPrefix("FAIL") } != nil)
            #expect(notes.withLock { $0 } == ["a>", "b>", "job", "<b", "<a"])
        }
    }

    // MARK: Signals

    @Test("a worker that the server quiets takes no more jobs, but its heart goes on")
    func quiet() async throws {
        let script: ScriptedServer.Script = { received in
            switch received.line.prefix(5) {
            case "BEAT ": .bulk("{\"state\":\"quiet\"}")
            case "FETCH": .later("$-1\r\n", .milliseconds(1))
            default: .ok
            }
        }
        try await self.work(JobHandlers(), on: script) { worker, server in
            for await _ in AsyncStream(unfolding: { worker.phase == .running ? await Task.yield() : nil }) {}
            #expect(worker.phase == .quiet)
            let beat = await server.first { $0.line.contains("\"current_state\":\"quiet\"") }
            #expect(beat?.line.hasPrefix("BEAT {\"wid\":\"w-1\",\"current_state\":\"quiet\"") == true)
        }
    }

    @Test("a worker that the server terminates ends by itself")
    func terminated() async throws {
        let script: ScriptedServer.Script = { received in
            switch received.line.prefix(5) {
            case "BEAT ": .bulk("{\"state\":\"terminate\"}")
            case "FETCH": .later("$-1\r\n", .milliseconds(1))
            default: .ok
            }
        }
        try await ScriptedServer.serving(script: script) { server in
            let worker = try FaktoryWorker(handlers: JobHandlers(), configuration: self.configuration(server))
            try await worker.run()
            #expect(worker.phase == .terminating)
        }
    }

    @Test("a job that runs when the worker is stopped is waited for")
    func graceful() async throws {
        let (started, start) = AsyncStream.makeStream(of: Void.self)
        let (released, release) = AsyncStream.makeStream(of: Void.self)
        var handlers = JobHandlers()
        handlers.register("Slow") { _ in
            start.yield()
            for await _ in released { break }
        }
        try await self.work(handlers, on: Jobs(["Slow"]).answer) { worker, server in
            for await _ in started { break }
            worker.stop()
            #expect(server.lines("ACK").isEmpty)
            release.yield()
            #expect(await server.first { $0.line == "ACK {\"jid\":\"job-0\"}" } != nil)
            #expect(server.lines("FAIL").isEmpty)
        }
    }

    @Test("a job that does not end in time is handed back once, and its handler is cancelled")
    func handedBack() async throws {
        let wasCancelled = Mutex(false)
        let (started, start) = AsyncStream.makeStream(of: Void.self)
        var handlers = JobHandlers()
        handlers.register("Endless") { _ in
            start.yield()
            defer { wasCancelled.withLock { $0 = Task.isCancelled } }
            try await Self.untilCancelled()
        }
        let change: (inout WorkerConfiguration) -> Void = { $0.shutdownTimeout = .milliseconds(20) }
        try await ScriptedServer.serving(script: Jobs(["Endless"]).answer) { server in
            var configuration = self.configuration(server)
            change(&configuration)
            let worker = try FaktoryWorker(handlers: handlers, configuration: configuration)
            async let running: Void = worker.run()
            for await _ in started { break }
            worker.stop()
            try await running
            #expect(server.lines("FAIL").count == 1)
            #expect(server.lines("FAIL").first?.contains("\"errtype\":\"WorkerShutdown\"") == true)
            #expect(server.lines("ACK").isEmpty)
            #expect(wasCancelled.withLock { $0 })
        }
    }

    @Test("a worker whose task is cancelled hands its jobs back and ends")
    func cancelled() async throws {
        let (started, start) = AsyncStream.makeStream(of: Void.self)
        var handlers = JobHandlers()
        handlers.register("Endless") { _ in
            start.yield()
            try await Self.untilCancelled()
        }
        try await ScriptedServer.serving(script: Jobs(["Endless"]).answer) { server in
            let worker = try FaktoryWorker(handlers: handlers, configuration: self.configuration(server))
            let running = Task { try await worker.run() }
            for await _ in started { break }
            running.cancel()
            try await running.value
            #expect(server.lines("FAIL").count == 1)
        }
    }

    // MARK: Failures of the server

    @Test("a worker outlives a server that closes its connections")
    func reconnects() async throws {
        let jobs = Jobs(["T"])
        let script: ScriptedServer.Script = { received in
            received.connection <= 12 && received.line.hasPrefix("FETCH") ? .close("") : jobs.answer(received)
        }
        var handlers = JobHandlers()
        handlers.register("T") { _ in }
        try await self.work(handlers, on: script) { _, server in
            #expect(await server.first { $0.line.hasPrefix("ACK") } != nil)
            #expect(server.connectionCount > 12)
        }
    }

    @Test("an acknowledgement is repeated until the server has it")
    func acknowledgementRepeated() async throws {
        let jobs = Jobs(["T"])
        let failures = Mutex(7)
        let script: ScriptedServer.Script = { received in
            guard received.line.hasPrefix("ACK") else { return jobs.answer(received) }
            let isLost = failures.withLock { left in
                left -= 1
                return left >= 0
            }
            return isLost ? .close("") : .ok
        }
        var handlers = JobHandlers()
        handlers.register("T") { _ in }
        try await self.work(handlers, on: script) { _, server in
            var count = 0
            _ = await server.first { received in
                if received.line.hasPrefix("ACK") { count += 1 }
                return count == 8
            }
            #expect(count == 8)
        }
        #expect(failures.withLock { $0 } == -1)
    }

    @Test("a worker that the server has forgotten introduces itself again")
    func forgotten() async throws {
        let script: ScriptedServer.Script = { received in
            switch received.line.prefix(5) {
            case "BEAT ": .bytes("-ERR unknown worker w-1\r\n")
            case "FETCH": .later("$-1\r\n", .milliseconds(1))
            case "END": .close("")
            default: .ok
            }
        }
        try await self.work(JobHandlers(), on: script) { _, server in
            _ = await server.first { $0.connection > 4 && $0.line.hasPrefix("HELLO") }
            #expect(server.connectionCount > 4)
        }
    }

    @Test("a wrong password ends the worker")
    func password() async throws {
        let greeting = "+HI {\"v\":2,\"i\":4000,\"s\":\"ab\"}\r\n"
        let script: ScriptedServer.Script = { _ in .close("-ERR Invalid password\r\n") }
        try await ScriptedServer.serving(greeting: greeting, script: script) { server in
            let worker = try FaktoryWorker(handlers: JobHandlers(), configuration: self.configuration(server))
            let error = await #expect(throws: FaktoryError.self) { try await worker.run() }
            #expect(error?.code == .authenticationFailed)
        }
    }
}
