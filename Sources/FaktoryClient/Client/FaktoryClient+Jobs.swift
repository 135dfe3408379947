import FaktoryWire
import JobCore
import NIOCore
import ProcessFigures

extension FaktoryClient {
    /// The most jobs that go to the server in one PUSHB; longer lists are sent in several.
    public static let maximumBatchCount = 1000

    /// Stores a job; it is safe with the server when this returns.
    ///
    /// - Throws: ``FaktoryError``; with ``FaktoryError/Code/refused`` the job was not stored, and
    ///   ``FaktoryError/serverCode`` `NOTUNIQUE` says that an equal one is there already.
    public func push(_ job: JobRequest) async throws {
        let command = Command("PUSH", job.payload, isRepeatable: self.configuration.resendsPushes)
        try await self.performForOK(command)
    }

    /// Stores a typed job with the settings of its type, and returns its id.
    @discardableResult
    public func push(_ job: some FaktoryJob) async throws -> String {
        let request = try JobRequest(job)
        try await self.push(request)
        return request.id
    }

    /// Stores many jobs with few round trips, in their order.
    ///
    /// They are not stored all or none: those that the server rejects are returned with its reason, and do not keep
    /// it from storing the others. When an error is thrown, the jobs before it may have been stored.
    public func push(_ jobs: [JobRequest]) async throws -> [RejectedJob] {
        var rejected: [RejectedJob] = []
        for start in stride(from: 0, to: jobs.count, by: Self.maximumBatchCount) {
            let batch = jobs[start..<min(start + Self.maximumBatchCount, jobs.count)]
            rejected += try await self.pushBatch(batch)
        }
        return rejected
    }

    private func pushBatch(_ jobs: ArraySlice<JobRequest>) async throws -> [RejectedJob] {
        var list: [UInt8] = [UInt8(ascii: "[")]
        for (offset, job) in jobs.enumerated() {
            if offset > 0 { list.append(UInt8(ascii: ",")) }
            list.append(contentsOf: job.payload)
        }
        list.append(UInt8(ascii: "]"))

        let command = Command("PUSHB", list, isRepeatable: self.configuration.resendsPushes)
        guard case .object(let members) = try await self.performForJSON(command) else {
            throw FaktoryError(.protocolViolation, "PUSHB was not answered with an object")
        }
        return members.map { RejectedJob(id: $0.key, reason: $0.value.string ?? "") }
    }

    /// Takes the oldest job of the first of these queues that has one, in the order given.
    ///
    /// The server waits about two seconds for one to arrive. The job is then reserved: unless it is acknowledged or
    /// failed in time, it counts as failed.
    ///
    /// - Returns: nil when there is no job, or when the server wants this worker to take none.
    public func fetch(from queues: [String]) async throws -> FetchedJob? {
        let command = try Command("FETCH", queues: queues, isRepeatable: true)
        switch try await self.perform(command) {
        case .null: return nil
        case .bulk(let content) where content.readableBytes == 0: return nil
        case .bulk(let content): return try FetchedJob(payload: Array(content.readableBytesView))
        default: throw FaktoryError(.protocolViolation, "FETCH was answered with neither a job nor nothing")
        }
    }

    /// Tells the server that a job is done.
    ///
    /// An id that it does not know, or knows no more, is no error.
    public func acknowledge(_ jobID: String) async throws {
        try await self.performForOK(Command("ACK", ["jid": .string(jobID)], isRepeatable: true))
    }

    /// Tells the server that a job has failed, so that it is retried or buried as its settings say.
    ///
    /// - Throws: ``FaktoryError/Code/refused`` when the server holds no reservation for the job, among others.
    public func fail(_ jobID: String, because failure: JobFailure) async throws {
        try await self.performForOK(
            Command(
                "FAIL",
                [
                    "jid": .string(jobID),
                    "errtype": .string(failure.errorType),
                    "message": .string(failure.message),
                    "backtrace": .array(failure.backtrace.map(JSONValue.string)),
                ],
                isRepeatable: true
            )
        )
    }

    /// Tells the server that this worker process lives, and learns what it is meant to do.
    ///
    /// - Parameter phase: what the process does already.
    /// - Throws: ``FaktoryError/Code/invalidConfiguration`` when the client has no ``ClientConfiguration/identity``.
    public func beat(in phase: WorkerPhase = .running) async throws -> WorkerPhase {
        guard let identity = self.configuration.identity else {
            throw FaktoryError(.invalidConfiguration, "only a worker has a heartbeat, and this client has no identity")
        }
        var members = [JSONValue.Member(key: "wid", value: .string(identity.id))]
        if phase > .running {
            members.append(JSONValue.Member(key: "current_state", value: .string(phase.signal)))
        }
        if let kilobytes = ProcessMemory.residentKilobytes {
            members.append(JSONValue.Member(key: "rss_kb", value: .number(String(kilobytes))))
        }

        let command = Command("BEAT", .object(members), isRepeatable: true)
        switch try await self.perform(command) {
        case .simple: return .running
        case .bulk(let content):
            let document = try? JSONValue(parsing: content.readableBytesView, atMost: .max)
            return WorkerPhase(signal: document?.field("state")?.string ?? "") ?? .running
        default: throw FaktoryError(.protocolViolation, "BEAT was answered with neither OK nor a state")
        }
    }
}

extension FaktoryClient {
    func performForOK(_ command: Command) async throws {
        guard case .simple("OK") = try await self.perform(command) else {
            throw FaktoryError(.protocolViolation, "a command was answered with something other than OK")
        }
    }

    func performForJSON(_ command: Command) async throws -> JSONValue {
        guard case .bulk(let content) = try await self.perform(command),
            let document = try? JSONValue(parsing: content.readableBytesView, atMost: .max)
        else { throw FaktoryError(.protocolViolation, "a command was answered with something other than JSON") }
        return document
    }
}
