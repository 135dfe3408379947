/// What a handler is given: the job, and a client of the server that it came from.
public struct JobContext: Sendable {
    /// The job.
    public let job: FetchedJob
    /// A client for further jobs; it lives as long as the worker runs.
    public let client: FaktoryClient

    /// The job as the server sent it, byte for byte.
    public var payload: [UInt8] {
        self.job.payload
    }
}
