/// The figures of INFO that tests look at.
struct ServerFigures: Decodable, Sendable {
    struct Jobs: Decodable, Sendable {
        let queues: [String: Int]
        let sets: [String: Int]
        let total_processed: Int
        let total_failures: Int
        let total_enqueued: Int
        let total_queues: Int
    }

    struct Server: Decodable, Sendable {
        let faktory_version: String
        let connections: Int
    }

    let faktory: Jobs
    let server: Server

    /// Jobs that are anywhere but among the dead.
    var liveCount: Int {
        self.faktory.total_enqueued
            + ["working", "retries", "scheduled"].reduce(0) { $0 + (self.faktory.sets[$1] ?? 0) }
    }
}
