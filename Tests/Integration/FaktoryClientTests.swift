import FaktoryClient
import Foundation
import Testing

/// The Swift client and worker, as users have them, at a real server.
@Suite(.timeLimit(.minutes(30)))
struct FaktoryClientTests {
    private struct Receipt: FaktoryJob, Equatable {
        static let jobType = "Receipt"
        static let queue = "receipts"
        let order: Int
        let address: String
    }

    /// Long enough for anything that a worker is expected to do.
    private static let patience = Duration.seconds(120)

    /// Where the server is, for a client that outlasts a front that is started anew.
    private static func configuration(of server: MillraceProcesses) -> ClientConfiguration {
        var configuration = ClientConfiguration(host: "127.0.0.1", port: server.port)
        configuration.reconnection = Backoff(
            initialDelay: .milliseconds(50),
            maximumDelay: .milliseconds(500),
            maximumAttemptCount: 100
        )
        return configuration
    }

    private static func makeWorker(
        _ handlers: JobHandlers,
        at client: ClientConfiguration,
        concurrency: Int = 2
    ) throws -> FaktoryWorker {
        var configuration = WorkerConfiguration(client: client, queues: .strict([Receipt.queue]))
        configuration.concurrency = concurrency
        configuration.heartbeatInterval = .milliseconds(100)
        return try FaktoryWorker(handlers: handlers, configuration: configuration)
    }

    /// Lets a worker run until `body` returns, and then end: all that it has done is reported after this.
    private static func withWorker(
        _ handlers: JobHandlers,
        at client: ClientConfiguration,
        concurrency: Int = 2,
        _ body: () async throws -> Void
    ) async throws {
        let worker = try Self.makeWorker(handlers, at: client, concurrency: concurrency)
        async let running: Void = worker.run()
        try await body()
        worker.stop()
        try await running
    }

    // MARK: Jobs

    @Test("a typed job comes to its handler as it was pushed, and nothing of it is left once that returns")
    func typedJob() async throws {
        try await withMillrace { server in
            let configuration = Self.configuration(of: server)
            let client = try FaktoryClient(configuration: configuration)
            let done = Observed<[String: Receipt]>([:])
            var handlers = JobHandlers()
            handlers.register(Receipt.self) { receipt, context in done.change { $0[context.job.id] = receipt } }

            let receipt = Receipt(order: 9_007_199_254_740_993, address: "Ä <a@b.example>\n\u{2028}😀")
            let id = try await client.push(receipt)
            #expect(try await client.info().queueSizes == [Receipt.queue: 1])
            try await Self.withWorker(handlers, at: configuration) {
                #expect(done.wait(within: Self.patience) { $0 == [id: receipt] })
            }
            let information = try await client.info()
            #expect(information.processedCount == 1 && information.failureCount == 0)
            #expect(try server.connect().info().liveCount == 0)
        }
    }

    @Test("of many jobs at once those that are refused are told with the reason, and the others are stored")
    func bulk() async throws {
        try await withMillrace { server in
            let client = try FaktoryClient(configuration: Self.configuration(of: server))
            // One more than goes into one PUSHB; one is refused of the first and one of the second.
            var jobs = try (0...FaktoryClient.maximumBatchCount).map { try JobRequest("T", arguments: $0) }
            jobs[1].id = "seven77"
            jobs[FaktoryClient.maximumBatchCount].queue = "a b"
            let rejected = try await client.push(jobs)
            let last = jobs[FaktoryClient.maximumBatchCount].id
            #expect(
                rejected.map { [$0.id, $0.reason] } == [
                    ["seven77", "jobs must have a reasonable jid parameter"],
                    [last, #"cannot get "a b" queue: queue names must match \A[a-zA-Z0-9._-]+\z"#],
                ]
            )
            #expect(try await client.info().queueSizes == ["default": jobs.count - 2])
        }
    }

