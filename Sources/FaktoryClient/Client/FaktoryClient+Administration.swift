import FaktoryWire
import JobCore

extension FaktoryClient {
    /// Asks the server how it is.
    public func info() async throws -> ServerInfo {
        ServerInfo(document: try await self.performForJSON(Command("INFO", isRepeatable: true)))
    }

    /// Deletes every job of the server. There is no way back.
    public func flush() async throws {
        try await self.performForOK(Command("FLUSH", isRepeatable: false))
    }

    /// Stops workers from getting jobs of these queues; pushing goes on. `["*"]` stands for all queues.
    public func pause(queues: [String]) async throws {
        try await self.performForOK(Self.command("QUEUE PAUSE", queues, isRepeatable: true))
    }

    /// Undoes ``pause(queues:)``. `["*"]` stands for all queues.
    public func resume(queues: [String]) async throws {
        try await self.performForOK(Self.command("QUEUE RESUME", queues, isRepeatable: true))
    }

    /// Deletes queues with the jobs that wait in them. `["*"]` stands for all queues.
    public func remove(queues: [String]) async throws {
        try await self.performForOK(Self.command("QUEUE REMOVE", queues, isRepeatable: false))
    }

    /// How long the job that is next has waited, for each of these queues; zero for an empty or unknown one.
    public func latency(of queues: [String]) async throws -> [String: Duration] {
        let command = try Command("QUEUE LATENCY", queues: queues, isRepeatable: true)
        guard case .object(let members) = try await self.performForJSON(command) else {
            throw FaktoryError(.protocolViolation, "QUEUE LATENCY was not answered with an object")
        }
        var latencies: [String: Duration] = [:]
        for member in members {
            guard case .number(let text) = member.value, let seconds = Double(text) else { continue }
            latencies[member.key] = .seconds(seconds)
        }
        return latencies
    }

    /// Changes jobs that are scheduled, waiting for a retry, or dead.
    public func mutate(_ mutation: JobMutation) async throws {
        try await self.performForOK(Command("MUTATE", mutation.argument, isRepeatable: false))
    }

    private static func command(
        _ verb: StaticString,
        _ queues: [String],
        isRepeatable: Bool
    ) throws(FaktoryError) -> Command {
        guard queues != ["*"] else { return Command(verb, "*".utf8, isRepeatable: isRepeatable) }
        return try Command(verb, queues: queues, isRepeatable: isRepeatable)
    }
}