    @Test("a job whose handler throws is tried again, and carries what went wrong")
    func failure() async throws {
        try await withMillrace { server in
            let configuration = Self.configuration(of: server)
            let client = try FaktoryClient(configuration: configuration)
            let tries = Observed<[FetchedJob]>([])
            let isBehind = Observed(false)
            var handlers = JobHandlers()
            handlers.register(Receipt.self) { _, context in
                tries.change { $0.append(context.job) }
                guard context.job.failureCount > 0 else { throw JobFailure(errorType: "Smudged", message: "no ink") }
            }
            handlers.register("Behind") { _ in isBehind.change { $0 = true } }

            let id = try await client.push(Receipt(order: 1, address: "a"))
            var behind = try JobRequest("Behind")
            behind.queue = Receipt.queue
            try await client.push(behind)
            try await Self.withWorker(handlers, at: configuration, concurrency: 1) {
                // A worker of one job at a time takes the next when it has reported the one before.
                #expect(isBehind.wait(within: Self.patience) { $0 })
                #expect(try await client.info().setSizes["retries"] == 1)
                try await client.mutate(JobMutation(.requeue, .retries, where: .init(jobIDs: [id])))
                #expect(tries.wait(within: Self.patience) { $0.count == 2 })
            }
            let again = try #require(tries.value.last)
            #expect(again.id == id && again.failureCount == 1)
            let told = try FetchedPayload(bytes: again.payload).failure
            #expect(told?.errtype == "Smudged" && told?.message == "no ink" && told?.remaining == 25)
            let information = try await client.info()
            #expect(information.processedCount == 3 && information.failureCount == 1)
            #expect(try server.connect().info().liveCount == 0)
        }
    }

    @Test("a job for later is done within a second of its time, and not before it")
    func scheduled() async throws {
        try await withMillrace { server in
            let configuration = Self.configuration(of: server)
            let client = try FaktoryClient(configuration: configuration)
            let started = Observed<[Int: Date]>([:])
            var handlers = JobHandlers()
            handlers.register(Receipt.self) { receipt, _ in started.change { $0[receipt.order] = Date() } }
            try await Self.withWorker(handlers, at: configuration) {
                // The worker has got through a job, and so waits for the next.
                try await client.push(Receipt(order: 1, address: "now"))
                #expect(started.wait(within: Self.patience) { $0[1] != nil })

                let due = Date(timeIntervalSinceNow: 0.7)
                var later = try JobRequest(Receipt(order: 2, address: "later"))
                later.at = due
                try await client.push(later)
                #expect(try await client.info().setSizes["scheduled"] == 1)
                #expect(started.wait(within: Self.patience) { $0[2] != nil })
                let late = try #require(started.value[2]).timeIntervalSince(due)
                // The time of a job is sent in whole milliseconds.
                #expect(late > -0.001 && late < 1, "\(late) s")
            }
        }
    }

    // MARK: Signals

    @Test("the server's signals quiet a worker, which is given no more jobs, and end it once its own is done")
    func signals() async throws {
        try await withMillrace { server in
            var configuration = Self.configuration(of: server)
            configuration.identity = WorkerIdentity(id: "swift-worker", hostname: "h", processID: 1)
            let client = try FaktoryClient(configuration: Self.configuration(of: server))
            let started = Observed<[Int]>([])
            let (released, release) = AsyncStream.makeStream(of: Void.self)
            var handlers = JobHandlers()
            handlers.register(Receipt.self) { receipt, _ in
                started.change { $0.append(receipt.order) }
                for await _ in released { break }
            }
            let worker = try Self.makeWorker(handlers, at: configuration)
            async let running: Void = worker.run()
            try await client.push(Receipt(order: 1, address: "before"))
            #expect(started.wait(within: Self.patience) { $0 == [1] })

            let administrator = try server.connect()
            func signal(_ state: String, until phase: WorkerPhase) throws {
                let beat = #"BEAT {"wid":"swift-worker","current_state":"\#(state)"}"#
                #expect(try administrator.ask(beat).hasSuffix("{\"state\":\"\(state)\"}\r\n"))
                // It learns of it by the answer to its next heartbeat, which comes while these wait.
                for _ in 0..<10 where worker.phase < phase { _ = try administrator.fetch("nothing") }
                try #require(worker.phase == phase)
            }
            try signal("quiet", until: .quiet)
            let second = try await client.push(Receipt(order: 2, address: "after"))
            #expect(try administrator.fetch(Receipt.queue)?.jid == second)
            #expect(try administrator.ask(#"ACK {"jid":"\#(second)"}"#) == "+OK\r\n")

            try signal("terminate", until: .terminating)
            #expect(try await client.info().setSizes["working"] == 1)
            release.yield()
            try await running
            #expect(started.value == [1])
            let information = try await client.info()
            #expect(information.processedCount == 2 && information.failureCount == 0)
            #expect(try server.connect().info().liveCount == 0)
        }
    }

    // MARK: Faults

    /// Pushes one job after the other until it is over, and returns how many the server has said OK to.
    private static func push(through client: FaktoryClient, until isOver: Observed<Bool>) async throws -> Int {
        var count = 0
        while !isOver.value {
            try await client.push(Receipt(order: count, address: "under load"))
            count += 1
        }
        return count
    }

    @Test("a front that is killed under load loses no job, and client and worker find the next one by themselves")
    func frontKilled() async throws {
        try await withMillrace(settings: FaultTests.settings) { server in
            let configuration = Self.configuration(of: server)
            let client = try FaktoryClient(configuration: configuration)
            let done = Observed<Set<Int>>([])
            var handlers = JobHandlers()
            handlers.register(Receipt.self) { receipt, _ in done.change { _ = $0.insert(receipt.order) } }
            try await Self.withWorker(handlers, at: configuration) {
                let isOver = Observed(false)
                async let pushing = Self.push(through: client, until: isOver)
                for round in 0..<2 {
                    let before = done.value.count
                    #expect(done.wait(within: Self.patience) { $0.count >= before + 100 }, "before round \(round)")
                    try server.kill([.front])
                }
                let before = done.value.count
                #expect(done.wait(within: Self.patience) { $0.count >= before + 100 }, "after the last round")
                isOver.change { $0 = true }
                let count = try await pushing
                // What was on its way to the worker when the front died has failed for it, and waits for its retry.
                for _ in 0..<20 where !done.wait(within: .seconds(1), until: { $0.count == count }) {
                    try await client.mutate(JobMutation(.requeue, .retries))
                }
                #expect(done.value == Set(0..<count))
            }
            let figures = try server.connect().info()
            #expect(figures.liveCount == 0 && figures.faktory.sets["dead"] == 0)
        }
    }

    // MARK: Password and TLS

    @Test("client and worker work with the server's password, and end with an error with another one")
    func password() async throws {
        try await withMillrace(variables: ["FAKTORY_PASSWORD": "open sesame"]) { server in
            let right = try ClientConfiguration(url: "tcp://:open%20sesame@127.0.0.1:\(server.port)")
            let done = Observed<[Int]>([])
            var handlers = JobHandlers()
            handlers.register(Receipt.self) { receipt, _ in done.change { $0.append(receipt.order) } }
            try await Self.withWorker(handlers, at: right) {
                try await FaktoryClient(configuration: right).push(Receipt(order: 1, address: "a"))
                #expect(done.wait(within: Self.patience) { $0 == [1] })
            }
            for password in ["sesame", nil] {
                var wrong = right
                wrong.password = password
                let refused = await #expect(throws: FaktoryError.self) {
                    try await FaktoryClient(configuration: wrong).push(Receipt(order: 2, address: "b"))
                }
                #expect(refused?.code == .authenticationFailed)
                let ended = await #expect(throws: FaktoryError.self) {
                    try await Self.makeWorker(handlers, at: wrong).run()
                }
                #expect(ended?.code == .authenticationFailed)
            }
            #expect(done.value == [1])
        }
    }

    @Test("client and worker speak TLS to a server whose certificate they trust, and to no other")
    func encrypted() async throws {
        let certificate = try ServerCertificate()
        try await withMillrace(configuration: certificate.files) { server in
            var trusting = Self.configuration(of: server)
            trusting.tls = TLSOptions(trustRoots: .pem(certificate.certificate))
            let done = Observed<[Int]>([])
            var handlers = JobHandlers()
            handlers.register(Receipt.self) { receipt, _ in done.change { $0.append(receipt.order) } }
            try await Self.withWorker(handlers, at: trusting) {
                try await FaktoryClient(configuration: trusting).push(Receipt(order: 1, address: "a"))
                #expect(done.wait(within: Self.patience) { $0 == [1] })
            }
            for options in [TLSOptions(), TLSOptions(trustRoots: .pem(try ServerCertificate().certificate))] {
                var distrusting = trusting
                distrusting.tls = options
                distrusting.reconnection.maximumAttemptCount = 1
                let error = await #expect(throws: FaktoryError.self) {
                    try await FaktoryClient(configuration: distrusting).push(Receipt(order: 2, address: "b"))
                }
                #expect(error?.code == .connectionFailed)
            }
            #expect(done.value == [1])
        }
    }
}
